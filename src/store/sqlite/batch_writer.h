#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "store/sqlite/log_state.h"

namespace herald::sqlite {

/// Writes one batch into the log: rows first, in one transaction of the tail, then, once that is on
/// disk, what is kept in memory. If it fails, nothing has happened.
[[nodiscard]] Committed commit_batch(LogState& log, const Batch& batch);

}  // namespace herald::sqlite
