#include "base/seal.h"

#include <openssl/evp.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <utility>

#include "base/bytes.h"

namespace herald {

namespace {

constexpr std::string_view version_prefix = "sealed:v1:";
constexpr std::size_t key_id_digits = 8;
constexpr std::size_t nonce_bytes = 12;
constexpr std::size_t tag_bytes = 16;

struct FreeContext {
    void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

/// OpenSSL fails here only when it is out of memory or broken.
void must(int done) {
    if (done != 1) throw std::runtime_error("OpenSSL cannot seal");
}

const unsigned char* data_of(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

unsigned char* data_of(std::string& text, std::size_t from = 0) {
    return reinterpret_cast<unsigned char*>(text.data()) + from;
}

/// The parts of a sealed text.
struct Parts {
    std::string_view key_id;
    std::string_view base64;
};

Parts split(std::string_view sealed) {
    if (!sealed.starts_with(version_prefix)) return {};
    sealed.remove_prefix(version_prefix.size());
    if (sealed.size() <= key_id_digits || sealed[key_id_digits] != ':') return {};
    return {sealed.substr(0, key_id_digits), sealed.substr(key_id_digits + 1)};
}

std::unexpected<Error> was_changed() {
    return fail(Errc::unavailable,
                "a sealed secret is damaged, or was moved here from another place");
}

}  // namespace

SealKey::SealKey(const Bytes& bytes) : bytes_(bytes) {
    std::string known = "herald-seal-key:";
    known.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    id_ = to_hex(sha256(known)).substr(0, key_id_digits);
}

Result<SealKey> SealKey::parse(std::string_view text) {
    Bytes bytes{};
    auto decoded = text.size() == bytes.size() * 2 ? from_hex(text) : from_base64(text);
    if (!decoded || decoded->size() != bytes.size()) {
        return fail(Errc::invalid,
                    "must be a key of 32 bytes: 64 hexadecimal digits or base64 (make one with "
                    "`openssl rand -hex 32`)");
    }
    std::ranges::copy(as_bytes(*decoded), bytes.begin());
    return SealKey(bytes);
}

SealKey SealKey::random() {
    Bytes bytes{};
    fill_random(bytes);
    return SealKey(bytes);
}

std::string SealKey::text() const { return to_hex(bytes_); }

Sealer::Sealer(std::vector<SealKey> keys) : keys_(std::move(keys)) {
    if (keys_.empty()) throw std::invalid_argument("a Sealer needs a key");
}

std::string Sealer::seal(std::string_view text, std::string_view place) const {
    const SealKey& key = keys_.front();
    std::array<std::uint8_t, nonce_bytes> nonce{};
    fill_random(nonce);
    std::string sealed(nonce_bytes + text.size() + tag_bytes, '\0');
    std::ranges::copy(nonce, data_of(sealed));
    const Context context(EVP_CIPHER_CTX_new());
    int size = 0;
    must(EVP_EncryptInit_ex2(context.get(), EVP_aes_256_gcm(), key.bytes_.data(), nonce.data(),
                             nullptr));
    must(EVP_EncryptUpdate(context.get(), nullptr, &size, data_of(place),
                           static_cast<int>(place.size())));
    must(EVP_EncryptUpdate(context.get(), data_of(sealed, nonce_bytes), &size, data_of(text),
                           static_cast<int>(text.size())));
    unsigned char* tag = data_of(sealed, nonce_bytes + text.size());
    must(EVP_EncryptFinal_ex(context.get(), tag, &size));
    must(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, tag_bytes, tag));
    return std::string(version_prefix) + key.id() + ":" + to_base64(as_bytes(sealed));
}

Result<std::string> Sealer::open(std::string_view sealed, std::string_view place) const {
    const Parts parts = split(sealed);
    const auto key = std::ranges::find(keys_, parts.key_id, &SealKey::id);
    auto bytes = from_base64(parts.base64);
    if (!bytes || bytes->size() < nonce_bytes + tag_bytes) return was_changed();
    if (key == keys_.end()) {
        return fail(Errc::unavailable, "a secret is sealed with the key " +
                                           std::string(parts.key_id) + ", which is not given");
    }
    std::string text(bytes->size() - nonce_bytes - tag_bytes, '\0');
    const Context context(EVP_CIPHER_CTX_new());
    int size = 0;
    must(EVP_DecryptInit_ex2(context.get(), EVP_aes_256_gcm(), key->bytes_.data(),
                             data_of(std::string_view(*bytes)), nullptr));
    must(EVP_DecryptUpdate(context.get(), nullptr, &size, data_of(place),
                           static_cast<int>(place.size())));
    must(EVP_DecryptUpdate(context.get(), data_of(text), &size, data_of(*bytes, nonce_bytes),
                           static_cast<int>(text.size())));
    unsigned char* tag = data_of(*bytes, nonce_bytes + text.size());
    must(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, tag_bytes, tag));
    if (EVP_DecryptFinal_ex(context.get(), tag, &size) != 1) return was_changed();
    return text;
}

bool Sealer::is_current(std::string_view sealed) const {
    return split(sealed).key_id == keys_.front().id();
}

}  // namespace herald
