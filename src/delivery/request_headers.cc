#include "delivery/request_headers.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "core/reference.h"
#include "delivery/request_body.h"

namespace herald {

namespace {

bool same_name(std::string_view a, std::string_view b) {
    auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return std::ranges::equal(a, b, {}, lower, lower);
}

bool is_from_outside(const WebhookHeader& header) {
    return header.from_environment || parse_reference(header.value);
}

std::unexpected<Error> cannot_make(const Webhook& webhook, const WebhookHeader& header,
                                   const std::string& why) {
    return fail(Errc::invalid, "Webhook '" + webhook.name + "': could not resolve header '" +
                                   header.key + "': " + why);
}

/// Basic and bearer; for oauth2 the token is not known yet.
Result<> add_authentication(const Webhook& webhook, const Secrets& secrets,
                            RequestHeaders& headers) {
    const Authentication& with = webhook.authentication;
    const auto wrong = [&](const std::string& why) {
        return fail(Errc::invalid,
                    "Webhook '" + webhook.name + "': could not resolve authentication: " + why);
    };
    if (with.type == Authentication::Type::basic) {
        const auto username = secrets.read(with.username);
        const auto password = secrets.read(with.password);
        if (!username) return wrong(username.error().message);
        if (!password) return wrong(password.error().message);
        headers.set("Authorization", basic_credentials(*username, *password));
        headers.secrets.push_back(*password);
    } else if (with.type == Authentication::Type::bearer) {
        const auto token = secrets.read(with.token);
        if (!token) return wrong(token.error().message);
        if (!validate_header("Authorization", *token)) {
            return wrong("the token holds other characters than visible ASCII");
        }
        headers.set_bearer(*token);
    }
    return {};
}

}  // namespace

void RequestHeaders::set_bearer(const std::string& token) {
    set("Authorization", "Bearer " + token);
    secrets.push_back(token);
}

void RequestHeaders::set(std::string_view name, std::string value) {
    for (auto& [key, old] : list) {
        if (!same_name(key, name)) continue;
        old = std::move(value);
        return;
    }
    list.emplace_back(name, std::move(value));
}

bool RequestHeaders::hides(std::string_view name) const {
    return std::ranges::any_of(hidden,
                               [&](const std::string& one) { return same_name(one, name); });
}

Result<RequestHeaders> make_headers(const Webhook& webhook, const Url& url,
                                    const Secrets& secrets) {
    RequestHeaders headers;
    headers.list = {{"Accept", "application/json"},
                    {"Content-Type", content_type(webhook, nullptr)}};
    // A user and password in the URL are for the receiver (RFC 7617); a header of that name is not
    // overridden by them.
    if (!url.userinfo.empty()) {
        headers.set("Authorization", "Basic " + to_base64(as_bytes(url.userinfo)));
    }
    if (auto added = add_authentication(webhook, secrets, headers); !added) {
        return fail(added.error());
    }
    for (const WebhookHeader& header : webhook.headers) {
        auto value =
            header.from_environment ? secrets.variable(header.value) : secrets.read(header.value);
        if (!value) return cannot_make(webhook, header, value.error().message);
        if (is_from_outside(header)) headers.hidden.push_back(header.key);
        // Checked when it was stored; what comes from outside is only known now.
        if (auto valid = validate_header(header.key, *value); !valid) {
            return fail(Errc::invalid, "Webhook '" + webhook.name + "': header '" + header.key +
                                           "' cannot be sent: its value holds " +
                                           "other characters than visible ASCII, spaces and tabs");
        }
        headers.set(header.key, std::move(*value));
    }
    return headers;
}

bool headers_change(const Webhook& webhook) {
    const Authentication& with = webhook.authentication;
    return std::ranges::any_of(webhook.headers, is_from_outside) ||
           parse_reference(with.username) || parse_reference(with.password) ||
           parse_reference(with.token);
}

}  // namespace herald
