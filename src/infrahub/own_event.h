#pragma once

#include "core/own_event.h"

namespace herald::infrahub {

/// An event of herald's own, in the webhook body of contract 2.4.
[[nodiscard]] Event make_own_event(OwnEvent own);

}  // namespace herald::infrahub
