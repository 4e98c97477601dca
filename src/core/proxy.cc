#include "core/proxy.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "core/ascii.h"
#include "core/limits.h"
#include "core/reference.h"

namespace herald {

namespace {

constexpr std::string_view example = "http://proxy.example:3128";

/// parse_url speaks of a webhook's receiver; "must begin with" and the rest hold for proxies too.
std::string complaint(const Error& error) {
    return error.fields.empty() ? error.message : error.fields.front().detail;
}

bool is_loopback(const std::string& host) {
    const std::string_view name = std::string_view(host).substr(0, host.find_last_not_of('.') + 1);
    if (name == "localhost" || name.ends_with(".localhost")) return true;
    const auto address = parse_address(host);
    if (!address) return false;
    const Address plain = without_mapping(*address);
    return plain.v6 ? plain.text() == "::1" : plain.bytes[0] == 127;
}

/// Lower case, without the dots that a name may begin or end with.
std::string plain_name(std::string_view text) {
    if (text.starts_with("*.")) text.remove_prefix(1);
    while (text.starts_with('.')) text.remove_prefix(1);
    while (text.ends_with('.')) text.remove_suffix(1);
    return ascii::lower(text);
}

/// Takes ":8080" from the end; 0: there is none.
std::uint16_t take_port(std::string_view& text) {
    const std::size_t colon = text.rfind(':');
    // Without brackets an address with several colons is IPv6 and has no port.
    const bool bare_v6 = text.find(':') != colon && !text.starts_with('[');
    if (colon == text.npos || bare_v6 || text.ends_with(']')) return 0;
    std::uint16_t port = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data() + colon + 1, end, port);
    if (error != std::errc{} || stop != end) return 0;
    text = text.substr(0, colon);
    return port;
}

/// The first of these variables that is set and not empty.
std::pair<std::string, std::string> first_of(const EnvironmentProxies::Environment& environment,
                                             std::initializer_list<const char*> names) {
    for (const char* name : names) {
        if (auto value = environment(name); value && !value->empty()) {
            return {name, std::move(*value)};
        }
    }
    return {};
}

Result<std::shared_ptr<const Proxy>> read_variable(std::pair<std::string, std::string> variable) {
    auto& [name, text] = variable;
    if (text.empty()) return nullptr;
    if (!text.contains("://")) text.insert(0, "http://");
    auto proxy = parse_proxy(text);
    if (proxy) return std::make_shared<const Proxy>(std::move(*proxy));
    return fail(Errc::invalid,
                "the environment variable " + name + " " + proxy.error().message + ", or unset it");
}

}  // namespace

std::string Proxy::name() const {
    const std::string plain = host.contains(':') ? "[" + host + "]" : host;
    return plain + ":" + std::to_string(port);
}

Result<Proxy> parse_proxy(std::string_view text) {
    const std::string scheme = ascii::lower(text.substr(0, text.find("://")));
    if (scheme.starts_with("socks")) {
        return fail(Errc::invalid,
                    "must be an HTTP proxy: SOCKS is not supported; give http:// or https://");
    }
    const auto url = parse_url(text);
    if (!url) return fail(Errc::invalid, complaint(url.error()));
    if (url->target != "/") {
        return fail(Errc::invalid, "must end behind the host and port of the proxy, such as " +
                                       std::string(example));
    }
    return Proxy{url->tls, url->host, url->port, url->userinfo};
}

ProxyOptions read_proxy_options(JsonView value, JsonView stored, std::vector<FieldError>& wrong) {
    ProxyOptions options;
    OptionReader reader(value, "/proxy", stored, wrong);
    options.url = reader.text("url");
    options.user = reader.text("user");
    options.password = reader.secret("password");
    options.from_environment = reader.flag("from_environment", true);
    reader.finish();
    const auto proxy = options.url.empty() ? Result<Proxy>() : parse_proxy(options.url);
    if (!proxy || proxy->userinfo.empty()) return options;
    // People paste them in one piece. Apart they can be masked apart.
    if (!options.user.empty() || !options.password.empty()) {
        reader.wrong("url", "must not have a user name when proxy.user gives one: remove either");
    }
    const std::size_t colon = proxy->userinfo.find(':');
    options.user = proxy->userinfo.substr(0, colon);
    options.password = proxy->userinfo.substr(colon + 1);
    options.url = std::string(proxy->tls ? "https://" : "http://") + proxy->name();
    return options;
}

