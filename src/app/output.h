#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace herald {

enum class OutputFormat { automatic, table, json, yaml };

/// A column of a table: its title and the path of the value ("webhook.name").
struct Column {
    std::string_view title;
    std::string_view path;
    std::string (*show)(JsonView value) = nullptr;  ///< null: as cell() does
};
using Columns = std::vector<Column>;

/// What a person or a program sees: data on stdout, and nothing else there. Works on JSON text, so
/// that numbers of any size come out as they came in.
struct Output {
    OutputFormat format = OutputFormat::automatic;
    bool color = false;  ///< NO_COLOR, --color and the terminal have decided

    /// Table on a terminal, JSON when piped, unless a format was chosen.
    [[nodiscard]] OutputFormat chosen() const;
    /// One object: as "key  value" lines (those that have a value), JSON or YAML.
    void one(JsonView value, const Columns& columns) const;
    /// A list: as a table with these columns, a JSON array or YAML.
    void list(const std::vector<JsonView>& items, const Columns& columns) const;
};

[[nodiscard]] std::string to_pretty_json(JsonView value);
[[nodiscard]] std::string to_yaml(JsonView value);
[[nodiscard]] std::string to_table(const std::vector<JsonView>& items, const Columns& columns,
                                   bool color);
[[nodiscard]] std::string to_lines(JsonView value, const Columns& columns);

/// The value at a dotted path; null when there is none.
[[nodiscard]] JsonView at_path(JsonView value, std::string_view path);
/// A value as a cell's text; "" for null.
[[nodiscard]] std::string cell(JsonView value);
[[nodiscard]] std::string cell(JsonView value, std::string_view path);
/// The elements of the array at a dotted path; empty when there is none.
[[nodiscard]] std::vector<JsonView> elements(JsonView value, std::string_view path);
/// What others wrote, so that it cannot drive the terminal: control characters become spaces.
[[nodiscard]] std::string printable(std::string_view text);

/// Writes a JSON object member by member.
class JsonObject {
public:
    JsonObject& add(std::string_view name, std::string_view text);
    /// `json` is canonical already.
    JsonObject& add_json(std::string_view name, std::string_view json);
    [[nodiscard]] std::string text() const { return text_ + "}"; }

private:
    std::string text_ = "{";
};

}  // namespace herald
