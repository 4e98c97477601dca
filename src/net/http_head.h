#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>
#include <vector>

namespace herald {

// The head of an HTTP/1 message (RFC 9112), read strictly: what two readers could take differently
// is refused. Nothing here knows sockets.

/// Why a message was refused. `what` is a literal; `status` is what a server answers.
struct HttpFault {
    int status = 400;
    std::string_view what;
};

/// One field line. Both point into the text that was parsed.
struct FieldLine {
    std::string_view name;
    std::string_view value;
};

/// How long the body is and what becomes of the connection.
struct Framing {
    enum class Body { none, length, chunked, until_close };
    Body body = Body::none;
    std::uint64_t length = 0;
    bool keep_alive = true;
    std::size_t hosts = 0;          ///< Host fields
    bool expects_continue = false;  ///< Expect: 100-continue
    bool expects_else = false;      ///< any other Expect
};

/// A parsed head. The views point into the text that was parsed and are valid as long as it is.
struct HttpHead {
    std::string_view method;  ///< of a request
    std::string_view target;  ///< of a request
    int status = 0;           ///< of a response
    std::string_view reason;  ///< of a response
    int minor_version = 1;
    std::vector<FieldLine> fields;
    Framing framing;
};

/// Looks for the empty line that ends a head. Gives the head's length with that line, or 0 when
/// more bytes are needed. `scanned` remembers how far it has looked: 0 at the start of a message.
[[nodiscard]] std::expected<std::size_t, HttpFault> find_head_end(std::string_view bytes,
                                                                  std::size_t& scanned);

/// Reads a whole head, as long as find_head_end says. `head` is filled anew (its memory is kept).
[[nodiscard]] std::optional<HttpFault> parse_request_head(std::string_view text, HttpHead& head);
[[nodiscard]] std::optional<HttpFault> parse_response_head(std::string_view text, HttpHead& head);

/// Whether the names are the same, upper or lower case. `lower` is in lower case.
[[nodiscard]] bool same_field_name(std::string_view name, std::string_view lower);
/// Whether `c` may be in a method or field name (RFC 9110, 5.6.2).
[[nodiscard]] bool is_token_char(char c);

}  // namespace herald
