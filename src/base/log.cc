#include "base/log.h"

#include <unistd.h>

#include <array>
#include <atomic>
#include <charconv>
#include <chrono>

#include "base/json.h"
#include "base/time.h"

namespace herald::log {

namespace {

// The one process-wide sink: stderr. Level and form are settings of it, not state of the program.
std::atomic<Level> current_level{Level::info};
std::atomic<Format> current_format{Format::json};

std::string_view name_of(Level level) {
    switch (level) {
        case Level::debug: return "debug";
        case Level::info: return "info";
        case Level::warn: return "warn";
        case Level::error: return "error";
    }
    return "info";
}

std::string number_text(double value) {
    std::array<char, 32> buffer{};
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
    return {buffer.data(), end.ptr};
}

void append_value(std::string& line, const Field& field) {
    if (const auto* text = std::get_if<std::string_view>(&field.value)) {
        append_json_string(line, *text);
    } else if (const auto* integer = std::get_if<std::int64_t>(&field.value)) {
        line += std::to_string(*integer);
    } else if (const auto* real = std::get_if<double>(&field.value)) {
        line += number_text(*real);
    } else {
        line += std::get<bool>(field.value) ? "true" : "false";
    }
}

std::string json_line(std::string_view time, Level level, std::string_view what,
                      std::initializer_list<Field> fields) {
    std::string line = "{\"ts\":\"" + std::string(time) + "\",\"level\":\"" +
                       std::string(name_of(level)) + "\",\"event\":\"" + std::string(what) + "\"";
    for (const Field& field : fields) {
        line += ",\"" + std::string(field.name) + "\":";
        append_value(line, field);
    }
    line += "}\n";
    return line;
}

std::string text_line(std::string_view time, Level level, std::string_view what,
                      std::initializer_list<Field> fields) {
    std::string line =
        std::string(time) + " " + std::string(name_of(level)) + " " + std::string(what);
    for (const Field& field : fields) {
        line += " " + std::string(field.name) + "=";
        append_value(line, field);
    }
    line += '\n';
    return line;
}

}  // namespace

void start(Level level, Format format) {
    current_level = level;
    current_format = format;
}

void set_level(Level level) { current_level = level; }

bool enabled(Level level) { return level >= current_level.load(std::memory_order_relaxed); }

void write(Level level, std::string_view what, std::initializer_list<Field> fields) {
    if (!enabled(level)) return;
    const auto now =
        std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
    std::string time = to_rfc3339(now);
    time.erase(time.size() - 4, 3);  // milliseconds are enough here
    const std::string line = current_format == Format::json ? json_line(time, level, what, fields)
                                                            : text_line(time, level, what, fields);
    // One write a line: lines of several threads do not mix. A log that cannot be written is lost.
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace herald::log
