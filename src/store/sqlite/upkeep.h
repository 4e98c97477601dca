#pragma once

#include "store/sqlite/log_state.h"

namespace herald::sqlite {

/// One small step of upkeep; true when there is more to do. Every step leaves the store whole, and
/// does nothing when it is done again, so a crash between two of them costs nothing.
///
///   1. a tail that is old enough is sealed;
///   2. of the oldest sealed segment: its late rows are brought home, its indexes built, its
///      column index saved; then it is finished;
///   3. retention: the oldest segment goes when it is old enough and nothing in it is open;
///      finished deliveries of old enough segments go before.
[[nodiscard]] bool tend_log(LogState& log, const Retention& retention, Time now);

}  // namespace herald::sqlite
