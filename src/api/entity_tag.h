#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "api/problem.h"
#include "net/http_server.h"

namespace herald {

// The ETag of what people configure is its version, `"3"` (RFC 9110 8.8.3).

[[nodiscard]] std::string entity_tag(std::uint64_t version);

/// Whether a list of entity tags such as `"3", W/"4"` holds this one; `weak` ones count too.
[[nodiscard]] bool names_tag(std::string_view field, std::string_view tag, bool weak);

/// What If-Match asks for: `version`, or nothing. Refuses when that is another one. `what` is
/// named in the message: "the webhook".
[[nodiscard]] std::expected<std::optional<std::uint64_t>, Problem> expected_version(
    const ServerRequest& request, std::uint64_t version, std::string_view what);

}  // namespace herald
