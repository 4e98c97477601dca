#include "app/output.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include <yaml-cpp/yaml.h>

namespace herald {

namespace {

bool is_control(std::string_view text, std::size_t at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte < 0x20 || byte == 0x7f) return true;
    // U+0080 to U+009F, which terminals obey too.
    return byte == 0xC2 && at + 1 < text.size() && static_cast<unsigned char>(text[at + 1]) < 0xA0;
}

/// A JSON string that is pleasant to read: only what must be escaped is.
void append_readable(std::string& out, std::string_view text) {
    out += '"';
    std::size_t from = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool wide = is_control(text, i) && static_cast<unsigned char>(text[i]) >= 0x80;
        if (!is_control(text, i) && text[i] != '"' && text[i] != '\\') continue;
        out += text.substr(from, i - from);
        std::string escaped;
        append_json_string(escaped, text.substr(i, wide ? 2 : 1));
        out += std::string_view(escaped).substr(1, escaped.size() - 2);
        if (wide) ++i;
        from = i + 1;
    }
    out += text.substr(from);
    out += '"';
}

bool is_container(JsonView value) {
    return value.is_object() || value.kind() == JsonView::Kind::array;
}

void pretty(std::string& out, JsonView value, std::size_t depth) {
    if (!is_container(value)) {
        const auto text = value.string();
        if (text) append_readable(out, *text);
        if (!text) out += value.raw();
        return;
    }
    const bool object = value.is_object();
    out += object ? '{' : '[';
    bool first = true;
    for (auto items = value.items(); items.next(); first = false) {
        out += first ? "\n" : ",\n";
        out.append((depth + 1) * 2, ' ');
        if (object) {
            append_readable(out, items.key());
            out += ": ";
        }
        pretty(out, items.value(), depth + 1);
    }
    if (!first) {
        out += '\n';
        out.append(depth * 2, ' ');
    }
    out += object ? '}' : ']';
}

void emit_yaml(YAML::Emitter& out, JsonView value) {
    switch (value.kind()) {
        case JsonView::Kind::object:
            if (!value.items().next()) out << YAML::Flow;
            out << YAML::BeginMap;
            for (auto items = value.items(); items.next();) {
                out << YAML::Key << items.key() << YAML::Value;
                emit_yaml(out, items.value());
            }
            out << YAML::EndMap;
            return;
        case JsonView::Kind::array:
            if (!value.items().next()) out << YAML::Flow;
            out << YAML::BeginSeq;
            for (auto items = value.items(); items.next();) emit_yaml(out, items.value());
            out << YAML::EndSeq;
            return;
        case JsonView::Kind::string:
            // Quoted, so that "true" or "1e5" stay texts.
            out << YAML::DoubleQuoted << *value.string();
            return;
        case JsonView::Kind::null: out << YAML::Null; return;
        case JsonView::Kind::boolean: out << *value.boolean(); return;
        case JsonView::Kind::number: out << std::string(value.raw()); return;
    }
}

