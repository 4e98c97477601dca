#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/result.h"

namespace herald {

struct PemFree {
    void operator()(X509* certificate) const { X509_free(certificate); }
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using CertificatePtr = std::unique_ptr<X509, PemFree>;
using PrivateKeyPtr = std::unique_ptr<EVP_PKEY, PemFree>;

/// The certificates in a PEM text, in its order: at least one. Text between them is skipped, as
/// every tool does. The error is a sentence without a subject that says what is wrong and the fix.
[[nodiscard]] Result<std::vector<CertificatePtr>> read_certificates(std::string_view pem);

/// The private key in a PEM text, without a passphrase. The error is as of read_certificates and
/// holds nothing of the key.
[[nodiscard]] Result<PrivateKeyPtr> read_private_key(std::string_view pem);

/// Whether the key is that of the certificate.
[[nodiscard]] bool fits(const PrivateKeyPtr& key, const CertificatePtr& certificate);

}  // namespace herald
