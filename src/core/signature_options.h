#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/hmac.h"
#include "base/json.h"
#include "base/result.h"
#include "core/options.h"

namespace herald {

enum class SignatureEncoding : std::uint8_t { hex, base64 };
[[nodiscard]] std::string_view to_text(SignatureEncoding encoding);
[[nodiscard]] std::optional<SignatureEncoding> parse_signature_encoding(std::string_view text);

/// How the profile `hmac` writes its signature: the group of options `signature`. The defaults are
/// those of Ansible's webhook source: ansible.eda.webhook.
struct SignatureOptions {
    std::string header = "X-Hub-Signature-256";
    std::string prefix;  ///< stands before the code, such as "sha256="
    SignatureEncoding encoding = SignatureEncoding::hex;
    HashAlgorithm algorithm = HashAlgorithm::sha256;

    bool operator==(const SignatureOptions&) const = default;
};

/// Reads {"header", "prefix", "encoding", "algorithm"}; null is the default.
[[nodiscard]] SignatureOptions read_signature_options(JsonView value,
                                                      std::vector<FieldError>& wrong);
void append_signature_options(std::string& out, const SignatureOptions& options);

}  // namespace herald
