#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/options.h"

namespace herald {

enum class Method : std::uint8_t { post, put, patch };
[[nodiscard]] std::string_view to_text(Method method);
[[nodiscard]] std::optional<Method> parse_method(std::string_view text);

/// How text beyond ASCII stands in a JSON body.
enum class Encoding : std::uint8_t {
    ascii,  ///< escaped, as the original writes it
    utf8,   ///< as it is; for receivers that misread escapes (ecosystem 1.4)
};
[[nodiscard]] std::string_view to_text(Encoding encoding);
[[nodiscard]] std::optional<Encoding> parse_encoding(std::string_view text);

/// What a receiver asks of a request besides its body: the group `request`.
struct RequestOptions {
    Method method = Method::post;
    /// Empty: the transformation's, or application/json.
    std::string content_type;
    Encoding encoding = Encoding::ascii;
    /// A longer body is not sent: the attempt fails as CONFIG. 0: no limit of the receiver's.
    std::uint32_t max_bytes = 0;

    bool operator==(const RequestOptions&) const = default;
};

[[nodiscard]] RequestOptions read_request_options(JsonView value, JsonView stored,
                                                  std::vector<FieldError>& wrong);
void append_request_options(std::string& out, const RequestOptions& options, SecretForm form);

/// A media type such as "text/plain; charset=utf-8", as a field value may hold it (RFC 9110 8.3).
[[nodiscard]] bool is_media_type(std::string_view text);
/// Whether bodies of this type are JSON: application/json, or one that ends in +json.
[[nodiscard]] bool is_json_type(std::string_view content_type);

}  // namespace herald
