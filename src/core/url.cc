#include "core/url.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include <boost/url/parse.hpp>
#include <boost/url/pct_string_view.hpp>

#include "core/ascii.h"
#include "core/limits.h"
#include "core/url_host.h"

namespace herald {

namespace {

/// A URL's parts, still as they were written.
struct Written {
    std::string_view userinfo;
    std::string_view host;  ///< with the brackets of an IPv6 address
    std::string_view port;  ///< with its colon; empty: none
    std::string_view target;
};

using Complaint = std::optional<std::string>;  ///< what is wrong and the fix

constexpr std::string_view example = "https://receiver.example/hooks";

std::string percent_form(char c) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    const auto byte = static_cast<unsigned char>(c);
    return {'%', digits[byte >> 4U], digits[byte & 15U]};
}

Complaint check_characters(std::string_view text) {
    if (text.empty()) {
        return "is required: an absolute http or https URL such as " + std::string(example);
    }
    if (text.size() > limits::url_bytes) {
        return "must be at most " + std::to_string(limits::url_bytes) + " bytes";
    }
    for (const char c : text) {
        if (c == ' ') return "must not contain spaces: write %20, and remove those at the ends";
        if (ascii::is_control(c)) {
            return "must not contain control characters such as line ends or tabs";
        }
        if (static_cast<unsigned char>(c) > 0x7f) {
            return "must be ASCII: write a host name in punycode (xn--...), and other characters "
                   "percent-encoded as UTF-8";
        }
        if (c == '\\') return "must not contain a backslash: write / or %5C";
        if (std::string_view("\"<>^`{|}").contains(c)) {
            return std::string("must not contain '") + c + "': write " + percent_form(c);
        }
    }
    return std::nullopt;
}

Complaint check_scheme(std::string_view text) {
    const std::string start = ascii::lower(text.substr(0, 8));
    if (!start.starts_with("http://") && !start.starts_with("https://")) {
        return "must begin with http:// or https://, such as " + std::string(example);
    }
    if (text.contains('#')) return "must not have a fragment: remove '#' and what follows it";
    return std::nullopt;
}

/// Cuts at the delimiters of RFC 3986. Boost.URL 1.81 cannot be asked: behind a host that begins
/// like an IPv4 address ("10.0.0.1.nip.io") or a port ("80x") it takes the rest for a path.
Written cut(std::string_view text) {
    Written parts;
    const std::size_t start = text.find("://") + 3;
    const std::size_t end = std::min(text.find_first_of("/?", start), text.size());
    std::string_view authority = text.substr(start, end - start);
    parts.target = text.substr(end);
    if (const auto at = authority.rfind('@'); at != authority.npos) {
        parts.userinfo = authority.substr(0, at);
        authority.remove_prefix(at + 1);
    }
    const std::size_t bracket = authority.starts_with('[') ? authority.find(']') : authority.npos;
    const std::size_t colon = bracket == authority.npos ? authority.find(':') : bracket + 1;
    parts.host = authority.substr(0, colon);
    if (colon < authority.size()) parts.port = authority.substr(colon);
    return parts;
}

Complaint read_host(const Written& parts, std::string& host) {
    if (!parts.host.starts_with('[') && parts.port.find(':', 1) != parts.port.npos) {
        return "has an IPv6 address without brackets: write it as in [2001:db8::1]";
    }
    if (parts.host.empty()) return "has no host: write one, such as " + std::string(example);
    return read_url_host(parts.host, host);
}

Complaint read_port(std::string_view written, bool tls, std::uint16_t& port) {
    port = tls ? 443 : 80;
    if (written.empty()) return std::nullopt;
    const char* end = written.data() + written.size();
    const auto [stop, error] = std::from_chars(written.data() + 1, end, port);
    if (written.front() != ':' || error != std::errc{} || stop != end || port == 0) {
        return "must have a port from 1 to 65535 behind the host and ':', or nothing";
    }
    return std::nullopt;
}

Complaint read_userinfo(std::string_view written, std::string& userinfo) {
    if (written.empty()) return std::nullopt;
    const std::size_t colon = std::min(written.find(':'), written.size());
    const auto decode = [](std::string_view text) {
        return boost::urls::make_pct_string_view({text.data(), text.size()});
    };
    const auto user = decode(written.substr(0, colon));
    const auto password = decode(written.substr(std::min(colon + 1, written.size())));
    if (!user || !password || written.find_first_of("@[]") != written.npos) {
        return "has a user name or password with characters that must be percent-encoded, such as "
               "%40 for '@' and %25 for '%'";
    }
    const std::string name = user->decode();
    if (name.contains(':')) return "must not have ':' in its user name (RFC 7617)";
    userinfo = name + ":" + password->decode();
    if (std::ranges::any_of(userinfo, ascii::is_control)) {
        return "must not have control characters in its user name or password (RFC 7617)";
    }
    return std::nullopt;
}

Complaint read_target(std::string_view written, std::string& target) {
    target = written;
    if (!target.starts_with('/')) target.insert(0, "/");
    if (boost::urls::parse_origin_form(target)) return std::nullopt;
    return "has a path or query that is not valid: write '[' as %5B, ']' as %5D, and '%' as %25 "
           "unless two hex digits follow it";
}

Complaint read(std::string_view text, Url& url) {
    if (auto wrong = check_characters(text)) return wrong;
    if (auto wrong = check_scheme(text)) return wrong;
    const Written parts = cut(text);
    url.tls = ascii::lower(text.substr(0, 5)) == "https";
    if (auto wrong = read_host(parts, url.host)) return wrong;
    if (auto wrong = read_port(parts.port, url.tls, url.port)) return wrong;
    if (auto wrong = read_userinfo(parts.userinfo, url.userinfo)) return wrong;
    return read_target(parts.target, url.target);
}

}  // namespace

std::string Url::host_header() const {
    std::string out = host.contains(':') ? "[" + host + "]" : host;
    if (port != (tls ? 443 : 80)) out += ":" + std::to_string(port);
    return out;
}

Result<Url> parse_url(std::string_view text) {
    Url url;
    // No message repeats the URL: it may hold a password.
    if (auto wrong = read(text, url)) return fail_field("/url", std::move(*wrong));
    return url;
}

}  // namespace herald