/// How many columns a terminal needs: code points, which is right but for wide characters.
std::size_t width(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count_if(
        text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string_view color_of(std::string_view word) {
    if (word == "delivered" || word == "accepted" || word == "valid") return "\x1b[32m";
    if (word == "failed" || word == "rejected") return "\x1b[31m";
    if (word == "pending" || word == "duplicate") return "\x1b[33m";
    return {};
}

std::string shown(JsonView value, const Column& column) {
    const JsonView found = at_path(value, column.path);
    return column.show == nullptr ? cell(found) : printable(column.show(found));
}

void put(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }

std::string array_of(const std::vector<JsonView>& items) {
    std::string text = "[";
    for (const JsonView& item : items) {
        if (text.size() > 1) text += ',';
        text += item.raw();
    }
    return text + "]";
}

}  // namespace

OutputFormat Output::chosen() const {
    if (format != OutputFormat::automatic) return format;
    return ::isatty(STDOUT_FILENO) != 0 ? OutputFormat::table : OutputFormat::json;
}

void Output::one(JsonView value, const Columns& columns) const {
    switch (chosen()) {
        case OutputFormat::json: return put(to_pretty_json(value) + "\n");
        case OutputFormat::yaml: return put(to_yaml(value));
        case OutputFormat::automatic:
        case OutputFormat::table: return put(to_lines(value, columns));
    }
}

void Output::list(const std::vector<JsonView>& items, const Columns& columns) const {
    switch (chosen()) {
        case OutputFormat::json: return put(to_pretty_json(JsonView(array_of(items))) + "\n");
        case OutputFormat::yaml: return put(to_yaml(JsonView(array_of(items))));
        case OutputFormat::automatic:
        case OutputFormat::table: return put(to_table(items, columns, color));
    }
}

std::string to_pretty_json(JsonView value) {
    std::string out;
    pretty(out, value, 0);
    return out;
}

std::string to_yaml(JsonView value) {
    YAML::Emitter out;
    out.SetNullFormat(YAML::LowerNull);
    emit_yaml(out, value);
    return std::string(out.c_str()) + "\n";
}

std::string to_lines(JsonView value, const Columns& columns) {
    std::size_t widest = 0;
    for (const Column& column : columns) widest = std::max(widest, column.title.size());
    std::string out;
    for (const Column& column : columns) {
        const std::string text = shown(value, column);
        if (text.empty()) continue;
        std::string title(column.title);
        title.resize(widest, ' ');
        out.append(title).append("  ").append(text).append("\n");
    }
    return out;
}

std::string to_table(const std::vector<JsonView>& items, const Columns& columns, bool color) {
    std::vector<std::vector<std::string>> rows(1);
    for (const Column& column : columns) rows[0].emplace_back(column.title);
    for (const JsonView& item : items) {
        auto& row = rows.emplace_back();
        for (const Column& column : columns) row.push_back(shown(item, column));
    }
    std::vector<std::size_t> widths(columns.size());
    for (const auto& row : rows) {
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
    }
    std::string out;
    for (const auto& row : rows) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i) {
            const std::string_view paint = color ? color_of(row[i]) : std::string_view{};
            line += std::string(paint) + row[i] + (paint.empty() ? "" : "\x1b[0m");
            line.append(widths[i] - width(row[i]) + 2, ' ');
        }
        line.erase(line.find_last_not_of(' ') + 1);
        out += line + "\n";
    }
    return out;
}

JsonView at_path(JsonView value, std::string_view path) {
    while (!path.empty()) {
        const std::size_t dot = std::min(path.find('.'), path.size());
        value = value.find(path.substr(0, dot)).value_or(JsonView{});
        path.remove_prefix(std::min(dot + 1, path.size()));
    }
    return value;
}

std::string cell(JsonView value) {
    if (value.is_null()) return {};
    if (const auto text = value.string()) return printable(*text);
    std::string text(value.raw());
    if (value.kind() == JsonView::Kind::number && text.ends_with(".0"))
        text.resize(text.size() - 2);
    if (value.kind() != JsonView::Kind::array) return text;
    text.clear();
    for (auto items = value.items(); items.next();) {
        text += (text.empty() ? "" : ", ") + cell(items.value());
    }
    return text;
}

std::string cell(JsonView value, std::string_view path) { return cell(at_path(value, path)); }

std::vector<JsonView> elements(JsonView value, std::string_view path) {
    std::vector<JsonView> found;
    const JsonView list = at_path(value, path);
    if (list.kind() != JsonView::Kind::array) return found;
    for (auto items = list.items(); items.next();) found.push_back(items.value());
    return found;
}

std::string printable(std::string_view text) {
    std::string out(text);
    for (std::size_t i = 0; i < out.size(); ++i) {
        if (!is_control(text, i)) continue;
        if (static_cast<unsigned char>(out[i]) >= 0x80) out[i + 1] = ' ';
        out[i] = ' ';
    }
    return out;
}

JsonObject& JsonObject::add(std::string_view name, std::string_view text) {
    std::string json;
    append_json_string(json, text);
    return add_json(name, json);
}

JsonObject& JsonObject::add_json(std::string_view name, std::string_view json) {
    if (text_.size() > 1) text_ += ',';
    append_json_string(text_, name);
    text_ += ':';
    text_ += json;
    return *this;
}

}  // namespace herald
