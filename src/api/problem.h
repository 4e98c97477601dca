#pragma once

#include <expected>
#include <string_view>

#include "base/result.h"
#include "net/http_server.h"

namespace herald {

/// Why a request is not served: the Error and the status that says so.
struct Problem {
    int status = 500;
    Error error;
    HeaderList headers = {};  ///< such as Allow
};

/// What a handler ends with.
using Answer = std::expected<ServerAnswer, Problem>;

/// The status of an Error. Errc::invalid is 422: the request was understood, its content is wrong.
[[nodiscard]] int status_of(Errc code);
/// The stable text of a code, "not_found".
[[nodiscard]] std::string_view to_text(Errc code);

/// Refuses with the status of the error's code.
[[nodiscard]] std::unexpected<Problem> refuse(Error error);
[[nodiscard]] std::unexpected<Problem> refuse(Errc code, std::string message);
/// Refuses with 400: the request itself (query, header fields, JSON syntax) is wrong.
[[nodiscard]] std::unexpected<Problem> refuse_request(Error error);

/// RFC 9457, application/problem+json.
[[nodiscard]] ServerAnswer to_answer(const Problem& problem, std::string_view request_id);

}  // namespace herald
