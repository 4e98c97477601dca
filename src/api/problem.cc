#include "api/problem.h"

#include "base/json.h"
#include "net/http_answer.h"

namespace herald {

int status_of(Errc code) {
    switch (code) {
        case Errc::invalid: return 422;
        case Errc::unauthorized: return 401;
        case Errc::forbidden: return 403;
        case Errc::not_found: return 404;
        case Errc::conflict: return 409;
        case Errc::precondition_failed: return 412;
        case Errc::too_large: return 413;
        case Errc::unsupported: return 415;
        case Errc::busy: return 503;
        case Errc::out_of_space: return 507;
        case Errc::unavailable: return 503;
        case Errc::internal: return 500;
    }
    return 500;
}

std::string_view to_text(Errc code) {
    switch (code) {
        case Errc::invalid: return "invalid";
        case Errc::unauthorized: return "unauthorized";
        case Errc::forbidden: return "forbidden";
        case Errc::not_found: return "not_found";
        case Errc::conflict: return "conflict";
        case Errc::precondition_failed: return "precondition_failed";
        case Errc::too_large: return "too_large";
        case Errc::unsupported: return "unsupported";
        case Errc::busy: return "busy";
        case Errc::out_of_space: return "out_of_space";
        case Errc::unavailable: return "unavailable";
        case Errc::internal: return "internal";
    }
    return "internal";
}

std::unexpected<Problem> refuse(Error error) {
    Problem problem{status_of(error.code), std::move(error)};
    if (problem.status == 401) problem.headers.emplace_back("WWW-Authenticate", "Bearer");
    if (problem.status == 503) problem.headers.emplace_back("Retry-After", "1");
    return std::unexpected(std::move(problem));
}

std::unexpected<Problem> refuse(Errc code, std::string message) {
    return refuse(Error{code, std::move(message)});
}

std::unexpected<Problem> refuse_request(Error error) {
    return std::unexpected(Problem{400, std::move(error)});
}

ServerAnswer to_answer(const Problem& problem, std::string_view request_id) {
    ServerAnswer answer;
    answer.status = problem.status;
    answer.content_type = "application/problem+json";
    answer.headers = problem.headers;
    std::string& body = answer.body;
    body += R"({"type":"about:blank","title":)";
    append_json_string(body, reason_phrase(problem.status));
    body += R"(,"status":)" + std::to_string(problem.status) + R"(,"detail":)";
    append_json_string(body, problem.error.message);
    body += R"(,"code":)";
    append_json_string(body, to_text(problem.error.code));
    body += R"(,"errors":[)";
    bool first = true;
    for (const FieldError& field : problem.error.fields) {
        body += first ? R"({"pointer":)" : R"(,{"pointer":)";
        first = false;
        append_json_string(body, field.pointer);
        body += R"(,"detail":)";
        append_json_string(body, field.detail);
        body += '}';
    }
    body += R"(],"request_id":)";
    append_json_string(body, request_id);
    body += '}';
    return answer;
}

}  // namespace herald
