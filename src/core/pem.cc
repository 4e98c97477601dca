#include "core/pem.h"

#include <climits>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

namespace herald {

namespace {

struct BioFree {
    void operator()(BIO* bio) const { BIO_free(bio); }
};
using BioPtr = std::unique_ptr<BIO, BioFree>;

/// Forgets what OpenSSL has noted of a failure: others would take it for theirs.
struct ErrorsForgotten {
    ErrorsForgotten() = default;
    ~ErrorsForgotten() { ERR_clear_error(); }
    ErrorsForgotten(const ErrorsForgotten&) = delete;
    ErrorsForgotten& operator=(const ErrorsForgotten&) = delete;
};

BioPtr reader(std::string_view text) {
    const auto size = static_cast<int>(std::min(text.size(), std::size_t{INT_MAX}));
    return BioPtr(BIO_new_mem_buf(text.data(), size));
}

/// Whether the last read failed only because nothing was left to read.
bool was_the_end() {
    const unsigned long error = ERR_peek_last_error();
    return ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

/// Nobody can type a passphrase here; OpenSSL would ask on the terminal.
int no_passphrase(char*, int, int, void*) { return -1; }

}  // namespace

Result<std::vector<CertificatePtr>> read_certificates(std::string_view pem) {
    const ErrorsForgotten after;
    const BioPtr bio = reader(pem);
    std::vector<CertificatePtr> all;
    for (;;) {
        ERR_clear_error();
        CertificatePtr one(PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr));
        if (!one) break;
        all.push_back(std::move(one));
    }
    if (!was_the_end()) {
        return fail(Errc::invalid, "has a certificate that cannot be read, its number " +
                                       std::to_string(all.size() + 1) +
                                       ": copy the whole text of the PEM file");
    }
    if (all.empty()) {
        return fail(Errc::invalid,
                    "holds no certificate: give the text of a PEM file, which has a line "
                    "-----BEGIN CERTIFICATE-----");
    }
    return all;
}

Result<PrivateKeyPtr> read_private_key(std::string_view pem) {
    const ErrorsForgotten after;
    if (pem.contains("ENCRYPTED")) {
        return fail(Errc::invalid,
                    "is encrypted with a passphrase: give the key without one, as `openssl pkey "
                    "-in key.pem` writes it");
    }
    const BioPtr bio = reader(pem);
    PrivateKeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
    if (!key) {
        return fail(Errc::invalid,
                    "holds no private key that can be read: give the text of a PEM file, which has "
                    "a line -----BEGIN PRIVATE KEY-----");
    }
    return key;
}

bool fits(const PrivateKeyPtr& key, const CertificatePtr& certificate) {
    const ErrorsForgotten after;
    return X509_check_private_key(certificate.get(), key.get()) == 1;
}

}  // namespace herald
