#include "api/auth.h"

#include <algorithm>

#include "core/ascii.h"

namespace herald {

namespace {

constexpr std::string_view scheme = "bearer ";

std::string_view as_text(const Digest& digest) {
    return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

std::string_view trim(std::string_view text) {
    while (text.starts_with(' ')) text.remove_prefix(1);
    while (text.ends_with(' ')) text.remove_suffix(1);
    return text;
}

/// The host of "host", "host:port" or "[address]:port", without brackets.
std::string_view without_port(std::string_view text) {
    if (text.starts_with('[')) {
        const std::size_t end = text.find(']');
        return end == text.npos ? std::string_view{} : text.substr(1, end - 1);
    }
    if (std::ranges::count(text, ':') > 1) return text;  // an IPv6 address without brackets
    return text.substr(0, text.find(':'));
}

bool is_loopback_address(std::string_view host) {
    if (!host.starts_with("127.")) return false;
    // No name of the DNS looks like this: a last label of digits only is an address.
    return std::ranges::all_of(host, [](char c) { return c == '.' || ascii::is_digit(c); });
}

bool is_loopback(std::string_view host) {
    return host == "localhost" || host.ends_with(".localhost") || host == "::1" ||
           is_loopback_address(host);
}

}  // namespace

Auth::Auth(const std::vector<std::string>& tokens, std::vector<std::string> allowed_hosts)
    : allowed_hosts_(std::move(allowed_hosts)) {
    for (const std::string& token : tokens) tokens_.push_back(sha256(token));
    for (std::string& host : allowed_hosts_) host = ascii::lower(without_port(host));
}

Result<> Auth::check(const ServerRequest& request) const {
    return tokens_.empty() ? check_host(request) : check_token(request);
}

bool Auth::is_token(std::string_view text) const {
    const Digest given = sha256(text);
    bool found = false;
    // All are compared, so that the time does not tell which one came near.
    for (const Digest& token : tokens_) {
        if (equal_constant_time(as_text(given), as_text(token))) found = true;
    }
    return found;
}

Result<> Auth::check_token(const ServerRequest& request) const {
    const std::string_view authorization = request.header("authorization");
    if (ascii::lower(authorization.substr(0, scheme.size())) == scheme &&
        is_token(trim(authorization.substr(scheme.size())))) {
        return {};
    }
    const std::string_view key = request.header("x-infrahub-key");
    if (!key.empty() && is_token(key)) return {};
    if (authorization.empty() && key.empty()) {
        return fail(Errc::unauthorized,
                    "a token is needed: send it as \"Authorization: Bearer <token>\" or as "
                    "\"X-INFRAHUB-KEY: <token>\"");
    }
    return fail(Errc::unauthorized, "the token is not one of this server's");
}

Result<> Auth::check_host(const ServerRequest& request) const {
    const std::string host = ascii::lower(request.header("host"));
    const std::string_view name = without_port(host);
    if (!is_loopback(name) && std::ranges::find(allowed_hosts_, name) == allowed_hosts_.end()) {
        return fail(Errc::forbidden,
                    "this server has no token and is for its own machine only: the Host of the "
                    "request is no loopback name; set a token, or add the host to allowed_hosts");
    }
    const std::string origin = ascii::lower(request.header("origin"));
    if (origin.empty() || origin == "http://" + host || origin == "https://" + host) return {};
    return fail(Errc::forbidden,
                "the request comes from a page of another origin, which needs a token");
}

}  // namespace herald
