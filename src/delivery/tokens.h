#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include <boost/asio/awaitable.hpp>

#include "async/clock.h"
#include "core/attempt.h"
#include "core/webhook.h"
#include "delivery/secrets.h"
#include "net/http_client.h"

namespace herald {

/// A request for an access token, whole.
struct TokenRequest {
    HttpRequest http;
    std::string shown_url;  ///< for messages: secrets are masked
};

/// The request that a webhook's authentication of type oauth2 asks for (RFC 6749, section 4.4.2).
/// Of `like` it takes how to connect. The error names the reference that cannot be read.
[[nodiscard]] Result<TokenRequest> token_request(const Webhook& webhook, const Secrets& secrets,
                                                 HttpRequest like);

/// An access token, or why there is none.
struct GrantedToken {
    std::string token;
    bool kept = false;  ///< it was granted to an earlier attempt
    Outcome outcome = {};
};

/// The access tokens of webhooks, each kept until shortly before it expires. One request at a time
/// for each webhook: who needs a token meanwhile waits for its answer. Lives on the loop thread.
class Tokens {
public:
    /// Both must outlive it.
    Tokens(HttpClient& client, const Clock& clock);

    /// A token that is good now. One that was granted to another request is not used. Messages
    /// name the token endpoint and its error code, and hold nothing else of what it said.
    boost::asio::awaitable<GrantedToken> get(WebhookId webhook, TokenRequest request);
    /// The receiver refused this token: it is not given out again.
    void forget(WebhookId webhook, const std::string& token);

private:
    struct Flight;
    struct Kept;

    boost::asio::awaitable<GrantedToken> fetch(std::shared_ptr<Kept> kept);

    HttpClient& client_;
    const Clock& clock_;
    std::unordered_map<std::uint32_t, std::shared_ptr<Kept>> kept_;
};

}  // namespace herald
