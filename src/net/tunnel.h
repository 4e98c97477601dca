#pragma once

#include <string>

#include "core/attempt.h"
#include "core/proxy.h"
#include "net/connection.h"

namespace herald {

/// What requests of this origin say to be passed on by the proxy, or nothing for null.
[[nodiscard]] Way way_through(std::shared_ptr<const Proxy> proxy, const Origin& origin);

/// "host:443", as CONNECT names a receiver.
[[nodiscard]] std::string authority(const OriginKey& key);

/// The request for a tunnel to the origin (RFC 9110, section 9.3.6).
[[nodiscard]] std::string tunnel_request(const Proxy& proxy, const OriginKey& key,
                                         const std::string& user_agent);

/// What the proxy's answer to that means. Ok: the tunnel is there.
[[nodiscard]] Outcome judge_tunnel(const Proxy& proxy, const OriginKey& key, int status);

/// The proxy wants other credentials (407).
[[nodiscard]] Outcome refused_credentials(const Proxy& proxy);

}  // namespace herald
