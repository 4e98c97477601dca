#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace herald {

// The text of a request target.

/// Its path, as sent.
[[nodiscard]] std::string_view raw_path(std::string_view target);

/// "%2F" to "/"; nullopt: a broken escape, or a NUL.
[[nodiscard]] std::optional<std::string> percent_decode(std::string_view text);

/// Everything but letters, digits and "-._~" becomes an escape.
void append_percent_encoded(std::string& out, std::string_view text);

}  // namespace herald
