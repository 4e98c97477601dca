#pragma once

#include <optional>
#include <string_view>

#include "base/time.h"
#include "core/attempt.h"

namespace herald {

/// The longest wait that a receiver may ask for; more counts as that much.
inline constexpr std::chrono::hours retry_after_max{24};

/// How long `Retry-After` (RFC 9110, 10.2.3) asks to wait: seconds, or a date in one of the three
/// forms of RFC 9110, 5.6.7. A past date is 0, more than retry_after_max is that, and what is
/// neither number nor date is nullopt.
[[nodiscard]] std::optional<Duration> parse_retry_after(std::string_view value, Time now);

/// What the headers of an answer that came at `now` ask for. A date counts from the answer's own
/// `Date` where it has one, so that it does not matter whether the two clocks agree.
[[nodiscard]] std::optional<Duration> retry_after(const HeaderList& headers, Time now);

/// A date in one of the three forms of RFC 9110, 5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT",
/// "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994". `now` gives a year of two digits
/// its century.
[[nodiscard]] std::optional<Time> parse_http_date(std::string_view text, Time now);

}  // namespace herald
