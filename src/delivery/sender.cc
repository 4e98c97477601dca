#include "delivery/sender.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "core/redact.h"
#include "core/url.h"

namespace herald {

namespace {

/// After all profiles were refused, retries use the first one only. An hour later they are tried
/// again: the refusal may have come from something in between.
constexpr auto probe_again_after = std::chrono::hours{1};

bool refuses_signature(int status) { return status == 400 || status == 401 || status == 403; }

Outcome config_failure(std::string message) { return {FailureClass::config, std::move(message)}; }

bool same_name(std::string_view a, std::string_view b) {
    auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return std::ranges::equal(a, b, {}, lower, lower);
}

void set_header(HeaderList& headers, const std::string& name, std::string value) {
    for (auto& [key, old] : headers) {
        if (!same_name(key, name)) continue;
        old = std::move(value);
        return;
    }
    headers.emplace_back(name, std::move(value));
}

}  // namespace

struct Sender::Prepared {
    std::uint64_t version = 0;
    std::string key;
    Url url;
    std::string shown_url;
    std::vector<std::string> url_secrets;
    std::vector<Signer> signers;  ///< one for each profile of this key that may be used
    std::vector<SignatureProfile> profiles;  ///< to try, in order; empty: unsigned
    std::chrono::steady_clock::time_point probe_after{};

