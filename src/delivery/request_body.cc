#include "delivery/request_body.h"

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "core/ascii.h"

namespace herald {

namespace {

constexpr std::string_view type_field = "Content-Type";

bool has_own_type(const Webhook& webhook) {
    return std::ranges::any_of(webhook.headers, [](const WebhookHeader& header) {
        return ascii::same_name(header.key, type_field);
    });
}

}  // namespace

std::string content_type(const Webhook& webhook, const MadeRequest* made) {
    if (!webhook.request.content_type.empty()) return webhook.request.content_type;
    if (made != nullptr && !made->content_type.empty()) return made->content_type;
    return "application/json";
}

Result<std::string> encode_body(std::string body, const Webhook& webhook,
                                const std::string& content_type) {
    if (webhook.request.encoding == Encoding::utf8 && is_json_type(content_type)) {
        body = to_utf8_json(body);
    }
    const std::size_t most = webhook.request.max_bytes;
    if (most == 0 || body.size() <= most) return body;
    return fail(Errc::invalid, "Webhook '" + webhook.name + "': the body has " +
                                   std::to_string(body.size()) +
                                   " bytes, and the receiver takes at most " +
                                   std::to_string(most) + " (request.max_bytes)");
}

Result<> add_headers(const MadeRequest& made, const Webhook& webhook, RequestHeaders& headers) {
    if (!has_own_type(webhook)) headers.set(type_field, content_type(webhook, &made));
    for (const auto& [name, value] : made.headers) {
        if (auto valid = validate_header(name, value); !valid) {
            return fail(Errc::invalid,
                        "Webhook '" + webhook.name + "': the header '" + name +
                            "' that its transformation made cannot be sent: its "
                            "value holds other characters than visible ASCII, spaces and tabs");
        }
        headers.set(name, value);
    }
    return {};
}

}  // namespace herald
