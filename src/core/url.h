#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace herald {

/// Where a webhook's requests go, taken apart once.
struct Url {
    bool tls = false;
    std::string host;    ///< canonical (core/url_host); an IPv6 address without brackets
    std::uint16_t port = 80;
    std::string target;  ///< path and query, at least "/"
    std::string userinfo;  ///< "user:password", percent-decoded; empty: none

    /// The Host header: with brackets for IPv6, port only when not the scheme's own.
    [[nodiscard]] std::string host_header() const;

    bool operator==(const Url&) const = default;
};

/// Absolute http or https URL, ASCII, at most limits::url_bytes, no fragment, a host, a port from
/// 1 to 65535. The error names what is wrong and the fix.
[[nodiscard]] Result<Url> parse_url(std::string_view text);

}  // namespace herald
