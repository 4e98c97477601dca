#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "core/options.h"

namespace herald {

/// How herald proves to a receiver who it is. Each member is used by the types named beside it.
struct Authentication {
    enum class Type : std::uint8_t {
        none,
        basic,   ///< RFC 7617
        bearer,  ///< RFC 6750: a token that does not change
        oauth2,  ///< RFC 6749, section 4.4 (client credentials): tokens of a token endpoint
    };
    /// How the client's id and secret reach the token endpoint (RFC 6749, section 2.3.1).
    enum class ClientAuth : std::uint8_t {
        basic,  ///< in the Authorization header
        post,   ///< in the form
    };

    Type type = Type::none;
    std::string username;       ///< basic; holds no colon
    std::string password;       ///< basic; secret, may be empty
    std::string token;          ///< bearer; secret
    std::string token_url;      ///< oauth2; without user and password
    std::string client_id;      ///< oauth2
    std::string client_secret;  ///< oauth2; secret
    std::string scope;          ///< oauth2; empty: not sent. Names separated by spaces
    std::string audience;       ///< oauth2; empty: not sent
    ClientAuth client_auth = ClientAuth::basic;  ///< oauth2

    bool operator==(const Authentication&) const = default;
};

/// "none", "basic", "bearer", "oauth2".
[[nodiscard]] std::string_view to_text(Authentication::Type type);
[[nodiscard]] std::optional<Authentication::Type> parse_authentication_type(std::string_view text);

/// The group "authentication" of a webhook. Secrets may be references (core/reference.h).
[[nodiscard]] Authentication read_authentication(JsonView value, JsonView stored,
                                                 std::vector<FieldError>& wrong);
void append_authentication(std::string& out, const Authentication& authentication, SecretForm form);

/// What is wrong with it: a member that its type needs and that is missing, one that its type does
/// not use, one that cannot be sent. Pointers begin with "/authentication/".
void check(const Authentication& authentication, std::vector<FieldError>& wrong);

/// The value of Authorization for type basic (RFC 7617, in UTF-8).
[[nodiscard]] std::string basic_credentials(std::string_view username, std::string_view password);

}  // namespace herald
