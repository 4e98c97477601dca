#include "base/ed25519.h"

#include <openssl/evp.h>

#include <stdexcept>

#include "base/bytes.h"

namespace herald {

namespace {

struct FreeKey {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct FreeDigest {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Key = std::unique_ptr<EVP_PKEY, FreeKey>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, FreeDigest>;

}  // namespace

struct Ed25519Key::Context {
    Key key;
    DigestContext digest;
};

Ed25519Key::Ed25519Key(const Seed& seed) : context_(std::make_unique<Context>()) {
    context_->key.reset(
        EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.data(), seed.size()));
    context_->digest.reset(EVP_MD_CTX_new());
    std::size_t size = public_key_.size();
    if (!context_->key || !context_->digest ||
        EVP_PKEY_get_raw_public_key(context_->key.get(), public_key_.data(), &size) != 1) {
        throw std::runtime_error("Ed25519 is not available");
    }
}

Ed25519Key::~Ed25519Key() = default;
Ed25519Key::Ed25519Key(Ed25519Key&&) noexcept = default;
Ed25519Key& Ed25519Key::operator=(Ed25519Key&&) noexcept = default;

Ed25519Key::Signature Ed25519Key::sign(std::string_view message) {
    EVP_MD_CTX* digest = context_->digest.get();
    Signature signature{};
    std::size_t size = signature.size();
    const auto bytes = as_bytes(message);
    if (EVP_DigestSignInit(digest, nullptr, nullptr, nullptr, context_->key.get()) != 1 ||
        EVP_DigestSign(digest, signature.data(), &size, bytes.data(), bytes.size()) != 1) {
        throw std::runtime_error("Ed25519 failed");
    }
    EVP_MD_CTX_reset(digest);
    return signature;
}

bool ed25519_verify(const Ed25519Key::PublicKey& key, std::string_view message,
                    std::span<const std::uint8_t> signature) {
    const Key point(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, key.data(), key.size()));
    const DigestContext digest(EVP_MD_CTX_new());
    const auto bytes = as_bytes(message);
    return point && digest &&
           EVP_DigestVerifyInit(digest.get(), nullptr, nullptr, nullptr, point.get()) == 1 &&
           EVP_DigestVerify(digest.get(), signature.data(), signature.size(), bytes.data(),
                            bytes.size()) == 1;
}

}  // namespace herald
