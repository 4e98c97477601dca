#include "net/tunnel.h"

#include <utility>

#include "base/bytes.h"
#include "net/http_answer.h"

namespace herald {

namespace {

/// The line that tells the proxy who asks; empty without credentials.
std::string credentials_line(const Proxy& proxy) {
    if (proxy.userinfo.empty()) return {};
    return "Proxy-Authorization: Basic " + to_base64(as_bytes(proxy.userinfo)) + "\r\n";
}

}  // namespace

Way way_through(std::shared_ptr<const Proxy> proxy, const Origin& origin) {
    Way way;
    // Inside of a tunnel requests are as without a proxy, and its credentials are not for the
    // receiver.
    if (proxy && !origin.key.tls) {
        way.target_prefix = "http://" + origin.host_header;
        way.proxy_fields = credentials_line(*proxy);
    }
    way.proxy = std::move(proxy);
    return way;
}

std::string authority(const OriginKey& key) {
    const std::string host = key.host.contains(':') ? "[" + key.host + "]" : key.host;
    return host + ":" + std::to_string(key.port);
}

std::string tunnel_request(const Proxy& proxy, const OriginKey& key,
                           const std::string& user_agent) {
    const std::string to = authority(key);
    std::string out = "CONNECT " + to + " HTTP/1.1\r\nHost: " + to + "\r\n";
    if (!user_agent.empty()) out += "User-Agent: " + user_agent + "\r\n";
    return out + credentials_line(proxy) + "\r\n";
}

Outcome judge_tunnel(const Proxy& proxy, const OriginKey& key, int status) {
    if (status / 100 == 2) return {};
    if (status == 407) return refused_credentials(proxy);
    std::string message = "The proxy " + proxy.name() + " opens no tunnel to " + authority(key) +
                          ": it answered " + std::to_string(status);
    const std::string_view phrase = reason_phrase(status);
    if (phrase != "Unknown") message.append(" ").append(phrase);
    return {FailureClass::connection, message + "."};
}

Outcome refused_credentials(const Proxy& proxy) {
    const std::string what =
        proxy.userinfo.empty() ? " wants a user name and a password (407): give them in proxy.user "
                                 "and proxy.password, or in the environment's URL of the proxy."
                               : " does not accept the user name and password (407).";
    return {FailureClass::config, "The proxy " + proxy.name() + what};
}

}  // namespace herald
