#include "core/authentication.h"

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "core/ascii.h"
#include "core/limits.h"
#include "core/redact.h"
#include "core/reference.h"
#include "core/url.h"

namespace herald {

namespace {

using Type = Authentication::Type;
using ClientAuth = Authentication::ClientAuth;
using Wrong = std::vector<FieldError>;

constexpr std::array types{Type::none, Type::basic, Type::bearer, Type::oauth2};

std::string_view client_auth_text(ClientAuth way) {
    return way == ClientAuth::basic ? "basic" : "post";
}

std::optional<ClientAuth> parse_client_auth(std::string_view text) {
    if (text == "basic") return ClientAuth::basic;
    if (text == "post") return ClientAuth::post;
    return std::nullopt;
}

/// A member, the type that uses it and whether that type needs it.
struct Member {
    std::string_view name;
    std::string Authentication::* value;
    Type type;
    bool needed;
};

constexpr std::array members{
    Member{"username", &Authentication::username, Type::basic, true},
    Member{"password", &Authentication::password, Type::basic, false},
    Member{"token", &Authentication::token, Type::bearer, true},
    Member{"token_url", &Authentication::token_url, Type::oauth2, true},
    Member{"client_id", &Authentication::client_id, Type::oauth2, true},
    Member{"client_secret", &Authentication::client_secret, Type::oauth2, true},
    Member{"scope", &Authentication::scope, Type::oauth2, false},
    Member{"audience", &Authentication::audience, Type::oauth2, false},
};

std::string pointer(std::string_view name) { return "/authentication/" + std::string(name); }

/// What cannot be sent, whatever the member is.
std::string text_complaint(std::string_view text) {
    if (text.size() > limits::authentication_bytes) {
        return "must be at most " + std::to_string(limits::authentication_bytes) + " bytes";
    }
    if (std::ranges::any_of(text, ascii::is_control)) {
        return "must not contain control characters such as line ends";
    }
    return reference_complaint(text);
}

void check_token(const std::string& token, Wrong& wrong) {
    const auto odd = [](char c) { return c <= ' ' || static_cast<unsigned char>(c) > '~'; };
    if (std::ranges::any_of(plain_text(token), odd)) {
        wrong.push_back({pointer("token"),
                         "must be visible ASCII characters without spaces: give the token alone, "
                         "without \"Bearer\""});
    }
}

void check_token_url(const std::string& text, Wrong& wrong) {
    const auto url = parse_url(text);
    if (!url) {
        for (const FieldError& field : url.error().fields) {
            wrong.push_back({pointer("token_url"), field.detail});
        }
    } else if (!url->userinfo.empty()) {
        wrong.push_back({pointer("token_url"),
                         "must not hold a user or password: give client_id and client_secret"});
    }
}

/// A change of the type alone leaves the members of the old type behind, as they are stored: they
/// go, instead of being wrong.
void forget_unused(Authentication& read, JsonView stored) {
    if (stored.string("type") == to_text(read.type)) return;
    for (const Member& member : members) {
        std::string& value = read.*member.value;
        if (member.type != read.type && stored.string(member.name) == value) value.clear();
    }
}

}  // namespace

std::string_view to_text(Type type) {
    switch (type) {
        case Type::none: return "none";
        case Type::basic: return "basic";
        case Type::bearer: return "bearer";
        case Type::oauth2: return "oauth2";
    }
    return "";
}

std::optional<Type> parse_authentication_type(std::string_view text) {
    for (const Type type : types) {
        if (to_text(type) == text) return type;
    }
    return std::nullopt;
}

Authentication read_authentication(JsonView value, JsonView stored, Wrong& wrong) {
    OptionReader reader(value, "/authentication", stored, wrong);
    Authentication read;
    read.type = reader.choice<Type>("type", Type::none, parse_authentication_type,
                                    "none, basic, bearer or oauth2");
    read.username = reader.text("username");
    read.password = reader.secret("password");
    read.token = reader.secret("token");
    read.token_url = reader.text("token_url");
    const std::string known = stored.string("token_url").value_or("");
    if (read.token_url == redact_url(known)) read.token_url = known;
    read.client_id = reader.text("client_id");
    read.client_secret = reader.secret("client_secret");
    read.scope = reader.text("scope");
    read.audience = reader.text("audience");
    read.client_auth = reader.choice<ClientAuth>("client_auth", ClientAuth::basic,
                                                 parse_client_auth, "basic or post");
    reader.finish();
    forget_unused(read, stored);
    return read;
}

void append_authentication(std::string& out, const Authentication& authentication,
                           SecretForm form) {
    OptionWriter writer(out, form);
    writer.text("type", to_text(authentication.type));
    const auto writes = [&](Type type) { return authentication.type == type; };
    if (writes(Type::basic)) {
        writer.text("username", authentication.username);
        writer.secret("password", authentication.password);
    }
    if (writes(Type::bearer)) writer.secret("token", authentication.token);
    if (writes(Type::oauth2)) {
        const std::string& url = authentication.token_url;
        writer.text("token_url", form == SecretForm::plain ? url : redact_url(url));
        writer.text("client_id", authentication.client_id);
        writer.secret("client_secret", authentication.client_secret);
        writer.text_or_null("scope", authentication.scope);
        writer.text_or_null("audience", authentication.audience);
        writer.text("client_auth", client_auth_text(authentication.client_auth));
    }
    writer.finish();
}

void check(const Authentication& authentication, Wrong& wrong) {
    const std::string type(to_text(authentication.type));
    for (const Member& member : members) {
        const std::string& value = authentication.*member.value;
        if (member.type != authentication.type) {
            if (value.empty()) continue;
            wrong.push_back({pointer(member.name), "is not used by type " + type +
                                                       ": remove it, or set type to " +
                                                       std::string(to_text(member.type))});
        } else if (value.empty()) {
            if (!member.needed) continue;
            wrong.push_back({pointer(member.name), "is required for type " + type});
        } else if (auto complaint = text_complaint(value); !complaint.empty()) {
            wrong.push_back({pointer(member.name), std::move(complaint)});
        }
    }
    if (authentication.username.contains(':') && !parse_reference(authentication.username)) {
        wrong.push_back({pointer("username"), "must not contain a colon (RFC 7617)"});
    }
    if (!parse_reference(authentication.token)) check_token(authentication.token, wrong);
    if (!authentication.token_url.empty()) check_token_url(authentication.token_url, wrong);
}

std::string basic_credentials(std::string_view username, std::string_view password) {
    return "Basic " + to_base64(as_bytes(std::string(username) + ":" + std::string(password)));
}

}  // namespace herald
