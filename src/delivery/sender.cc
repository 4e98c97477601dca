#include "delivery/sender.h"

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/json.h"
#include "core/key_rotation.h"
#include "core/limits.h"
#include "core/redact.h"
#include "core/reference.h"
#include "core/url.h"
#include "delivery/request_body.h"
#include "delivery/request_headers.h"
#include "delivery/signing.h"

namespace herald {

namespace {

/// After all profiles were refused, retries use the first one only. An hour later they are tried
/// again: the refusal may have come from something in between.
constexpr auto probe_again_after = std::chrono::hours{1};

/// The webhook-id of a request that is only shown.
constexpr std::string_view previewed_id = "msg_preview";

std::string unix_seconds(Time time) {
    return std::to_string(
        std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count());
}

bool refuses_signature(int status) { return status == 400 || status == 401 || status == 403; }
bool refuses_key(int status) { return status == 401 || status == 403; }

Outcome config_failure(std::string message) { return {FailureClass::config, std::move(message)}; }

/// Profiles that write the body anew read it as JSON. What is none, or not as we write it, has no
/// such form: the attempt fails, and the process does not.
bool can_rewrite(SignatureProfile profile, const std::string& body) {
    if (profile != SignatureProfile::spaced && profile != SignatureProfile::repr) return true;
    const auto canonical = canonical_json(body, {.depth = 2 * limits::json_depth});
    return canonical && *canonical == body;
}

}  // namespace

/// What the secrets of a webhook stand for now.
struct Sender::Resolved {
    std::string key;
    std::string old_key;  ///< while it is rotated
    std::string tls_key;
    std::string proxy_password;

