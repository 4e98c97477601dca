#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "core/attempt.h"

namespace herald {

/// An answer of herald's HTTP API.
struct ApiReply {
    int status = 0;
    HeaderList headers;
    std::string text;
    std::string canonical = "null";  ///< the body as canonical JSON; null when it is none

    [[nodiscard]] JsonView json() const { return JsonView(canonical); }

    [[nodiscard]] bool ok() const { return status >= 200 && status < 300; }
    [[nodiscard]] std::string_view header(std::string_view lower_case_name) const;
};

struct ApiRequest {
    std::string method = "GET";
    std::string target;  ///< path and query
    std::string body = {};
    std::string content_type = "application/json";
    HeaderList headers = {};
};

/// Talks to a herald server for the command line: one connection, blocking, plain HTTP or HTTPS.
class ApiClient {
public:
    /// `address` as "http://127.0.0.1:8300"; `token` may be empty.
    ApiClient(std::string address, std::string token);

    /// Errc::unavailable: nothing answers there. Any HTTP status is a reply, not an error.
    [[nodiscard]] Result<ApiReply> call(const ApiRequest& request) const;
    [[nodiscard]] const std::string& address() const { return address_; }

private:
    std::string address_;
    std::string token_;
};

/// Percent-encodes a value for a path segment or a query.
[[nodiscard]] std::string url_encode(std::string_view text);

/// One plain request to any URL, as the API client makes it. For `trigger --url`.
[[nodiscard]] Result<ApiReply> http_call(const std::string& url, const ApiRequest& request);

}  // namespace herald
