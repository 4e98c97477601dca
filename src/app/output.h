#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <boost/json/value.hpp>

namespace herald {

enum class OutputFormat { automatic, table, json, yaml };

/// A column of a table: its title and the path of the value ("webhook.name").
struct Column {
    std::string_view title;
    std::string_view path;
};

/// What a person or a program sees: data on stdout, and nothing else there.
struct Output {
    OutputFormat format = OutputFormat::automatic;
    bool color = false;  ///< NO_COLOR, --color and the terminal have decided

    /// Table on a terminal, JSON when piped, unless a format was chosen.
    [[nodiscard]] OutputFormat chosen() const;
    /// One object: as "key  value" lines, JSON or YAML.
    void one(const boost::json::value& value, const std::vector<Column>& columns) const;
    /// A list: as a table with these columns, a JSON array or YAML.
    void list(const boost::json::array& items, const std::vector<Column>& columns) const;
};

[[nodiscard]] std::string to_pretty_json(const boost::json::value& value);
[[nodiscard]] std::string to_yaml(const boost::json::value& value);
[[nodiscard]] std::string to_table(const boost::json::array& items,
                                   const std::vector<Column>& columns, bool color);
/// The value at a dotted path as a cell's text; "" when there is none.
[[nodiscard]] std::string cell(const boost::json::value& value, std::string_view path);

}  // namespace herald
