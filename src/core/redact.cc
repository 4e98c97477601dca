#include "core/redact.h"

#include <algorithm>
#include <array>

#include "core/ascii.h"

namespace herald {

namespace {

constexpr std::array<std::string_view, 7> secret_headers{
    "webhook-signature", "authorization", "proxy-authorization", "cookie",
    "set-cookie",        "x-api-key",     "x-infrahub-key",
};
constexpr std::array<std::string_view, 4> secret_header_ends{"-token", "-secret", "-key",
                                                             "-password"};
constexpr std::array<std::string_view, 9> secret_parameters{
    "token", "access_token", "key", "api_key", "apikey", "secret", "sig", "signature", "password",
};
constexpr std::array<std::string_view, 5> secret_parameter_ends{"_token", "_secret", "_key",
                                                                "_signature", "_password"};

int hex_value(char c) {
    if (ascii::is_digit(c)) return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

bool ends_with_any(std::string_view name, const auto& ends) {
    return std::ranges::any_of(ends, [&](std::string_view end) { return name.ends_with(end); });
}

/// A parameter's name as its receiver will read it, so that "to%6Ben" hides nothing.
std::string plain_name(std::string_view encoded) {
    const std::string text = ascii::lower(encoded);
    std::string name;
    for (std::size_t i = 0; i < text.size(); ++i) {
        char c = text[i];
        if (c == '%' && i + 2 < text.size()) {
            const int high = hex_value(text[i + 1]);
            const int low = hex_value(text[i + 2]);
            if (high >= 0 && low >= 0) {
                c = static_cast<char>(high * 16 + low);
                i += 2;
            }
        }
        name += c == '-' ? '_' : c;
    }
    return ascii::lower(name);
}

bool is_secret_parameter(std::string_view encoded) {
    const std::string name = plain_name(encoded);
    return std::ranges::find(secret_parameters, name) != secret_parameters.end() ||
           ends_with_any(name, secret_parameter_ends);
}

void append_query(std::string& out, std::string_view query) {
    while (true) {
        const std::size_t end = query.find_first_of("&;");
        const std::string_view pair = query.substr(0, end);
        const std::size_t equals = pair.find('=');
        if (equals != pair.npos && is_secret_parameter(pair.substr(0, equals))) {
            out += pair.substr(0, equals + 1);
            out += redacted;
        } else {
            out += pair;
        }
        if (end == query.npos) return;
        out += query[end];
        query.remove_prefix(end + 1);
    }
}

}  // namespace

bool is_secret_header(std::string_view name) {
    const std::string text = ascii::lower(name);
    return std::ranges::find(secret_headers, text) != secret_headers.end() ||
           ends_with_any(text, secret_header_ends);
}

std::string redact_url(std::string_view url) {
    // By text, not by a parser: a URL that is no good must not show its password either.
    const std::size_t slash = url.find_first_of("/?#");
    const bool scheme = slash != url.npos && url.substr(slash).starts_with("//") &&
                        (slash == 0 || url[slash - 1] == ':');
    const std::size_t start = scheme ? slash + 2 : 0;
    const std::size_t end = std::min(url.find_first_of("/?#", start), url.size());
    const std::size_t at = url.substr(start, end - start).rfind('@');

    std::string out(url.substr(0, start));
    if (at != url.npos) {
        out += redacted;
        out += url.substr(start + at, end - start - at);
    } else {
        out += url.substr(start, end - start);
    }
    const std::size_t fragment = std::min(url.find('#', end), url.size());
    const std::size_t query = std::min(url.find('?', end), fragment);
    out += url.substr(end, query - end);
    if (query < fragment) {
        out += '?';
        append_query(out, url.substr(query + 1, fragment - query - 1));
    }
    out += url.substr(fragment);
    return out;
}

}  // namespace herald
