#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "core/address.h"
#include "core/options.h"
#include "core/url.h"

namespace herald {

/// Somebody who passes requests on.
struct Proxy {
    bool tls = false;  ///< the way to the proxy itself is encrypted
    std::string host;
    std::uint16_t port = 80;
    std::string userinfo;  ///< secret: "user:password"; empty: none

    /// "proxy.example:3128", for people.
    [[nodiscard]] std::string name() const;
    bool operator==(const Proxy&) const = default;
};

/// "http://proxy.example:3128", "https://user:password@proxy.example". Without a port it is that of
/// the scheme. The error is a sentence without a subject and never repeats the text.
[[nodiscard]] Result<Proxy> parse_proxy(std::string_view text);

/// How a webhook reaches its receiver: the group `proxy`.
struct ProxyOptions {
    std::string url;  ///< "http://proxy.example:3128"; empty: none of its own
    std::string user;
    std::string password;  ///< secret
    bool from_environment = true;  ///< without a url: what the environment says. False: directly

    bool operator==(const ProxyOptions&) const = default;
};

/// Reads the group; what is missing has its default. A user and password in the URL become those
/// of the options.
[[nodiscard]] ProxyOptions read_proxy_options(JsonView value, JsonView stored,
                                              std::vector<FieldError>& wrong);
void append_proxy_options(std::string& out, const ProxyOptions& options, SecretForm form);

/// The proxy of its own; null: it has none. The options have been checked.
[[nodiscard]] std::shared_ptr<const Proxy> own_proxy(const ProxyOptions& options);

/// Notes what is wrong: "/proxy/url", "/proxy/user", "/proxy/password".
void check(const ProxyOptions& options, std::vector<FieldError>& wrong);

/// Which receivers are reached without the environment's proxy (NO_PROXY).
class NoProxy {
public:
    NoProxy() = default;
    /// Entries separated by commas or spaces, each a host name that stands for its subdomains too,
    /// an address, or a network such as 10.0.0.0/8; names and addresses may have a port. "*": all.
    explicit NoProxy(std::string_view text);

    [[nodiscard]] bool covers(const Url& url) const;

private:
    struct Entry {
        std::string name;  ///< lower case, without dots at the ends; empty: `network` counts
        std::optional<Network> network;
        std::uint16_t port = 0;  ///< 0: any
    };
    [[nodiscard]] static Entry read_entry(std::string_view text);

    bool all_ = false;
    std::vector<Entry> entries_;
};

/// The proxies that the environment names, as curl and most programs read them: HTTPS_PROXY,
/// HTTP_PROXY, ALL_PROXY and NO_PROXY, in lower case before upper case.
class EnvironmentProxies {
public:
    using Environment = std::function<std::optional<std::string>(const std::string& name)>;

    /// None.
    EnvironmentProxies() = default;
    /// The error names the variable and the fix, never its value: it may hold a password.
    [[nodiscard]] static Result<EnvironmentProxies> read(const Environment& environment);

    /// Null: the receiver is reached directly. Always so for localhost and loopback addresses: a
    /// proxy would reach itself.
    [[nodiscard]] std::shared_ptr<const Proxy> for_url(const Url& url) const;

private:
    std::shared_ptr<const Proxy> http_;  ///< for http:// receivers
    std::shared_ptr<const Proxy> https_;  ///< for https:// receivers
    NoProxy no_proxy_;
};

}  // namespace herald
