#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace herald {

/// What stands where a secret was.
inline constexpr std::string_view redacted = "***";

/// Whether a header's value may never be stored or shown (contract 5.4): webhook-signature,
/// Authorization, Proxy-Authorization, Cookie, Set-Cookie, X-API-Key, X-INFRAHUB-KEY, and names
/// that end in -token, -secret, -key or -password. Any case.
[[nodiscard]] bool is_secret_header(std::string_view name);

/// The URL with userinfo and the values of secret query parameters (token, access_token, key,
/// api_key, apikey, secret, sig, signature, password, and names that end in _token, _secret, _key,
/// _signature or _password) masked. Works by text, so also on a URL that does not parse.
[[nodiscard]] std::string redact_url(std::string_view url);

/// What redact_url() masks: the userinfo, its password, and the values of secret parameters, as
/// they stand in the URL and as their receiver reads them.
[[nodiscard]] std::vector<std::string> secrets_of_url(std::string_view url);

/// Masks every occurrence of a secret in what a receiver said: it may repeat what it was sent.
/// Secrets of less than 6 characters are left: they would be found everywhere.
void mask_secrets(std::string& text, std::span<const std::string> secrets);

}  // namespace herald
