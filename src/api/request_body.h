#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "api/problem.h"

namespace herald {

/// The media type of a request's body in lower case, without parameters; Errc::unsupported when it
/// is none of ours: application/json, application/merge-patch+json, application/x-ndjson, in UTF-8.
[[nodiscard]] Result<std::string_view> media_type(const ServerRequest& request);

/// The request's body as one canonical JSON object. 415 for another type than application/json
/// (with `patch`: or application/merge-patch+json), 400 for what is no JSON, 422 for JSON that is
/// refused or no object.
[[nodiscard]] std::expected<std::string, Problem> read_object(const ServerRequest& request,
                                                              bool patch = false);

/// As read_object; no body at all counts as "{}".
[[nodiscard]] std::expected<std::string, Problem> read_optional_object(
    const ServerRequest& request);

}  // namespace herald
