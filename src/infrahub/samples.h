#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace herald::infrahub {

/// A realistic event of a catalogue type, in herald's own JSON shape (docs/api.md), with fresh id
/// and the given time; nullopt for a type without a sample. For `herald trigger` and
/// `webhook test`.
[[nodiscard]] std::optional<std::string> sample_event(std::string_view type, Time now);

}  // namespace herald::infrahub
