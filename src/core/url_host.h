#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace herald {

/// The host of a URL by the rules of the WHATWG URL Standard (section 3.5, host parsing), in the
/// one form that everything after works with: lower case, percent-decoded, an IPv4 address in any
/// of its spellings ("0x7f.1", "2130706433", "127.0.0.1.") as four decimal numbers, an IPv6
/// address as RFC 5952 writes it, without brackets. Stricter than the standard: zones and names
/// that are not ASCII are refused, and a name is made of letters, digits, '-' and '_'.
/// `written` is what stands in the URL, with the brackets of an IPv6 address. Gives what is wrong
/// and the fix, or nothing and sets `host`.
[[nodiscard]] std::optional<std::string> read_url_host(std::string_view written, std::string& host);

}  // namespace herald