    Signer& signer(SignatureProfile profile) {
        auto found = std::ranges::find(signers, profile, &Signer::profile);
        return *found;
    }
};

/// The state of one attempt while it runs.
struct Sender::Exchange {
    DeliveryId id;
    Cause cause = Cause::event;
    std::string body;  ///< canonical
    Catalog::Entry webhook;
    std::shared_ptr<Prepared> prepared;
    HeaderList headers;                    ///< without the signature
    std::vector<std::string> env_headers;  ///< names whose value came from the environment
    Attempt attempt;
};

Sender::Sender(HttpClient& client, Transform& transform, Catalog& catalog, const Clock& clock,
               Environment environment)
    : client_(client),
      transform_(transform),
      catalog_(catalog),
      clock_(clock),
      environment_(std::move(environment)) {}

Result<std::shared_ptr<Sender::Prepared>> Sender::prepare(const Catalog::Entry& webhook) {
    auto& kept = prepared_[std::to_underlying(webhook->id)];
    if (kept && kept->version == webhook->version) return kept;
    auto url = parse_url(webhook->url);
    if (!url) return fail(url.error());
    auto fresh = std::make_shared<Prepared>();
    fresh->version = webhook->version;
    fresh->url = std::move(*url);
    fresh->shown_url = redact_url(webhook->url);
    fresh->url_secrets = secrets_of_url(webhook->url);
    if (!webhook->shared_key.empty()) {
        fresh->profiles = webhook->signature_profile == SignatureProfile::automatic
                              ? candidates(webhook->shared_key)
                              : std::vector{webhook->signature_profile};
        for (const SignatureProfile profile : fresh->profiles) {
            auto signer = Signer::create(profile, webhook->shared_key);
            if (!signer) return fail(signer.error());
            fresh->signers.push_back(std::move(*signer));
        }
    }
    kept = std::move(fresh);
    return kept;
}

boost::asio::awaitable<Attempt> Sender::attempt(DeliveryId id, Cause cause, std::uint32_t number,
                                                std::shared_ptr<const Event> event,
                                                Catalog::Entry webhook) {
    Exchange exchange;
    exchange.id = id;
    exchange.cause = cause;
    exchange.webhook = webhook;
    Attempt& attempt = exchange.attempt;
    attempt.number = number;
    attempt.started_at = clock_.now();
    const auto began = clock_.steady();

    auto prepared = prepare(webhook);
    if (!prepared) {
        attempt.url = redact_url(webhook->url);
        attempt.outcome = config_failure(prepared.error().message);
        co_return std::move(attempt);
    }
    exchange.prepared = *prepared;
    attempt.url = exchange.prepared->shown_url;
    if (auto headers = resolve_headers(exchange); !headers) {
        attempt.outcome = config_failure(headers.error().message);
        co_return std::move(attempt);
    }
    auto body = co_await transform_.apply(*event, *webhook);
    if (!body) {
        attempt.outcome = config_failure(body.error().message);
        co_return std::move(attempt);
    }
    exchange.body = std::move(body->text);
    co_await negotiate(exchange);
    attempt.took = std::chrono::duration_cast<Duration>(clock_.steady() - began);
    co_return std::move(attempt);
}

Result<> Sender::resolve_headers(Exchange& exchange) const {
    HeaderList& headers = exchange.headers;
    headers = {{"Accept", "application/json"}, {"Content-Type", "application/json"}};
    // Not signed: they tell a repeat from a replay, and nothing may depend on them.
    headers.emplace_back("webhook-cause", to_text(exchange.cause));
    headers.emplace_back("webhook-attempt", std::to_string(exchange.attempt.number));
    // A user and password in the URL are for the receiver (RFC 7617); a header of that name is not
    // overridden by them.
    if (const std::string& user = exchange.prepared->url.userinfo; !user.empty()) {
        headers.emplace_back("Authorization", "Basic " + to_base64(as_bytes(user)));
    }
    for (const WebhookHeader& header : exchange.webhook->headers) {
        std::string value = header.value;
        if (header.from_environment) {
            auto found = environment_(header.value);
            if (!found) {
                return fail(Errc::invalid, "Webhook '" + exchange.webhook->name +
                                               "': could not resolve header '" + header.key +
                                               "': Environment variable '" + header.value +
                                               "' not found");
            }
            value = std::move(*found);
            exchange.env_headers.push_back(header.key);
        }
        // Checked when it was stored; what the environment says is only known now.
        if (auto valid = validate_header(header.key, value); !valid) {
            return fail(Errc::invalid, "Webhook '" + exchange.webhook->name + "': header '" +
                                           header.key + "' cannot be sent: its value holds " +
                                           "characters that HTTP does not allow");
        }
        set_header(headers, header.key, std::move(value));
    }
    return {};
}

/// With `auto`, until a profile was accepted once, an answer 400, 401 or 403 is answered at once
/// with the next profile that fits the key.
boost::asio::awaitable<void> Sender::negotiate(Exchange& exchange) {
    Prepared& prepared = *exchange.prepared;
    if (prepared.profiles.empty()) {
        co_await post(exchange, std::nullopt);
        co_return;
    }
    const bool automatic = prepared.profiles.size() > 1;
    for (std::size_t i = 0; i < prepared.profiles.size(); ++i) {
        const auto accepted = accepted_profile(*exchange.webhook);
        const bool settled = !automatic || accepted || clock_.steady() < prepared.probe_after;
        const SignatureProfile profile = accepted.value_or(prepared.profiles[i]);
        co_await post(exchange, profile);
        const Attempt& attempt = exchange.attempt;
        if (attempt.outcome.ok() && automatic && !accepted) {
            co_await catalog_.accept_profile(exchange.webhook, profile);
        }
        if (settled || !refuses_signature(attempt.status)) co_return;
        if (i + 1 == prepared.profiles.size()) break;
        exchange.attempt.refused_profiles.push_back(
            {std::string(to_text(profile)), attempt.status});
    }
    prepared.probe_after = clock_.steady() + probe_again_after;
}

std::optional<SignatureProfile> Sender::accepted_profile(const Webhook& webhook) const {
    const auto current = catalog_.find(webhook.id);
    if (!current || current->version != webhook.version) return std::nullopt;
    return current->accepted_profile;
}

boost::asio::awaitable<void> Sender::post(Exchange& exchange,
                                          std::optional<SignatureProfile> profile) {
    HttpRequest request;
    request.url = exchange.prepared->url;
    request.verify_certificates = exchange.webhook->validate_certificates;
    request.timeout = exchange.webhook->timeout;
    request.headers = exchange.headers;
    if (profile) {
        auto form = signed_form(*profile, exchange.body);
        sign(exchange, *profile, form, request.headers);
        request.body = std::move(form.body);
    } else {
        request.body = exchange.body;
    }
    HttpAnswer answer = co_await client_.post(request);
    record(exchange, profile, request.headers, std::move(answer));
}

void Sender::sign(const Exchange& exchange, SignatureProfile profile, const SignedForm& form,
                  HeaderList& headers) const {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(clock_.now());
    const std::int64_t timestamp = seconds.time_since_epoch().count();
    const std::string id = exchange.id.text();
    const std::string& payload = form.signed_text.empty() ? form.body : form.signed_text;
    std::string signature = exchange.prepared->signer(profile).sign(id, timestamp, payload);
    headers.emplace_back("webhook-id", id);
    headers.emplace_back("webhook-timestamp", std::to_string(timestamp));
    headers.emplace_back("webhook-signature", std::move(signature));
}

void Sender::record(Exchange& exchange, std::optional<SignatureProfile> profile,
                    const HeaderList& sent, HttpAnswer answer) {
    Attempt& attempt = exchange.attempt;
    attempt.signature_profile = profile ? std::string(to_text(*profile)) : std::string();
    attempt.request_headers.clear();
    std::vector<std::string> secrets = exchange.prepared->url_secrets;
    for (const auto& [name, value] : sent) {
        const bool from_environment =
            std::ranges::any_of(exchange.env_headers,
                                [&](const std::string& hidden) { return same_name(hidden, name); });
        const bool secret = from_environment || is_secret_header(name);
        if (secret) secrets.push_back(value);
        attempt.request_headers.emplace_back(name, secret ? std::string(redacted) : value);
    }
    attempt.status = answer.status;
    attempt.response_headers.clear();
    for (auto& [name, value] : answer.headers) {
        if (is_secret_header(name)) value = redacted;
        mask_secrets(value, secrets);
        attempt.response_headers.emplace_back(std::move(name), std::move(value));
    }
    mask_secrets(answer.body, secrets);
    attempt.response_body = std::move(answer.body);
    attempt.response_cut = answer.body_cut;
    attempt.outcome = std::move(answer.outcome);
}

}  // namespace herald
