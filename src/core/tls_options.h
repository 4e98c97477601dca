#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "core/options.h"

namespace herald {

/// How a webhook's TLS connections differ from all others: the group `tls`. PEM texts; empty: as
/// all others.
struct TlsOptions {
    std::string ca;  ///< whom to trust, instead of the system's or the configured certificates
    std::string certificate;  ///< what herald shows of itself, with its chain behind it
    std::string key;          ///< secret: the certificate's

    bool operator==(const TlsOptions&) const = default;
};

/// Reads the group; what is missing has its default.
[[nodiscard]] TlsOptions read_tls_options(JsonView value, JsonView stored,
                                          std::vector<FieldError>& wrong);
void append_tls_options(std::string& out, const TlsOptions& options, SecretForm form);

/// Notes what is wrong: "/tls/ca", "/tls/certificate", "/tls/key". Certificates and key must
/// parse, at most limits::pem_bytes each, and the key must be the certificate's.
void check(const TlsOptions& options, std::vector<FieldError>& wrong);

}  // namespace herald
