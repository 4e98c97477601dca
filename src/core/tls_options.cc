#include "core/tls_options.h"

#include <string_view>
#include <utility>

#include "core/limits.h"
#include "core/pem.h"
#include "core/reference.h"

namespace herald {

namespace {

constexpr std::string_view ca_pointer = "/tls/ca";
constexpr std::string_view certificate_pointer = "/tls/certificate";
constexpr std::string_view key_pointer = "/tls/key";

/// What `read` makes of the text; empty, and the complaint noted, when it cannot be read.
template <class Value>
Value checked(std::string_view pointer, const std::string& pem,
              Result<Value> (*read)(std::string_view), std::vector<FieldError>& wrong) {
    if (pem.size() > limits::pem_bytes) {
        wrong.push_back({std::string(pointer),
                         "must be at most " + std::to_string(limits::pem_bytes) + " bytes"});
        return {};
    }
    Result<Value> value = read(pem);
    if (value) return std::move(*value);
    wrong.push_back({std::string(pointer), value.error().message});
    return {};
}

}  // namespace

TlsOptions read_tls_options(JsonView value, JsonView stored, std::vector<FieldError>& wrong) {
    TlsOptions options;
    OptionReader reader(value, "/tls", stored, wrong);
    options.ca = reader.text("ca");
    options.certificate = reader.text("certificate");
    options.key = reader.secret("key");
    reader.finish();
    return options;
}

void append_tls_options(std::string& out, const TlsOptions& options, SecretForm form) {
    OptionWriter writer(out, form);
    writer.text_or_null("ca", options.ca);
    writer.text_or_null("certificate", options.certificate);
    writer.secret("key", options.key);
    writer.finish();
}

void check(const TlsOptions& options, std::vector<FieldError>& wrong) {
    if (!options.ca.empty()) checked(ca_pointer, options.ca, read_certificates, wrong);
    if (options.certificate.empty() && options.key.empty()) return;
    if (options.certificate.empty()) {
        wrong.push_back({std::string(certificate_pointer),
                         "is required with a key: give the certificate that the key is for"});
        return;
    }
    if (options.key.empty()) {
        wrong.push_back(
            {std::string(key_pointer), "is required with a certificate: give its private key"});
    }
    const auto chain = checked(certificate_pointer, options.certificate, read_certificates, wrong);
    if (options.key.empty()) return;
    if (auto complaint = reference_complaint(options.key); !complaint.empty()) {
        wrong.push_back({std::string(key_pointer), std::move(complaint)});
        return;
    }
    if (parse_reference(options.key)) return;  // what it stands for is known when it is used
    const auto key = checked(key_pointer, options.key, read_private_key, wrong);
    if (chain.empty() || !key || fits(key, chain.front())) return;
    wrong.push_back({std::string(key_pointer),
                     "is not the key of the certificate: give the one that belongs to the first "
                     "certificate of tls.certificate"});
}

}  // namespace herald
