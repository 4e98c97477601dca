#include "core/redact.h"

#include <algorithm>
#include <array>

#include "base/bytes.h"
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

constexpr std::size_t least_masked = 6;

bool ends_with_any(std::string_view name, const auto& ends) {
    return std::ranges::any_of(ends, [&](std::string_view end) { return name.ends_with(end); });
}

std::string percent_decoded(std::string_view encoded) {
    std::string text;
    for (std::size_t i = 0; i < encoded.size(); ++i) {
        char c = encoded[i];
        if (c == '%' && i + 2 < encoded.size()) {
            const int high = hex_value(encoded[i + 1]);
            const int low = hex_value(encoded[i + 2]);
            if (high >= 0 && low >= 0) {
                c = static_cast<char>(high * 16 + low);
                i += 2;
            }
        }
        text += c;
    }
    return text;
}

/// A parameter's name as its receiver will read it, so that "to%6Ben" hides nothing.
std::string plain_name(std::string_view encoded) {
    std::string name = ascii::lower(percent_decoded(encoded));
    std::ranges::replace(name, '-', '_');
    return name;
}

bool is_secret_parameter(std::string_view encoded) {
    const std::string name = plain_name(encoded);
    return std::ranges::find(secret_parameters, name) != secret_parameters.end() ||
           ends_with_any(name, secret_parameter_ends);
}

/// A URL without its secrets, and these.
struct Redacted {
    std::string url;
    std::vector<std::string> secrets;

    void hide(std::string_view secret) {
        secrets.emplace_back(secret);
        if (std::string plain = percent_decoded(secret); plain != secret) {
            secrets.push_back(std::move(plain));
        }
    }
};

void append_query(Redacted& redacted_url, std::string_view query) {
    std::string& out = redacted_url.url;
    while (true) {
        const std::size_t end = query.find_first_of("&;");
        const std::string_view pair = query.substr(0, end);
        const std::size_t equals = pair.find('=');
        if (equals != pair.npos && is_secret_parameter(pair.substr(0, equals))) {
            out += pair.substr(0, equals + 1);
            out += redacted;
            redacted_url.hide(pair.substr(equals + 1));
        } else {
            out += pair;
        }
        if (end == query.npos) return;
        out += query[end];
        query.remove_prefix(end + 1);
    }
}

Redacted take_apart(std::string_view url) {
    // By text, not by a parser: a URL that is no good must not show its password either.
    const std::size_t slash = url.find_first_of("/?#");
    const bool scheme = slash != url.npos && url.substr(slash).starts_with("//") &&
                        (slash == 0 || url[slash - 1] == ':');
    const std::size_t start = scheme ? slash + 2 : 0;
    const std::size_t end = std::min(url.find_first_of("/?#", start), url.size());
    const std::size_t at = url.substr(start, end - start).rfind('@');

    Redacted result;
    std::string& out = result.url;
    out = url.substr(0, start);
    if (at != url.npos) {
        const std::string_view user = url.substr(start, at);
        result.hide(user);
        if (const std::size_t colon = user.find(':'); colon != user.npos) {
            result.hide(user.substr(colon + 1));
        }
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
        append_query(result, url.substr(query + 1, fragment - query - 1));
    }
    out += url.substr(fragment);
    return result;
}

}  // namespace

bool is_secret_header(std::string_view name) {
    const std::string text = ascii::lower(name);
    return std::ranges::find(secret_headers, text) != secret_headers.end() ||
           ends_with_any(text, secret_header_ends);
}

std::string redact_url(std::string_view url) { return take_apart(url).url; }

std::vector<std::string> secrets_of_url(std::string_view url) { return take_apart(url).secrets; }

void mask_secrets(std::string& text, std::span<const std::string> secrets) {
    for (const std::string& secret : secrets) {
        if (secret.size() < least_masked) continue;
        for (std::size_t at = text.find(secret); at != text.npos; at = text.find(secret, at)) {
            text.replace(at, secret.size(), redacted);
            at += redacted.size();
        }
    }
}

}  // namespace herald
