#pragma once

#include <string>
#include <string_view>

#include "net/connection.h"
#include "net/http_client.h"

namespace herald {

/// Why a request cannot be sent as it is, for people; empty: it can. Line ends in a field would
/// let its value write fields of its own, and the client writes the framing itself.
[[nodiscard]] std::string check_request(const HttpRequest& request);

/// Writes a checked request into `out`, which is cleared, and gives what to send: views into `out`
/// and into the request. What the origin's way adds for a proxy is in it.
[[nodiscard]] OutgoingRequest write_request(const HttpRequest& request, const Origin& origin,
                                            const HttpClientOptions& options, std::string& out);

}  // namespace herald
