#include "base/time.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>

namespace herald {

namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::seconds;

/// Takes digits off the front of a text.
class Reader {
public:
    explicit Reader(std::string_view text) : text_(text) {}

    bool number(std::size_t digits, int& value) {
        if (text_.size() < digits) return false;
        value = 0;
        for (std::size_t i = 0; i < digits; ++i) {
            if (text_[i] < '0' || text_[i] > '9') return false;
            value = value * 10 + (text_[i] - '0');
        }
        text_.remove_prefix(digits);
        return true;
    }
    bool any_of(std::string_view chars) {
        if (text_.empty() || chars.find(text_.front()) == std::string_view::npos) return false;
        text_.remove_prefix(1);
        return true;
    }
    /// ".321142": at least one digit; what is beyond microseconds is cut.
    bool fraction(int& micros) {
        micros = 0;
        int scale = 100'000;
        std::size_t n = 0;
        while (!text_.empty() && text_.front() >= '0' && text_.front() <= '9') {
            micros += (text_.front() - '0') * scale;
            scale /= 10;
            text_.remove_prefix(1);
            ++n;
        }
        return n > 0;
    }
    [[nodiscard]] char peek() const { return text_.empty() ? '\0' : text_.front(); }
    [[nodiscard]] bool done() const { return text_.empty(); }

private:
    std::string_view text_;
};

/// "Z", "+02:00", "+0200", "-05" (and Python's "+00:00:00" is not written for UTC).
bool read_offset(Reader& reader, minutes& offset) {
    offset = minutes{0};
    if (reader.any_of("Zz")) return true;
    const bool negative = reader.peek() == '-';
    int hour = 0;
    int minute = 0;
    if (!reader.any_of("+-") || !reader.number(2, hour)) return false;
    const bool colon = reader.any_of(":");
    if (!reader.number(2, minute) && colon) return false;
    if (hour > 23 || minute > 59) return false;
    offset = hours{hour} + minutes{minute};
    if (negative) offset = -offset;
    return true;
}

void append_padded(std::string& out, unsigned value, std::size_t digits) {
    std::array<char, 10> text{};
    for (std::size_t i = digits; i > 0; --i) {
        text[i - 1] = static_cast<char>('0' + value % 10);
        value /= 10;
    }
    out.append(text.data(), digits);
}

/// "2025-03-13T16:44:32" with the given character in the middle; the microseconds that are left.
unsigned append_date_time(std::string& out, Time time, char middle) {
    const auto day = std::chrono::floor<days>(time);
    const std::chrono::year_month_day date{day};
    auto rest = static_cast<std::uint64_t>((time - day).count());
    append_padded(out, static_cast<unsigned>(static_cast<int>(date.year())), 4);
    out += '-';
    append_padded(out, static_cast<unsigned>(date.month()), 2);
    out += '-';
    append_padded(out, static_cast<unsigned>(date.day()), 2);
    out += middle;
    const auto micros = static_cast<unsigned>(rest % 1'000'000);
    rest /= 1'000'000;
    append_padded(out, static_cast<unsigned>(rest / 3600), 2);
    out += ':';
    append_padded(out, static_cast<unsigned>(rest / 60 % 60), 2);
    out += ':';
    append_padded(out, static_cast<unsigned>(rest % 60), 2);
    return micros;
}

}  // namespace

std::optional<Time> parse_time(std::string_view text) {
    Reader reader(text);
    int year = 0;
    int month = 0;
    int day = 0;
    int hour = 0;
    int minute = 0;
    int second = 0;
    int micros = 0;
    if (!reader.number(4, year) || !reader.any_of("-") || !reader.number(2, month) ||
        !reader.any_of("-") || !reader.number(2, day) || !reader.any_of("Tt ") ||
        !reader.number(2, hour) || !reader.any_of(":") || !reader.number(2, minute) ||
        !reader.any_of(":") || !reader.number(2, second)) {
        return std::nullopt;
    }
    if (reader.any_of(".,") && !reader.fraction(micros)) return std::nullopt;
    minutes offset{0};
    if (!read_offset(reader, offset) || !reader.done()) return std::nullopt;
    const std::chrono::year_month_day date{std::chrono::year{year},
                                           std::chrono::month{static_cast<unsigned>(month)},
                                           std::chrono::day{static_cast<unsigned>(day)}};
    // A leap second (:60) is refused: no clock of ours or of Python's datetime can hold it.
    if (year < 1 || !date.ok() || hour > 23 || minute > 59 || second > 59) return std::nullopt;
    const Time time = std::chrono::sys_days{date} + hours{hour} + minutes{minute} +
                      seconds{second} + microseconds{micros} - offset;
    const Time first = std::chrono::sys_days{std::chrono::year{1} / 1 / 1};
    const Time behind_last = std::chrono::sys_days{std::chrono::year{10'000} / 1 / 1};
    if (time < first || time >= behind_last) return std::nullopt;
    return time;
}

std::string to_rfc3339(Time time) {
    std::string out;
    out.reserve(27);
    const unsigned micros = append_date_time(out, time, 'T');
    out += '.';
    append_padded(out, micros, 6);
    out += 'Z';
    return out;
}

std::string to_python_str(Time time) {
    std::string out;
    out.reserve(32);
    const unsigned micros = append_date_time(out, time, ' ');
    if (micros != 0) {
        out += '.';
        append_padded(out, micros, 6);
    }
    out += "+00:00";
    return out;
}

std::optional<Duration> parse_duration(std::string_view text) {
    double value = 0;
    const char* begin = text.data();
    const char* end = begin + text.size();
    const auto read = std::from_chars(begin, end, value, std::chars_format::fixed);
    if (read.ec != std::errc{} || !(value >= 0)) return std::nullopt;
    const std::string_view unit(read.ptr, static_cast<std::size_t>(end - read.ptr));
    double factor = 0;
    if (unit.empty() || unit == "s") factor = 1e6;
    if (unit == "ms") factor = 1e3;
    if (unit == "m") factor = 60e6;
    if (unit == "h") factor = 3600e6;
    if (unit == "d") factor = 86'400e6;
    const double micros = value * factor;
    constexpr double longest = 9e15;  // 285 years
    if (factor == 0 || micros > longest) return std::nullopt;
    return Duration{std::llround(micros)};
}

std::string duration_text(Duration duration) {
    struct Unit {
        std::int64_t micros;
        std::string_view name;
    };
    constexpr std::array units{Unit{3'600'000'000, "h"}, Unit{60'000'000, "m"},
                               Unit{1'000'000, "s"}, Unit{1'000, "ms"}};
    const std::int64_t micros = duration.count();
    if (micros == 0) return "0s";
    for (const Unit& unit : units) {
        if (micros % unit.micros == 0) {
            return std::to_string(micros / unit.micros) + std::string(unit.name);
        }
    }
    std::string rest = std::to_string(1'000'000 + micros % 1'000'000).substr(1);
    return std::to_string(micros / 1'000'000) + "." + rest + "s";
}

}  // namespace herald
