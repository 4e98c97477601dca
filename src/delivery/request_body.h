#pragma once

#include <string>

#include "base/result.h"
#include "core/made_request.h"
#include "core/webhook.h"
#include "delivery/request_headers.h"

namespace herald {

/// The type of a body as it is sent.
[[nodiscard]] std::string content_type(const Webhook& webhook, const MadeRequest* made);
/// The body in the webhook's encoding; the error says that the receiver would not take it.
[[nodiscard]] Result<std::string> encode_body(std::string body, const Webhook& webhook,
                                              const std::string& content_type);
/// Lays what a transformation made over the webhook's headers. The error names one that cannot be
/// sent.
[[nodiscard]] Result<> add_headers(const MadeRequest& made, const Webhook& webhook,
                                   RequestHeaders& headers);

}  // namespace herald
