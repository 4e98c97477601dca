#include "app/output.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include <yaml-cpp/yaml.h>
#include <boost/json.hpp>

namespace herald {

namespace {

namespace json = boost::json;

void pretty(std::string& out, const json::value& value, std::size_t depth) {
    const auto indent = [&](std::size_t n) { out.append(n * 2, ' '); };
    if (const auto* object = value.if_object(); object != nullptr && !object->empty()) {
        out += "{\n";
        bool first = true;
        for (const auto& [key, member] : *object) {
            if (!first) out += ",\n";
            first = false;
            indent(depth + 1);
            out += json::serialize(json::string(key)) + ": ";
            pretty(out, member, depth + 1);
        }
        out += '\n';
        indent(depth);
        out += '}';
    } else if (const auto* array = value.if_array(); array != nullptr && !array->empty()) {
        out += "[\n";
        bool first = true;
        for (const json::value& item : *array) {
            if (!first) out += ",\n";
            first = false;
            indent(depth + 1);
            pretty(out, item, depth + 1);
        }
        out += '\n';
        indent(depth);
        out += ']';
    } else {
        out += json::serialize(value);
    }
}

void emit_yaml(YAML::Emitter& out, const json::value& value) {
    if (const auto* object = value.if_object()) {
        if (object->empty()) out << YAML::Flow;
        out << YAML::BeginMap;
        for (const auto& [key, member] : *object) {
            out << YAML::Key << std::string(key) << YAML::Value;
            emit_yaml(out, member);
        }
        out << YAML::EndMap;
    } else if (const auto* array = value.if_array()) {
        if (array->empty()) out << YAML::Flow;
        out << YAML::BeginSeq;
        for (const json::value& item : *array) emit_yaml(out, item);
        out << YAML::EndSeq;
    } else if (const auto* text = value.if_string()) {
        // Quoted, so that "true" or "1e5" stay texts.
        out << YAML::DoubleQuoted << std::string(*text);
    } else {
        out << json::serialize(value);
    }
}

/// How many columns a terminal needs: code points, which is right but for wide characters.
std::size_t width(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count_if(
        text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

/// What a receiver or a user wrote must not drive the terminal.
std::string printable(std::string text) {
    for (char& c : text) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
    }
    return text;
}

std::string_view color_of(std::string_view word) {
    if (word == "delivered" || word == "accepted" || word == "valid") return "\x1b[32m";
    if (word == "failed" || word == "rejected") return "\x1b[31m";
    if (word == "pending" || word == "duplicate") return "\x1b[33m";
    return {};
}

void put(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }

}  // namespace

OutputFormat Output::chosen() const {
    if (format != OutputFormat::automatic) return format;
    return ::isatty(STDOUT_FILENO) != 0 ? OutputFormat::table : OutputFormat::json;
}

void Output::one(const json::value& value, const std::vector<Column>& columns) const {
    switch (chosen()) {
        case OutputFormat::json: put(to_pretty_json(value) + "\n"); return;
        case OutputFormat::yaml: put(to_yaml(value)); return;
        case OutputFormat::automatic:
        case OutputFormat::table: break;
    }
    std::size_t widest = 0;
    for (const Column& column : columns) widest = std::max(widest, column.title.size());
    for (const Column& column : columns) {
        std::string title(column.title);
        title.resize(widest, ' ');
        put(title + "  " + cell(value, column.path) + "\n");
    }
}

void Output::list(const json::array& items, const std::vector<Column>& columns) const {
    switch (chosen()) {
        case OutputFormat::json: put(to_pretty_json(items) + "\n"); return;
        case OutputFormat::yaml: put(to_yaml(items)); return;
        case OutputFormat::automatic:
        case OutputFormat::table: break;
    }
    put(to_table(items, columns, color));
}

std::string to_pretty_json(const json::value& value) {
    std::string out;
    pretty(out, value, 0);
    return out;
}

std::string to_yaml(const json::value& value) {
    YAML::Emitter out;
    emit_yaml(out, value);
    return std::string(out.c_str()) + "\n";
}

std::string to_table(const json::array& items, const std::vector<Column>& columns, bool color) {
    std::vector<std::vector<std::string>> rows;
    std::vector<std::size_t> widths;
    for (const Column& column : columns) widths.push_back(column.title.size());
    for (const json::value& item : items) {
        std::vector<std::string> row;
        for (std::size_t i = 0; i < columns.size(); ++i) {
            row.push_back(cell(item, columns[i].path));
            widths[i] = std::max(widths[i], width(row.back()));
        }
        rows.push_back(std::move(row));
    }
    std::string out;
    auto add = [&](std::string_view text, std::size_t i) {
        const std::string_view paint = color ? color_of(text) : std::string_view{};
        out += std::string(paint) + std::string(text) + (paint.empty() ? "" : "\x1b[0m");
        if (i + 1 < columns.size()) out.append(widths[i] - width(text) + 2, ' ');
    };
    for (std::size_t i = 0; i < columns.size(); ++i) add(columns[i].title, i);
    out += '\n';
    for (const auto& row : rows) {
        for (std::size_t i = 0; i < row.size(); ++i) add(row[i], i);
        out += '\n';
    }
    return out;
}

std::string cell(const json::value& value, std::string_view path) {
    const json::value* at = &value;
    while (!path.empty()) {
        const std::size_t dot = std::min(path.find('.'), path.size());
        const auto* object = at->if_object();
        if (object == nullptr) return {};
        at = object->if_contains(path.substr(0, dot));
        if (at == nullptr) return {};
        path.remove_prefix(std::min(dot + 1, path.size()));
    }
    if (at->is_null()) return {};
    if (const auto* text = at->if_string()) return printable(std::string(*text));
    if (const auto* list = at->if_array()) {
        std::string joined;
        for (const json::value& item : *list) {
            if (!joined.empty()) joined += ", ";
            joined += cell(item, "");
        }
        return joined;
    }
    return printable(json::serialize(*at));
}

}  // namespace herald
