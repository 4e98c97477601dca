#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include <boost/asio/awaitable.hpp>

#include "async/clock.h"
#include "core/attempt.h"
#include "core/delivery.h"
#include "core/event.h"
#include "core/signature.h"
#include "core/webhook.h"
#include "delivery/catalog.h"
#include "delivery/held.h"
#include "delivery/secrets.h"
#include "delivery/tokens.h"
#include "net/http_client.h"
#include "transform/transform.h"

namespace herald {

/// Makes one attempt: body, headers, signature, request, record. Negotiates the signature profile
/// where the webhook says `auto`, and the key while one is rotated (docs/webhooks.md). Lives on the
/// loop thread.
class Sender {
public:
    Sender(HttpClient& client, Transform& transform, Catalog& catalog, const Clock& clock,
           SecretSources secrets);

    struct Tried {
        Attempt attempt;
        std::shared_ptr<const MadeRequest> made;  ///< by the webhook's transformation
    };
    /// One attempt, already in the form that is recorded. Never fails: what goes wrong is in the
    /// attempt's outcome.
    boost::asio::awaitable<Tried> attempt(const Held& held, Catalog::Entry webhook);

    /// The request that a first attempt would make now, under a made-up id; secrets and the
    /// signature are masked. The Error says why there would be none. Sends nothing, and keeps
    /// nothing of the webhook, which need not be stored.
    struct Preview {
        std::string method;
        std::string url;
        HeaderList headers;
        std::string body;
    };
    boost::asio::awaitable<Result<Preview>> preview(const Event& event,
                                                    std::shared_ptr<const Webhook> webhook) const;
    /// As preview(), of what a transformation has made; `secrets` are masked too.
    [[nodiscard]] Result<Preview> preview(MadeRequest made, const Event& event,
                                          const Webhook& webhook,
                                          const std::vector<std::string>& secrets) const;

private:
    /// What is kept of a webhook between attempts; made anew when its version changes.
    struct Resolved;
    struct Prepared;
    struct Exchange;

    Result<Resolved> resolve(const Webhook& webhook) const;
    Result<std::shared_ptr<Prepared>> prepare(const Catalog::Entry& webhook);
    Result<> resolve_headers(Exchange& exchange) const;
    boost::asio::awaitable<Outcome> make_request(Exchange& exchange);
    boost::asio::awaitable<Outcome> transform(Exchange& exchange);
    boost::asio::awaitable<Outcome> add_token(Exchange& exchange);
    boost::asio::awaitable<void> negotiate(Exchange& exchange);
    static HttpRequest request_to_receiver(const Exchange& exchange);
    std::optional<SignatureProfile> accepted_profile(const Exchange& exchange) const;
    boost::asio::awaitable<void> post_by_keys(Exchange& exchange, SignatureProfile profile);
    boost::asio::awaitable<void> post(Exchange& exchange, std::optional<SignatureProfile> profile,
                                      KeyUse use = KeyUse::current);
    boost::asio::awaitable<void> post_once(Exchange& exchange,
                                           std::optional<SignatureProfile> profile, KeyUse use);
    void sign(const Exchange& exchange, SignatureProfile profile, KeyUse use,
              const std::string& payload, HeaderList& headers) const;
    static void record(Exchange& exchange, std::optional<SignatureProfile> profile,
                       const HeaderList& sent, HttpAnswer answer);

    HttpClient& client_;
    Transform& transform_;
    Catalog& catalog_;
    const Clock& clock_;
    Secrets secrets_;
    Tokens tokens_;
    std::unordered_map<std::uint32_t, std::shared_ptr<Prepared>> prepared_;
};

}  // namespace herald
