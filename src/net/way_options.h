#pragma once

#include "core/proxy.h"
#include "core/tls_options.h"

namespace herald {

/// How a webhook's requests reach their receiver, besides its URL. Requests that carry the same
/// object (not an equal one) share connections and TLS sessions.
struct WayOptions {
    TlsOptions tls;
    ProxyOptions proxy;

    bool operator==(const WayOptions&) const = default;
};

}  // namespace herald
