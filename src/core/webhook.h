#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "core/authentication.h"
#include "core/breaker.h"
#include "core/conditions.h"
#include "core/filter.h"
#include "core/gathering.h"
#include "core/key_rotation.h"
#include "core/pacing.h"
#include "core/proxy.h"
#include "core/request_options.h"
#include "core/retry.h"
#include "core/signature_profile.h"
#include "core/success_rule.h"
#include "core/tls_options.h"

namespace herald {

enum class WebhookKind : std::uint8_t {
    standard,  ///< sends the event's body; needs a shared key
    custom,    ///< may have a transformation; the key is optional (contract 1.3)
};
[[nodiscard]] std::string_view to_text(WebhookKind kind);
[[nodiscard]] std::optional<WebhookKind> parse_webhook_kind(std::string_view text);

/// A header that a webhook adds to every request.
struct WebhookHeader {
    std::string key;    ///< the field name
    std::string value;  ///< or a reference; with from_environment the name of a variable
    bool from_environment = false;  ///< resolved at every attempt, never stored or shown

    bool operator==(const WebhookHeader&) const = default;
};

/// What a user configures. Attribute names are the original's (contract 1.1 to 1.3).
struct Webhook {
    WebhookId id{};  ///< given by the store
    Uuid uuid;       ///< the id that people see
    std::string name;
    WebhookKind kind = WebhookKind::standard;
    Filter filter;
    Conditions conditions;
    bool active = true;
    std::string description;
    std::string url;
    bool validate_certificates = true;
    /// Secret: never leaves in an answer, a log line or a capture. Or a reference to the key.
    std::string shared_key;
    std::vector<WebhookHeader> headers;
    /// The name of what makes the body; empty: the event's body is sent. Of custom webhooks only.
    std::string transformation;
    RequestOptions request;
    SuccessRule success;
    std::chrono::milliseconds timeout{15'000};  ///< for the whole attempt
    RetryPolicy retry = default_retry();
    /// The classes of failure that are tried again; any other ends the delivery.
    std::vector<FailureClass> retry_on = all_failures();
    Pacing pacing;
    BreakerPolicy breaker;
    Gathering gathering;
    SignatureProfile signature_profile = SignatureProfile::automatic;
    SignatureOptions signature;  ///< of the profile `hmac`
    KeyRotation key_rotation;
    TlsOptions tls;
    ProxyOptions proxy;
    /// With `auto`: the profile that the receiver has accepted. Forgotten when key or URL change.
    std::optional<SignatureProfile> accepted_profile;
    Authentication authentication;  ///< to the receiver; "authentication" of its options

    Time created_at;
    Time updated_at;
    std::uint64_t version = 1;  ///< grows with each change a person makes; the ETag
    bool removed = false;  ///< kept so that its deliveries can name it

    bool operator==(const Webhook&) const = default;
};

/// All that is wrong with a webhook, as one Error whose fields name each attribute and the fix
/// (contract 1.5), or nothing.
[[nodiscard]] Result<> validate(const Webhook& webhook, const EventTypes& types);

/// A header name and value that may be sent: a token, not one that herald or HTTP owns (Host,
/// Content-Length, Transfer-Encoding, Connection, webhook-* ...), a value of visible ASCII, spaces
/// and tabs.
[[nodiscard]] Result<> validate_header(std::string_view name, std::string_view value);

}  // namespace herald
