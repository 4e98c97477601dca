#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

#include <cstdint>

namespace herald::log {

enum class Level { debug, info, warn, error };

/// A named value of a log line. Values are data, never secrets: keys, tokens, header values and
/// bodies do not go into a log line (core/redact.h is the gate).
struct Field {
    std::string_view name;
    std::variant<std::string_view, std::int64_t, double, bool> value;
};

enum class Format { json, text };

/// Sets level and format of the process's one sink (stderr). Call once, before threads start;
/// `level` may be set again at any time.
void start(Level level, Format format);
void set_level(Level level);
[[nodiscard]] bool enabled(Level level);

/// One line: {"ts","level","event",fields...}. `what` is a dotted name ("delivery.failed"),
/// stable enough to alert on. Thread-safe.
void write(Level level, std::string_view what, std::initializer_list<Field> fields = {});

inline void debug(std::string_view what, std::initializer_list<Field> fields = {}) {
    write(Level::debug, what, fields);
}
inline void info(std::string_view what, std::initializer_list<Field> fields = {}) {
    write(Level::info, what, fields);
}
inline void warn(std::string_view what, std::initializer_list<Field> fields = {}) {
    write(Level::warn, what, fields);
}
inline void error(std::string_view what, std::initializer_list<Field> fields = {}) {
    write(Level::error, what, fields);
}

}  // namespace herald::log
