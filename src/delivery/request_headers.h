#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "core/attempt.h"
#include "core/url.h"
#include "core/webhook.h"
#include "delivery/secrets.h"

namespace herald {

/// The headers of a request but for its signature, and what of them may not be recorded.
struct RequestHeaders {
    HeaderList list;
    std::vector<std::string> hidden;   ///< names whose value came from outside
    std::vector<std::string> secrets;  ///< masked where a receiver repeats them

    /// Sets a header; one of the same name is replaced.
    void set(std::string_view name, std::string value);
    /// Authorization: Bearer (RFC 6750).
    void set_bearer(const std::string& token);
    [[nodiscard]] bool hides(std::string_view name) const;
};

/// Makes the headers that a webhook asks for, with its authentication but for the token of oauth2,
/// which takes a request of its own (delivery/tokens.h). The error says which of them cannot be
/// made: what it refers to is not there, or cannot be sent.
[[nodiscard]] Result<RequestHeaders> make_headers(const Webhook& webhook, const Url& url,
                                                  const Secrets& secrets);

/// Whether they have to be made anew for every attempt, because they refer to what lies outside.
[[nodiscard]] bool headers_change(const Webhook& webhook);

}  // namespace herald
