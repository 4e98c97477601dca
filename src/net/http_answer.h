#pragma once

#include <ctime>
#include <string>
#include <string_view>

#include "net/http_head.h"
#include "net/http_server.h"

namespace herald {

/// "OK", "Not Found"; "Unknown" for what HTTP does not name.
[[nodiscard]] std::string_view reason_phrase(int status);

/// The Date field's value, made once a second.
class HttpDate {
public:
    [[nodiscard]] std::string_view text();

private:
    std::time_t second_ = -1;
    std::string text_;
};

/// Appends a whole answer. `head_only`: to a HEAD request.
void append_answer(std::string& out, const ServerAnswer& answer, HttpDate& date, bool keep_alive,
                   bool head_only);

/// What a server says to a request it refuses (RFC 9457).
[[nodiscard]] ServerAnswer problem_answer(int status, std::string_view detail);

}  // namespace herald
