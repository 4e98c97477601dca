#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace herald {

/// A moment in UTC, with the microseconds that Python's datetime keeps.
using Time = std::chrono::sys_time<std::chrono::microseconds>;
using Duration = std::chrono::microseconds;

/// Reads RFC 3339 ("2025-03-13T16:44:32.321142Z", any offset) and Python's str(datetime)
/// form (a space for the T). Digits past microseconds are cut. Years 1 to 9999.
/// Without an offset: nullopt (a local time is no moment).
[[nodiscard]] std::optional<Time> parse_time(std::string_view text);

/// "2025-03-13T16:44:32.321142Z"; always six fraction digits.
[[nodiscard]] std::string to_rfc3339(Time time);

/// Python's str(datetime) in UTC: "2025-03-13 16:44:32.321142+00:00", and no fraction at
/// all when the microseconds are 0 (contract 2.4).
[[nodiscard]] std::string to_python_str(Time time);

/// Microseconds since 1970, as stored.
[[nodiscard]] constexpr std::int64_t to_micros(Time time) {
    return time.time_since_epoch().count();
}
[[nodiscard]] constexpr Time from_micros(std::int64_t micros) { return Time{Duration{micros}}; }

/// "250ms", "10s", "5m", "2h", "14d", and plain numbers as seconds ("0.5"). Not negative.
[[nodiscard]] std::optional<Duration> parse_duration(std::string_view text);
/// "5m", "90s", "250ms": the largest unit that is exact, at most hours. parse_duration() reads it.
[[nodiscard]] std::string duration_text(Duration duration);

}  // namespace herald