    bool operator==(const Resolved&) const = default;
};

struct Sender::Prepared {
    std::uint64_t version = 0;
    Resolved secrets;
    bool may_change = false;  ///< one of them lies outside
    Url url;
    std::string shown_url;
    std::vector<std::string> url_secrets;  ///< of the proxy too
    std::optional<RequestHeaders> headers;  ///< when they are the same for every attempt
    std::shared_ptr<const WayOptions> way_options;  ///< null: as all others
    Signing signing;
    std::chrono::steady_clock::time_point probe_after{};
};

/// The state of one attempt while it runs.
struct Sender::Exchange {
    DeliveryId id;
    Cause cause = Cause::event;
    std::shared_ptr<const Event> event;
    std::string body;  ///< as it is sent; JSON is canonical
    std::shared_ptr<const MadeRequest> made;  ///< with a transformation
    std::optional<Url> url;  ///< that it made
    std::vector<std::string> secrets;  ///< that it was given
    Catalog::Entry webhook;
    std::shared_ptr<Prepared> prepared;
    RequestHeaders headers;
    GrantedToken token;  ///< of oauth2
    Attempt attempt;
};

Sender::Sender(HttpClient& client, Transform& transform, Catalog& catalog, const Clock& clock,
               SecretSources secrets)
    : client_(client),
      transform_(transform),
      catalog_(catalog),
      clock_(clock),
      secrets_(std::move(secrets)),
      tokens_(client, clock) {}

Result<Sender::Resolved> Sender::resolve(const Webhook& webhook) const {
    Resolved resolved;
    for (const auto& [member, text, into] :
         {std::tuple{"shared_key", &webhook.shared_key, &resolved.key},
          std::tuple{"tls.key", &webhook.tls.key, &resolved.tls_key},
          std::tuple{"proxy.password", &webhook.proxy.password, &resolved.proxy_password}}) {
        auto read = secrets_.read(*text);
        // An empty one must not make requests that nobody signed.
        if (read && read->empty() && !text->empty()) {
            read = fail(Errc::invalid, *text + " is empty");
        }
        if (!read) {
            return fail(Errc::invalid, "Webhook '" + webhook.name + "': could not resolve " +
                                           member + ": " + read.error().message);
        }
        *into = std::move(*read);
    }
    // An old key that is not there any more does not sign; the new one does.
    resolved.old_key = secrets_.read(webhook.key_rotation.previous_key).value_or("");
    return resolved;
}

Result<std::shared_ptr<Sender::Prepared>> Sender::prepare(const Catalog::Entry& webhook) {
    auto& kept = prepared_[std::to_underlying(webhook->id)];
    const bool same = kept && kept->version == webhook->version;
    if (same && !kept->may_change) return kept;
    auto secrets = resolve(*webhook);
    if (!secrets) return fail(secrets.error());
    if (same && kept->secrets == *secrets) return kept;
    auto url = parse_url(webhook->url);
    if (!url) return fail(url.error());
    auto fresh = std::make_shared<Prepared>();
    fresh->version = webhook->version;
    fresh->url = std::move(*url);
    fresh->shown_url = redact_url(webhook->url);
    fresh->url_secrets = secrets_of_url(webhook->url);
    WayOptions way_options{webhook->tls, webhook->proxy};
    way_options.tls.key = secrets->tls_key;
    way_options.proxy.password = secrets->proxy_password;
    if (way_options != WayOptions{}) {
        fresh->way_options = std::make_shared<const WayOptions>(way_options);
    }
    // Whoever answers may repeat what a plain proxy was told.
    if (const auto proxy = own_proxy(way_options.proxy); proxy && !proxy->userinfo.empty()) {
        fresh->url_secrets.push_back(to_base64(as_bytes(proxy->userinfo)));
        fresh->url_secrets.push_back(secrets->proxy_password);
    }
    fresh->may_change = parse_reference(webhook->shared_key) ||
                        parse_reference(webhook->key_rotation.previous_key) ||
                        parse_reference(webhook->tls.key) ||
                        parse_reference(webhook->proxy.password);
    auto signing = Signing::create(*webhook, secrets->key, secrets->old_key);
    if (!signing) return fail(signing.error());
    fresh->signing = std::move(*signing);
    if (!headers_change(*webhook)) {
        auto headers = make_headers(*webhook, fresh->url, secrets_);
        if (!headers) return fail(headers.error());
        fresh->headers = std::move(*headers);
    }
    fresh->secrets = std::move(*secrets);
    kept = std::move(fresh);
    return kept;
}

boost::asio::awaitable<Sender::Tried> Sender::attempt(const Held& held, Catalog::Entry webhook) {
    Exchange exchange;
    exchange.id = held.id;
    exchange.cause = held.cause;
    exchange.event = held.event;
    exchange.made = held.made;
    exchange.webhook = std::move(webhook);
    Attempt& attempt = exchange.attempt;
    attempt.number = held.attempts + 1;
    attempt.started_at = clock_.now();
    const auto began = clock_.steady();
    Outcome ready = co_await make_request(exchange);
    if (ready.ok()) {
        co_await negotiate(exchange);
    } else {
        attempt.outcome = std::move(ready);
    }
    attempt.took = std::chrono::duration_cast<Duration>(clock_.steady() - began);
    co_return Tried{std::move(attempt), std::move(exchange.made)};
}

/// Everything but the signature. The outcome says what is in the way.
boost::asio::awaitable<Outcome> Sender::make_request(Exchange& exchange) {
    const Webhook& webhook = *exchange.webhook;
    Attempt& attempt = exchange.attempt;
    auto prepared = prepare(exchange.webhook);
    if (!prepared) {
        attempt.url = redact_url(webhook.url);
        co_return config_failure(prepared.error().message);
    }
    exchange.prepared = *prepared;
    attempt.url = exchange.prepared->shown_url;
    if (auto headers = resolve_headers(exchange); !headers) {
        co_return config_failure(headers.error().message);
    }
    if (webhook.authentication.type == Authentication::Type::oauth2) {
        Outcome granted = co_await add_token(exchange);
        if (!granted.ok()) co_return granted;
    }
    if (webhook.transformation.empty()) {
        exchange.body = exchange.event->body;
    } else {
        Outcome made = co_await transform(exchange);
        if (!made.ok()) co_return made;
    }
    if (webhook.request == RequestOptions{}) co_return Outcome{};
    const std::string type = content_type(webhook, exchange.made.get());
    auto body = encode_body(std::move(exchange.body), webhook, type);
    if (!body) co_return config_failure(body.error().message);
    exchange.body = std::move(*body);
    co_return Outcome{};
}

/// What the webhook's transformation makes of the event, or has made of it before.
boost::asio::awaitable<Outcome> Sender::transform(Exchange& exchange) {
    const Webhook& webhook = *exchange.webhook;
    if (!exchange.made) {
        auto made = co_await transform_.apply(*exchange.event, webhook);
        if (!made) co_return Outcome{made.error().failure, to_text(made.error())};
        exchange.made = std::make_shared<const MadeRequest>(std::move(*made));
    }
    const MadeRequest& made = *exchange.made;
    exchange.secrets = transform_.secrets(webhook);
    exchange.body = made.body;
    if (!made.url.empty()) {
        auto url = parse_url(made.url);
        exchange.attempt.url = redact_url(made.url);
        mask_secrets(exchange.attempt.url, exchange.secrets);
        if (!url) {
            co_return config_failure("the URL that the transformation made " +
                                     url.error().fields.at(0).detail);
        }
        exchange.url = std::move(*url);
    }
    if (auto added = add_headers(made, webhook, exchange.headers); !added) {
        co_return config_failure(added.error().message);
    }
    co_return Outcome{};
}

boost::asio::awaitable<Result<Sender::Preview>> Sender::preview(const Event& event,
                                                                Catalog::Entry webhook) const {
    MadeRequest made{event.body, "", ""};
    if (!webhook->transformation.empty()) {
        auto applied = co_await transform_.apply(event, *webhook);
        if (!applied) co_return fail(Errc::invalid, to_text(applied.error()));
        made = std::move(*applied);
    }
    const std::vector<std::string> secrets = transform_.secrets(*webhook);
    co_return preview(std::move(made), event, *webhook, secrets);
}

Result<Sender::Preview> Sender::preview(MadeRequest made, const Event& event,
                                        const Webhook& webhook,
                                        const std::vector<std::string>& secrets) const {
    const std::string target = made.url.empty() ? webhook.url : made.url;
    const auto url = parse_url(target);
    if (!url) return fail(url.error());
    auto headers = make_headers(webhook, *url, secrets_);
    if (!headers) return fail(headers.error());
    const auto key = secrets_.read(webhook.shared_key);
    if (!key) return fail(key.error());
    headers->list.emplace_back("webhook-cause", to_text(Cause::event));
    headers->list.emplace_back("webhook-attempt", "1");
    const bool token = webhook.authentication.type == Authentication::Type::oauth2;
    if (token) headers->set_bearer(std::string(redacted));
    if (auto added = add_headers(made, webhook, *headers); !added) return fail(added.error());
    auto body = encode_body(std::move(made.body), webhook, content_type(webhook, &made));
    if (!body) return fail(body.error());
    Preview preview{std::string(to_text(webhook.request.method)), redact_url(target),
                    std::move(headers->list), std::move(*body)};
    if (!key->empty()) {
        const bool automatic = webhook.signature_profile == SignatureProfile::automatic;
        const SignatureProfile first =
            automatic ? candidates(*key).front() : webhook.signature_profile;
        const SignatureProfile profile = webhook.accepted_profile.value_or(first);
        auto signer = Signer::create(profile, *key, webhook.signature);
        if (!signer) return fail(signer.error());
        if (can_rewrite(profile, preview.body)) {
            preview.body = signed_form(profile, preview.body).body;
        }
        const std::string timestamp = unix_seconds(clock_.now());
        append_signed_headers(preview.headers, *signer, {previewed_id, timestamp, event.type},
                              std::string(redacted));
    }
    mask_secrets(preview.body, secrets);
    mask_secrets(preview.url, secrets);
    for (auto& [name, value] : preview.headers) {
        if (headers->hides(name) || is_secret_header(name)) value = redacted;
        mask_secrets(value, secrets);
    }
    return preview;
}

Result<> Sender::resolve_headers(Exchange& exchange) const {
    const Prepared& prepared = *exchange.prepared;
    auto headers = prepared.headers ? Result<RequestHeaders>(*prepared.headers)
                                    : make_headers(*exchange.webhook, prepared.url, secrets_);
    if (!headers) return fail(headers.error());
    exchange.headers = std::move(*headers);
    // Not signed: they tell a repeat from a replay, and nothing may depend on them.
    exchange.headers.list.emplace_back("webhook-cause", to_text(exchange.cause));
    exchange.headers.list.emplace_back("webhook-attempt", std::to_string(exchange.attempt.number));
    return {};
}

/// With authentication of type oauth2: gives the request a token.
boost::asio::awaitable<Outcome> Sender::add_token(Exchange& exchange) {
    const Webhook& webhook = *exchange.webhook;
    auto request = token_request(webhook, secrets_, request_to_receiver(exchange));
    if (!request) co_return config_failure(request.error().message);
    exchange.token = co_await tokens_.get(webhook.id, std::move(*request));
    if (exchange.token.outcome.ok()) exchange.headers.set_bearer(exchange.token.token);
    co_return exchange.token.outcome;
}

/// With `auto`, until a profile was accepted once, an answer 400, 401 or 403 is answered at once
/// with the next profile that fits the key.
boost::asio::awaitable<void> Sender::negotiate(Exchange& exchange) {
    Prepared& prepared = *exchange.prepared;
    const auto& profiles = prepared.signing.profiles();
    if (profiles.empty()) {
        co_await post(exchange, std::nullopt);
        co_return;
    }
    const bool automatic = profiles.size() > 1;
    for (std::size_t i = 0; i < profiles.size(); ++i) {
        const auto accepted = accepted_profile(exchange);
        const bool settled = !automatic || accepted || clock_.steady() < prepared.probe_after;
        const SignatureProfile profile = accepted.value_or(profiles[i]);
        co_await post_by_keys(exchange, profile);
        const Attempt& attempt = exchange.attempt;
        if (attempt.outcome.ok() && automatic && !accepted) {
            co_await catalog_.accept_profile(exchange.webhook, profile);
        }
        if (settled || !refuses_signature(attempt.status)) co_return;
        // Those behind the first are guesses: one that cannot be is none.
        if (i + 1 == profiles.size() || !can_rewrite(profiles[i + 1], exchange.body)) break;
        exchange.attempt.refused_profiles.push_back(
            {std::string(to_text(profile)), attempt.status});
    }
    prepared.probe_after = clock_.steady() + probe_again_after;
}

/// While a key is rotated, an answer 401 or 403 is answered at once with the next use of the two
/// keys. What was accepted last is tried first.
boost::asio::awaitable<void> Sender::post_by_keys(Exchange& exchange, SignatureProfile profile) {
    if (!exchange.prepared->signing.rotates(clock_.now())) {
        co_await post(exchange, profile);
        co_return;
    }
    const auto known = key_uses(profile);
    std::vector<KeyUse> uses(known.begin(), known.end());
    const auto current = catalog_.find(exchange.webhook->id);
    if (current && current->key_rotation.accepted) {
        const auto first = std::ranges::find(uses, *current->key_rotation.accepted);
        if (first != uses.end()) std::rotate(uses.begin(), first, first + 1);
    }
    for (const KeyUse use : uses) {
        co_await post(exchange, profile, use);
        const Attempt& attempt = exchange.attempt;
        if (attempt.outcome.ok()) co_await catalog_.accept_key(exchange.webhook, use);
        if (!refuses_key(attempt.status) || use == uses.back()) co_return;
        exchange.attempt.refused_profiles.push_back(
            {std::string(to_text(profile)), attempt.status});
    }
}

std::optional<SignatureProfile> Sender::accepted_profile(const Exchange& exchange) const {
    const auto current = catalog_.find(exchange.webhook->id);
    if (!current || current->version != exchange.webhook->version) return std::nullopt;
    // A key that lies outside may have become one that the profile does not fit.
    const auto& usable = exchange.prepared->signing.profiles();
    const auto accepted = current->accepted_profile;
    if (accepted && std::ranges::find(usable, *accepted) == usable.end()) return std::nullopt;
    return accepted;
}

HttpRequest Sender::request_to_receiver(const Exchange& exchange) {
    HttpRequest request;
    request.url = exchange.url.value_or(exchange.prepared->url);
    request.method = to_text(exchange.webhook->request.method);
    request.verify_certificates = exchange.webhook->validate_certificates;
    request.way_options = exchange.prepared->way_options;
    request.timeout = exchange.webhook->timeout;
    return request;
}

boost::asio::awaitable<void> Sender::post(Exchange& exchange,
                                          std::optional<SignatureProfile> profile, KeyUse use) {
    if (profile && !can_rewrite(*profile, exchange.body)) {
        exchange.attempt.outcome =
            config_failure("The event's body is not the JSON that herald writes, so the profile " +
                           std::string(to_text(*profile)) + " cannot be applied to it");
        co_return;
    }
    co_await post_once(exchange, profile, use);
    // A token that was granted earlier may have been revoked: one more try with a fresh one.
    if (exchange.attempt.status != 401 || !exchange.token.kept) co_return;
    tokens_.forget(exchange.webhook->id, exchange.token.token);
    const Outcome granted = co_await add_token(exchange);
    exchange.token.kept = false;
    if (granted.ok()) co_await post_once(exchange, profile, use);
}

boost::asio::awaitable<void> Sender::post_once(Exchange& exchange,
                                               std::optional<SignatureProfile> profile,
                                               KeyUse use) {
    HttpRequest request = request_to_receiver(exchange);
    request.headers = exchange.headers.list;
    if (profile) {
        auto form = signed_form(*profile, exchange.body);
        sign(exchange, *profile, use, form.payload(), request.headers);
        request.body = std::move(form.body);
    } else {
        request.body = exchange.body;
    }
    HttpAnswer answer = co_await client_.post(request);
    record(exchange, profile, request.headers, std::move(answer));
}

void Sender::sign(const Exchange& exchange, SignatureProfile profile, KeyUse use,
                  const std::string& payload, HeaderList& headers) const {
    const std::string timestamp = unix_seconds(clock_.now());
    const std::string id = exchange.id.text();
    const SignedSubject subject{id, timestamp, exchange.event->type};
    exchange.prepared->signing.sign(profile, use, subject, payload, headers);
}

void Sender::record(Exchange& exchange, std::optional<SignatureProfile> profile,
                    const HeaderList& sent, HttpAnswer answer) {
    Attempt& attempt = exchange.attempt;
    attempt.signature_profile = profile ? std::string(to_text(*profile)) : std::string();
    attempt.request_headers.clear();
    std::vector<std::string> secrets = exchange.prepared->url_secrets;
    std::ranges::copy(exchange.headers.secrets, std::back_inserter(secrets));
    std::ranges::copy(exchange.secrets, std::back_inserter(secrets));
    const std::string_view signature =
        profile ? signature_header(*profile, exchange.webhook->signature) : std::string_view();
    for (const auto& [name, value] : sent) {
        const bool is_signature = name == signature;
        const bool secret = is_signature || exchange.headers.hides(name) || is_secret_header(name);
        if (secret) secrets.push_back(value);
        // A receiver may repeat credentials without their scheme.
        if (const auto space = value.find(' '); secret && space != value.npos) {
            secrets.push_back(value.substr(space + 1));
            // Of two signatures it may repeat the first one.
            if (is_signature) secrets.push_back(value.substr(0, space));
        }
        std::string& shown =
            attempt.request_headers.emplace_back(name, secret ? redacted : value).second;
        if (!secret && !exchange.secrets.empty()) mask_secrets(shown, exchange.secrets);
    }
    attempt.status = answer.status;
    attempt.response_headers.clear();
    for (auto& [name, value] : answer.headers) {
        if (is_secret_header(name)) value = redacted;
        mask_secrets(value, secrets);
        attempt.response_headers.emplace_back(std::move(name), std::move(value));
    }
    attempt.outcome =
        judge(exchange.webhook->success, answer.status, answer.body, std::move(answer.outcome));
    mask_secrets(answer.body, secrets);
    attempt.response_body = std::move(answer.body);
    attempt.response_cut = answer.body_cut;
}

}  // namespace herald
