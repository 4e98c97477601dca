#pragma once

#include "core/event_types.h"

namespace herald::infrahub {

/// The event catalogue (contract 2.1): every name, whether it carries a node kind, and the branch
/// it is always emitted on (contract 2.7); and the events of herald itself.
[[nodiscard]] const EventTypes& event_types();

}  // namespace herald::infrahub
