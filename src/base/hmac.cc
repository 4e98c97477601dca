#include "base/hmac.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>

#include "base/bytes.h"

namespace herald {

namespace {

constexpr std::array<std::string_view, 5> names{"sha1", "sha224", "sha256", "sha384", "sha512"};

}  // namespace

std::string_view to_text(HashAlgorithm algorithm) {
    return names.at(static_cast<std::size_t>(algorithm));
}

std::optional<HashAlgorithm> parse_hash_algorithm(std::string_view text) {
    const auto found = std::ranges::find(names, text);
    if (found == names.end()) return std::nullopt;
    return static_cast<HashAlgorithm>(found - names.begin());
}

struct Hmac::Context {
    EVP_MAC_CTX* mac = nullptr;
    std::array<std::uint8_t, EVP_MAX_MD_SIZE> code{};

    Context(HashAlgorithm algorithm, std::string_view key) {
        EVP_MAC* hmac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
        mac = EVP_MAC_CTX_new(hmac);
        EVP_MAC_free(hmac);
        std::string digest(to_text(algorithm));
        const OSSL_PARAM params[] = {
            OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
            OSSL_PARAM_construct_end()};
        // An empty key is a key too; OpenSSL takes a null pointer for "keep the old one".
        const auto* bytes = reinterpret_cast<const unsigned char*>(key.empty() ? "" : key.data());
        if (mac == nullptr || EVP_MAC_init(mac, bytes, key.size(), params) != 1) {
            EVP_MAC_CTX_free(mac);
            throw std::runtime_error("HMAC with " + digest + " is not available");
        }
    }
    ~Context() { EVP_MAC_CTX_free(mac); }
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;
};

Hmac::Hmac(HashAlgorithm algorithm, std::string_view key)
    : context_(std::make_unique<Context>(algorithm, key)) {}
Hmac::~Hmac() = default;
Hmac::Hmac(Hmac&&) noexcept = default;
Hmac& Hmac::operator=(Hmac&&) noexcept = default;

std::span<const std::uint8_t> Hmac::sign(std::span<const std::string_view> parts) {
    EVP_MAC_CTX* mac = context_->mac;
    bool ok = EVP_MAC_init(mac, nullptr, 0, nullptr) == 1;
    for (const std::string_view part : parts) {
        ok = ok && EVP_MAC_update(mac, as_bytes(part).data(), part.size()) == 1;
    }
    std::size_t size = 0;
    auto& code = context_->code;
    if (!ok || EVP_MAC_final(mac, code.data(), &size, code.size()) != 1) {
        throw std::runtime_error("HMAC failed");
    }
    return std::span(code).first(size);
}

}  // namespace herald
