#include "core/webhook.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <set>

#include "core/ascii.h"
#include "core/limits.h"
#include "core/network_policy.h"
#include "core/reference.h"
#include "core/url.h"

namespace herald {

namespace {

using Wrong = std::vector<FieldError>;

/// Fields that herald writes itself, or that belong to the connection and not to the message.
constexpr std::array<std::string_view, 10> owned_headers{
    "host",    "content-length", "transfer-encoding", "connection", "keep-alive", "upgrade", "te",
    "trailer", "expect",         node_field,
};

bool is_token(std::string_view name) {
    return !name.empty() && std::ranges::all_of(name, [](char c) {
        return ascii::is_letter(c) || ascii::is_digit(c) ||
               std::string_view("!#$%&'*+-.^_`|~").contains(c);
    });
}

std::string at_most(std::size_t bytes) {
    return "must be at most " + std::to_string(bytes) + " bytes";
}

/// Text in one line, of a bounded length.
void check_line(const std::string& pointer, std::string_view text, std::size_t bytes,
                Wrong& wrong) {
    if (text.size() > bytes) wrong.push_back({pointer, at_most(bytes)});
    if (std::ranges::any_of(text, ascii::is_control)) {
        wrong.push_back({pointer, "must not contain control characters such as line ends"});
    }
}

Result<> result_of(Wrong wrong) {
    if (wrong.empty()) return {};
    return fail_fields("", std::move(wrong));
}

void add(const auto& checked, Wrong& wrong) {
    if (!checked) std::ranges::copy(checked.error().fields, std::back_inserter(wrong));
}

void check_texts(const Webhook& webhook, Wrong& wrong) {
    if (webhook.name.empty()) {
        wrong.push_back({"/name", "is required: give the webhook a name"});
    } else if (webhook.name.front() == ' ' || webhook.name.back() == ' ') {
        wrong.push_back({"/name", "must not begin or end with a space"});
    }
    check_line("/name", webhook.name, limits::webhook_name_bytes, wrong);
    if (webhook.description.size() > limits::description_bytes) {
        wrong.push_back({"/description", at_most(limits::description_bytes)});
    }
}

void check_event_types(const Filter& filter, Wrong& wrong) {
    if (filter.event_types.empty()) {
        wrong.push_back({"/event_type", "must name at least one event type, a glob, or \"all\""});
    }
    if (filter.event_types.size() > limits::event_types) {
        wrong.push_back({"/event_type", "may hold at most " + std::to_string(limits::event_types) +
                                            " entries: use a glob such as *.created"});
        return;
    }
    for (std::size_t i = 0; i < filter.event_types.size(); ++i) {
        const std::string& entry = filter.event_types[i];
        const std::string pointer = "/event_type/" + std::to_string(i);
        if (entry.empty()) wrong.push_back({pointer, "must not be empty: remove it"});
        if (entry.size() > limits::event_type_bytes) {
            wrong.push_back({pointer, at_most(limits::event_type_bytes)});
        }
        const auto odd = [](char c) {
            return c == ' ' || ascii::is_control(c) || static_cast<unsigned char>(c) > 0x7e;
        };
        if (std::ranges::any_of(entry, odd)) {
            wrong.push_back({pointer,
                             "must be printable ASCII without spaces; give one event "
                             "type for each entry"});
        }
    }
}

void check_node_kind(const Filter& filter, const EventTypes& types, Wrong& wrong) {
    check_line("/node_kind", filter.node_kind, limits::label_bytes, wrong);
    if (filter.node_kind.empty() || filter.event_types.empty()) return;
    const bool useful = std::ranges::any_of(filter.event_types, [&](const std::string& entry) {
        return takes_node_kind(entry, filter.node_kind, types);
    });
    if (useful) return;
    std::string names;
    for (const std::string& entry : filter.event_types) {
        names += (names.empty() ? "" : ", ") + entry;
    }
    wrong.push_back({"/node_kind", "Defining a node_kind is not valid for " + names +
                                       " events: remove it, or choose event types of nodes"});
}

/// What is wrong with a field name, in one sentence; empty: nothing.
std::string name_complaint(std::string_view name) {
    if (name.empty()) return "is required: give the name of the header field";
    if (name.size() > limits::header_bytes) return at_most(limits::header_bytes);
    if (!is_token(name)) {
        return "must be a header field name: letters, digits and -._~!#$%&'*+^`| only, no spaces "
               "and no colon";
    }
    const std::string plain = ascii::lower(name);
    const bool owned = std::ranges::find(owned_headers, plain) != owned_headers.end();
    if (owned || plain.starts_with("proxy-") || plain.starts_with("webhook-")) {
        return "must not be " + std::string(name) +
               ": this header is set by the connection, the signature or herald; remove it";
    }
    return {};
}

std::string line_complaint(std::string_view value) {
    if (value.size() > limits::header_bytes) return at_most(limits::header_bytes);
    if (std::ranges::any_of(value, [](char c) { return c != '\t' && ascii::is_control(c); })) {
        return "must not contain control characters such as line ends: send one line";
    }
    return {};
}

/// Receivers read other bytes in different ways, or refuse them (RFC 9110, 5.5).
std::string value_complaint(std::string_view value) {
    if (auto complaint = line_complaint(value); !complaint.empty()) return complaint;
    if (std::ranges::any_of(value, [](char c) { return static_cast<unsigned char>(c) > '~'; })) {
        return "must be visible ASCII characters, spaces and tabs: write others in a form that the "
               "receiver reads, such as percent-encoding";
    }
    return {};
}

/// How `hmac` writes; for any other profile there is nothing to say.
void check_signature_options(const Webhook& webhook, Wrong& wrong) {
    const SignatureOptions& options = webhook.signature;
    if (webhook.signature_profile != SignatureProfile::hmac) {
        if (options == SignatureOptions{}) return;
        wrong.push_back(
            {"/signature", "is for the signature_profile hmac only: set it to null, or use hmac"});
        return;
    }
    if (auto complaint = name_complaint(options.header); !complaint.empty()) {
        wrong.push_back({"/signature/header", std::move(complaint)});
    }
    const auto odd = [](char c) { return c < ' ' || c > '~'; };
    if (options.prefix.size() > limits::signature_prefix_bytes || options.prefix.starts_with(' ') ||
        std::ranges::any_of(options.prefix, odd)) {
        wrong.push_back(
            {"/signature/prefix", "must be printable ASCII, without a space in front, of at most " +
                                      std::to_string(limits::signature_prefix_bytes) + " bytes"});
    }
}

void check_signature(const Webhook& webhook, Wrong& wrong) {
    check_signature_options(webhook, wrong);
    const std::string& key = webhook.shared_key;
    if (key.empty()) {
        if (webhook.kind == WebhookKind::standard) {
            wrong.push_back({"/shared_key",
                             "is required for a standard webhook: give a key, or "
                             "use a custom webhook to send without a signature"});
        } else if (webhook.signature_profile != SignatureProfile::automatic) {
            wrong.push_back({"/signature_profile", "needs a shared_key: give one, or use auto"});
        }
        return;
    }
    check_line("/shared_key", key, limits::shared_key_bytes, wrong);
    if (auto complaint = reference_complaint(key); !complaint.empty()) {
        wrong.push_back({"/shared_key", std::move(complaint)});
    }
    // What a reference stands for is known when it is sent only.
    if (!parse_reference(key) && !fits(webhook.signature_profile, plain_text(key))) {
        wrong.push_back(
            {"/signature_profile",
             "does not fit the shared_key: " + std::string(to_text(webhook.signature_profile)) +
                 " needs " + std::string(wanted_key(webhook.signature_profile)) +
                 "; change the key, or use auto"});
    }
    const std::string& old_key = webhook.key_rotation.previous_key;
    check_line("/key_rotation/previous_key", old_key, limits::shared_key_bytes, wrong);
    if (auto complaint = reference_complaint(old_key); !complaint.empty()) {
        wrong.push_back({"/key_rotation/previous_key", std::move(complaint)});
    }
    add(validate(webhook.key_rotation, webhook.signature_profile), wrong);
}

void check_header(const WebhookHeader& header, const std::string& pointer, Wrong& wrong) {
    if (auto complaint = name_complaint(header.key); !complaint.empty()) {
        wrong.push_back({pointer + "/key", std::move(complaint)});
    }
    // What a variable or reference stands for is checked when it is sent.
    const bool is_outside = header.from_environment || parse_reference(header.value);
    auto complaint = is_outside ? line_complaint(header.value) : value_complaint(header.value);
    if (!complaint.empty()) {
        wrong.push_back({pointer + "/value", std::move(complaint)});
    } else if (header.from_environment && !is_variable_name(header.value)) {
        wrong.push_back({pointer + "/value",
                         "must be the name of an environment variable: "
                         "letters, digits and '_', not beginning with a digit"});
    } else if (header.from_environment && is_own_variable(header.value)) {
        wrong.push_back({pointer + "/value",
                         "must not name a variable of herald itself: use one that does not begin "
                         "with HERALD_"});
    } else if (auto wrong_reference = reference_complaint(header.value);
               !header.from_environment && !wrong_reference.empty()) {
        wrong.push_back({pointer + "/value", std::move(wrong_reference)});
    }
}

void check_headers(const Webhook& webhook, Wrong& wrong) {
    const std::vector<WebhookHeader>& headers = webhook.headers;
    const std::string_view signature =
        signature_header(webhook.signature_profile, webhook.signature);
    if (headers.size() > limits::headers) {
        wrong.push_back(
            {"/headers", "may hold at most " + std::to_string(limits::headers) + " headers"});
        return;
    }
    std::set<std::string> seen;
    for (std::size_t i = 0; i < headers.size(); ++i) {
        const std::string pointer = "/headers/" + std::to_string(i);
        check_header(headers[i], pointer, wrong);
        if (!profile_row(webhook.signature_profile).is_list() &&
            ascii::same_name(headers[i].key, signature)) {
            wrong.push_back({pointer + "/key", "must not be " + headers[i].key +
                                                   ": the signature stands there; remove it"});
        }
        if (!headers[i].key.empty() && !seen.insert(ascii::lower(headers[i].key)).second) {
            wrong.push_back({pointer + "/key",
                             "is given twice (upper and lower case are the "
                             "same): remove one of the two"});
        }
    }
}

/// One way of saying who herald is at a time: two would contradict each other.
void check_authentication(const Webhook& webhook, Wrong& wrong) {
    check(webhook.authentication, wrong);
    if (webhook.authentication.type == Authentication::Type::none) return;
    for (const WebhookHeader& header : webhook.headers) {
        if (ascii::lower(header.key) != "authorization") continue;
        wrong.push_back(
            {"/authentication", "stands beside a header Authorization: remove one of the two"});
    }
    if (const auto url = parse_url(webhook.url); url && !url->userinfo.empty()) {
        wrong.push_back({"/authentication",
                         "stands beside a user and password in the URL: remove one of the two"});
    }
}

}  // namespace

std::string_view to_text(WebhookKind kind) {
    switch (kind) {
        case WebhookKind::standard: return "standard";
        case WebhookKind::custom: return "custom";
    }
    return "";
}

std::optional<WebhookKind> parse_webhook_kind(std::string_view text) {
    for (const WebhookKind kind : {WebhookKind::standard, WebhookKind::custom}) {
        if (to_text(kind) == text) return kind;
    }
    return std::nullopt;
}

Result<> validate(const Webhook& webhook, const EventTypes& types) {
    Wrong wrong;
    check_texts(webhook, wrong);
    add(parse_url(webhook.url), wrong);
    check_event_types(webhook.filter, wrong);
    check_node_kind(webhook.filter, types, wrong);
    check_signature(webhook, wrong);
    check_headers(webhook, wrong);
    check_authentication(webhook, wrong);
    if (webhook.timeout < limits::timeout_min || webhook.timeout > limits::timeout_max) {
        wrong.push_back({"/timeout", "must be from " + std::to_string(limits::timeout_min.count()) +
                                         " to " + std::to_string(limits::timeout_max.count()) +
                                         " seconds"});
    }
    add(validate(webhook.retry), wrong);
    if (!webhook.transformation.empty() && webhook.kind != WebhookKind::custom) {
        wrong.push_back(
            {"/transformation", "is for custom webhooks: set kind to custom, or leave it out"});
    }
    check(webhook.tls, wrong);
    check(webhook.proxy, wrong);
    return result_of(std::move(wrong));
}

Result<> validate_header(std::string_view name, std::string_view value) {
    Wrong wrong;
    if (auto complaint = name_complaint(name); !complaint.empty()) {
        wrong.push_back({"/key", std::move(complaint)});
    }
    if (auto complaint = value_complaint(value); !complaint.empty()) {
        wrong.push_back({"/value", std::move(complaint)});
    }
    return result_of(std::move(wrong));
}

}  // namespace herald
