#include <algorithm>
#include <array>
#include <string_view>

#include "core/ascii.h"
#include "transform/git_mirror.h"

namespace herald {

namespace {

constexpr std::size_t longest_location = 2'048;
constexpr std::string_view forms =
    "write the absolute path of a repository on this machine, or a URL such as "
    "https://host/name.git, ssh://git@host/name.git, git@host:name.git or file:///path";

/// The shape of a name that is handed to ssh: it cannot be taken for an option.
bool is_plain_name(std::string_view name) {
    const auto plain = [](char c) {
        return ascii::is_letter(c) || ascii::is_digit(c) || std::string_view("-._").contains(c);
    };
    return !name.empty() && name.front() != '-' && std::ranges::all_of(name, plain);
}

/// user@host:path
bool is_short_form(std::string_view text) {
    const std::size_t at = text.find('@');
    const std::size_t colon = text.find(':');
    if (at == text.npos || colon == text.npos || colon < at) return false;
    return is_plain_name(text.substr(0, at)) &&
           is_plain_name(text.substr(at + 1, colon - at - 1)) && colon + 1 < text.size() &&
           text[colon + 1] != '-';
}

std::string url_complaint(std::string_view scheme, std::string_view rest) {
    constexpr std::array<std::string_view, 4> known{"https", "ssh", "http", "file"};
    if (std::ranges::find(known, scheme) == known.end()) return std::string(forms);
    const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
    const std::size_t at = authority.rfind('@');
    const std::string_view user = at == authority.npos ? "" : authority.substr(0, at);
    const std::string_view host = at == authority.npos ? authority : authority.substr(at + 1);
    if (user.contains(':')) {
        return "write no password into the location: everybody may see it. It goes into password";
    }
    if (scheme == "file") {
        return host.empty() && rest.size() > 1 ? "" : std::string(forms);
    }
    const bool odd = host.empty() || host.front() == '-' || user.starts_with('-');
    return odd || rest.size() == authority.size() ? std::string(forms) : std::string();
}

}  // namespace

std::string location_complaint(const std::string& location) {
    const auto odd = [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == '\x7f'; };
    if (location.size() > longest_location || std::ranges::any_of(location, odd)) {
        return std::string(forms) + "; without spaces, at most 2,048 bytes";
    }
    if (is_local(location)) return {};
    const std::size_t end = location.find("://");
    if (end != location.npos) {
        const std::string_view text = location;
        return url_complaint(text.substr(0, end), text.substr(end + 3));
    }
    return is_short_form(location) ? std::string() : std::string(forms);
}

bool is_local(const std::string& location) { return location.starts_with('/'); }

}  // namespace herald
