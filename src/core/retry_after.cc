#include "core/retry_after.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

#include "core/ascii.h"

namespace herald {

namespace {

using std::chrono::year;

constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> long_days{"Monday", "Tuesday",  "Wednesday", "Thursday",
                                                    "Friday", "Saturday", "Sunday"};

/// Reads a date from left to right; the first thing that does not fit spoils it.
class DateReader {
public:
    explicit DateReader(std::string_view text) : rest_(text) {}

    void skip(std::string_view literal) {
        good_ = good_ && rest_.starts_with(literal);
        if (good_) rest_.remove_prefix(literal.size());
    }
    int digits(std::size_t count) {
        int value = 0;
        good_ = good_ && rest_.size() >= count;
        for (std::size_t i = 0; good_ && i < count; ++i) {
            good_ = rest_[i] >= '0' && rest_[i] <= '9';
            value = value * 10 + (rest_[i] - '0');
        }
        if (good_) rest_.remove_prefix(count);
        return value;
    }
    unsigned month() {
        for (unsigned i = 0; good_ && i < months.size(); ++i) {
            if (!rest_.starts_with(months[i])) continue;
            rest_.remove_prefix(months[i].size());
            return i + 1;
        }
        good_ = false;
        return 0;
    }
    /// A day of asctime: its first digit may be a space.
    int padded_day() {
        if (!rest_.starts_with(' ')) return digits(2);
        rest_.remove_prefix(1);
        return digits(1);
    }
    void clock_time() {
        hours_ = digits(2);
        skip(":");
        minutes_ = digits(2);
        skip(":");
        seconds_ = digits(2);
        // 60: a leap second.
        good_ = good_ && hours_ < 24 && minutes_ < 60 && seconds_ <= 60;
    }
    [[nodiscard]] std::optional<Time> on(int y, unsigned m, int d) const {
        const auto date = year{y} / static_cast<int>(m) / d;
        if (!good_ || !rest_.empty() || !date.ok()) return std::nullopt;
        return Time{std::chrono::sys_days{date}} + std::chrono::hours{hours_} +
               std::chrono::minutes{minutes_} + std::chrono::seconds{seconds_};
    }

private:
    std::string_view rest_;
    bool good_ = true;
    int hours_ = 0;
    int minutes_ = 0;
    int seconds_ = 0;
};

std::optional<Time> imf_fixdate(std::string_view text) {
    DateReader reader(text);
    reader.skip(" ");
    const int day = reader.digits(2);
    reader.skip(" ");
    const unsigned month = reader.month();
    reader.skip(" ");
    const int full_year = reader.digits(4);
    reader.skip(" ");
    reader.clock_time();
    reader.skip(" GMT");
    return reader.on(full_year, month, day);
}

std::optional<Time> rfc850_date(std::string_view text, Time now) {
    DateReader reader(text);
    reader.skip(" ");
    const int day = reader.digits(2);
    reader.skip("-");
    const unsigned month = reader.month();
    reader.skip("-");
    const int short_year = reader.digits(2);
    reader.skip(" ");
    reader.clock_time();
    reader.skip(" GMT");
    const std::chrono::year_month_day today{std::chrono::floor<std::chrono::days>(now)};
    const int this_year = static_cast<int>(today.year());
    // More than 50 years ahead is the past (RFC 9110, 5.6.7).
    int full_year = this_year - this_year % 100 + short_year;
    if (full_year > this_year + 50) full_year -= 100;
    if (full_year < this_year - 50) full_year += 100;
    return reader.on(full_year, month, day);
}

std::optional<Time> asctime_date(std::string_view text) {
    DateReader reader(text);
    reader.skip(" ");
    const unsigned month = reader.month();
    reader.skip(" ");
    const int day = reader.padded_day();
    reader.skip(" ");
    reader.clock_time();
    reader.skip(" ");
    const int full_year = reader.digits(4);
    return reader.on(full_year, month, day);
}

std::string_view trim(std::string_view text) {
    while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
    while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
    return text;
}

}  // namespace

std::optional<Time> parse_http_date(std::string_view text, Time now) {
    for (const std::string_view day : long_days) {
        const std::string_view brief = day.substr(0, 3);
        if (text.starts_with(day) && text.substr(day.size()).starts_with(',')) {
            return rfc850_date(text.substr(day.size() + 1), now);
        }
        if (!text.starts_with(brief)) continue;
        const std::string_view rest = text.substr(brief.size());
        if (rest.starts_with(',')) return imf_fixdate(rest.substr(1));
        if (rest.starts_with(' ')) return asctime_date(rest);
    }
    return std::nullopt;
}

std::optional<Duration> parse_retry_after(std::string_view value, Time now) {
    value = trim(value);
    if (value.empty()) return std::nullopt;
    constexpr Duration most = retry_after_max;
    if (value.find_first_not_of("0123456789") == std::string_view::npos) {
        std::int64_t seconds = 0;
        const auto read = std::from_chars(value.data(), value.data() + value.size(), seconds);
        const std::chrono::seconds longest = retry_after_max;
        if (read.ec != std::errc{} || seconds > longest.count()) return most;
        return std::chrono::seconds{seconds};
    }
    const auto date = parse_http_date(value, now);
    if (!date) return std::nullopt;
    return std::clamp<Duration>(*date - now, Duration{0}, most);
}

std::optional<Duration> retry_after(const HeaderList& headers, Time now) {
    const auto find = [&](std::string_view name) -> const std::string* {
        for (const auto& [key, value] : headers) {
            if (ascii::lower(key) == name) return &value;
        }
        return nullptr;
    };
    const std::string* value = find("retry-after");
    if (value == nullptr) return std::nullopt;
    const std::string* date = find("date");
    const auto theirs = date != nullptr ? parse_http_date(trim(*date), now) : std::nullopt;
    return parse_retry_after(*value, theirs.value_or(now));
}

}  // namespace herald
