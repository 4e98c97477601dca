#pragma once

#include <charconv>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace herald::bench {

[[nodiscard]] inline std::uint64_t steady_nanoseconds() {
    return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch() /
                                      std::chrono::nanoseconds{1});
}

/// A real event whose id says when it was sent: its first 16 hex digits are nanoseconds, the
/// others count. So the sink can tell how long it was on its way, and every id is new.
class StampedEvent {
public:
    explicit StampedEvent(const std::string& path)
        : text_(on_one_line(path)), id_(text_.find("\"id\":\"") + 6) {}

    [[nodiscard]] std::string_view next() {
        put_hex(steady_nanoseconds(), 16, 0);
        put_hex(++count_, 16, 16);
        if (number_) put_type(number_(count_));
        return text_;
    }

    /// From now on the event's type is type(number(n)) for the n-th one.
    void vary_type(std::function<std::uint64_t(std::uint64_t n)> number) {
        number_ = std::move(number);
        const std::size_t begin = text_.rfind("\"event\":\"") + 9;
        text_.replace(begin, text_.find('"', begin) - begin, type(0));
        type_ = begin;
    }
    [[nodiscard]] static std::string type(std::uint64_t number) {
        return "bench.event." + std::to_string(10'000 + number);
    }

    /// When the event of this body was sent.
    [[nodiscard]] static std::optional<std::uint64_t> stamp(std::string_view body) {
        // Not the one of the node: the event's own "id" stands before its branch.
        const std::size_t at = body.rfind("\"id\":\"");
        if (at == std::string_view::npos || body.size() < at + 24) return std::nullopt;
        std::string digits;
        for (const char c : body.substr(at + 6, 18)) {
            if (c != '-') digits += c;
        }
        std::uint64_t stamp = 0;
        std::from_chars(digits.data(), digits.data() + 16, stamp, 16);
        return stamp;
    }

private:
    /// What a JSON file says, without the space between its tokens.
    static std::string on_one_line(const std::string& path) {
        std::ifstream file(path, std::ios::binary);
        const std::string text(std::istreambuf_iterator<char>(file), {});
        std::string line;
        bool quoted = false;
        for (const char c : text) {
            if (c == '"') quoted = !quoted;
            if (quoted || (c != '\n' && c != ' ')) line += c;
        }
        return line;
    }
    /// Digit number n of a dashed uuid stands behind this many dashes.
    static std::size_t dashes(std::size_t n) {
        return std::size_t{n >= 8} + std::size_t{n >= 12} + std::size_t{n >= 16} +
               std::size_t{n >= 20};
    }
    void put_hex(std::uint64_t value, std::size_t digits, std::size_t first) {
        for (std::size_t i = 0; i < digits; ++i) {
            const auto nibble = (value >> (4 * (digits - 1 - i))) & 0xF;
            text_[id_ + first + i + dashes(first + i)] = "0123456789abcdef"[nibble];
        }
    }

    void put_type(std::uint64_t number) {
        const std::string name = type(number);
        text_.replace(type_, name.size(), name);
    }

    std::string text_;
    std::size_t id_;
    std::size_t type_ = 0;
    std::function<std::uint64_t(std::uint64_t)> number_;
    std::uint64_t count_ = 0;
};

}  // namespace herald::bench