void append_proxy_options(std::string& out, const ProxyOptions& options, SecretForm form) {
    OptionWriter writer(out, form);
    writer.text_or_null("url", options.url);
    writer.text_or_null("user", options.user);
    writer.secret("password", options.password);
    writer.flag("from_environment", options.from_environment);
    writer.finish();
}

std::shared_ptr<const Proxy> own_proxy(const ProxyOptions& options) {
    if (options.url.empty()) return nullptr;
    auto proxy = parse_proxy(options.url);
    if (!proxy) return nullptr;
    if (!options.user.empty()) proxy->userinfo = options.user + ":" + options.password;
    return std::make_shared<const Proxy>(std::move(*proxy));
}

void check(const ProxyOptions& options, std::vector<FieldError>& wrong) {
    const auto proxy = options.url.empty() ? Result<Proxy>() : parse_proxy(options.url);
    if (!proxy) wrong.push_back({"/proxy/url", proxy.error().message});
    const auto check_text = [&](std::string pointer, const std::string& text) {
        if (text.size() > limits::header_bytes / 2) {
            wrong.push_back({pointer, "must be at most " +
                                          std::to_string(limits::header_bytes / 2) + " bytes"});
        }
        if (!std::ranges::any_of(text, ascii::is_control)) return;
        wrong.push_back({std::move(pointer), "must not have control characters (RFC 7617)"});
    };
    check_text("/proxy/user", options.user);
    check_text("/proxy/password", options.password);
    if (auto complaint = reference_complaint(options.password); !complaint.empty()) {
        wrong.push_back({"/proxy/password", std::move(complaint)});
    }
    if (options.user.contains(':')) {
        wrong.push_back({"/proxy/user", "must not have ':' in it (RFC 7617)"});
    }
    if (options.user.empty() && !options.password.empty()) {
        wrong.push_back({"/proxy/user", "is required with a password"});
    }
    if (options.url.empty() && !options.user.empty()) {
        wrong.push_back({"/proxy/url", "is required with a user: give the proxy's URL"});
    }
}

NoProxy::NoProxy(std::string_view text) {
    while (!text.empty()) {
        const std::size_t end = std::min(text.find_first_of(", \t"), text.size());
        const std::string_view entry = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (entry == "*") all_ = true;
        if (!entry.empty()) entries_.push_back(read_entry(entry));
    }
}

NoProxy::Entry NoProxy::read_entry(std::string_view text) {
    Entry entry;
    if (auto network = parse_network(text)) {
        entry.network = *network;
        return entry;
    }
    entry.port = take_port(text);
    if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
    if (auto network = parse_network(text))
        entry.network = *network;
    else
        entry.name = plain_name(text);
    return entry;
}

bool NoProxy::covers(const Url& url) const {
    if (all_) return true;
    const auto address = parse_address(url.host);
    const std::string name = plain_name(url.host);
    return std::ranges::any_of(entries_, [&](const Entry& entry) {
        if (entry.port != 0 && entry.port != url.port) return false;
        if (entry.network) return address && entry.network->contains(without_mapping(*address));
        if (entry.name.empty() || address) return false;
        return name == entry.name ||
               (name.ends_with(entry.name) && name[name.size() - entry.name.size() - 1] == '.');
    });
}

Result<EnvironmentProxies> EnvironmentProxies::read(const Environment& environment) {
    // A web server that runs a program as CGI sets HTTP_PROXY from the request's header "Proxy".
    const bool is_cgi = environment("REQUEST_METHOD").has_value();
    auto http = read_variable(
        is_cgi ? first_of(environment, {"http_proxy", "all_proxy", "ALL_PROXY"})
               : first_of(environment, {"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"}));
    if (!http) return fail(http.error());
    auto https = read_variable(
        first_of(environment, {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}));
    if (!https) return fail(https.error());
    EnvironmentProxies proxies;
    proxies.http_ = std::move(*http);
    proxies.https_ = std::move(*https);
    proxies.no_proxy_ = NoProxy(first_of(environment, {"no_proxy", "NO_PROXY"}).second);
    return proxies;
}

std::shared_ptr<const Proxy> EnvironmentProxies::for_url(const Url& url) const {
    const auto& proxy = url.tls ? https_ : http_;
    if (!proxy || is_loopback(url.host) || no_proxy_.covers(url)) return nullptr;
    return proxy;
}

}  // namespace herald
