#pragma once

#include <span>
#include <vector>

#include "store/sqlite/log_state.h"

namespace herald::sqlite {

/// Store::claim. Reads all that it gives out before it leases any of it.
[[nodiscard]] std::vector<Claimed> claim_due(LogState& log, Time now, Time lease_until,
                                             std::span<const LaneRoom> lanes);

}  // namespace herald::sqlite
