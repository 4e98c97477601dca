#include "core/tls_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/limits.h"
#include "support/raw_receiver.h"

namespace herald {
namespace {

using test::pem_text;
using testing::HasSubstr;

/// "pointer: detail" of all that is wrong, one a line.
std::string wrong_with(const TlsOptions& options) {
    std::vector<FieldError> wrong;
    check(options, wrong);
    std::string out;
    for (const FieldError& one : wrong) out += one.pointer + ": " + one.detail + "\n";
    return out;
}

TEST(TlsOptions, NothingIsFine) { EXPECT_EQ(wrong_with({}), ""); }

TEST(TlsOptions, CertificatesOfOneAuthorityOrMore) {
    EXPECT_EQ(wrong_with({.ca = pem_text("ca.pem")}), "");
    EXPECT_EQ(wrong_with({.ca = pem_text("ca.pem") + "a comment\n" + pem_text("other-ca.pem")}),
              "");
}

TEST(TlsOptions, ACertificateWithItsChainAndItsKey) {
    const TlsOptions good{.certificate = pem_text("client-chain.pem"),
                          .key = pem_text("client.key")};
    EXPECT_EQ(wrong_with(good), "");
}

TEST(TlsOptions, AKeyThatLiesOutsideIsLookedAtWhenItIsUsed) {
    EXPECT_EQ(wrong_with({.certificate = pem_text("client-chain.pem"), .key = "env:CLIENT_KEY"}),
              "");
    EXPECT_THAT(wrong_with({.certificate = pem_text("client-chain.pem"), .key = "env:"}),
                HasSubstr("/tls/key: "));
}

TEST(TlsOptions, TextThatHoldsNoCertificate) {
    EXPECT_EQ(wrong_with({.ca = "/etc/ssl/ca.pem"}),
              "/tls/ca: holds no certificate: give the text of a PEM file, which has a line "
              "-----BEGIN CERTIFICATE-----\n");
    EXPECT_THAT(wrong_with({.certificate = pem_text("client.key"), .key = pem_text("client.key")}),
                HasSubstr("/tls/certificate: holds no certificate"));
}

TEST(TlsOptions, ACertificateThatIsCutOff) {
    const std::string whole = pem_text("ca.pem");
    EXPECT_EQ(wrong_with({.ca = whole + whole.substr(0, whole.size() / 2)}),
              "/tls/ca: has a certificate that cannot be read, its number 2: copy the whole text "
              "of the PEM file\n");
    std::string damaged = whole;
    damaged.replace(damaged.find("MII"), 3, "AAA");
    EXPECT_THAT(wrong_with({.ca = damaged}), HasSubstr("its number 1"));
}

TEST(TlsOptions, OneWithoutTheOther) {
    EXPECT_THAT(wrong_with({.certificate = pem_text("client-chain.pem")}),
                HasSubstr("/tls/key: is required with a certificate"));
    EXPECT_THAT(wrong_with({.key = pem_text("client.key")}),
                HasSubstr("/tls/certificate: is required with a key"));
}

TEST(TlsOptions, TheKeyOfAnother) {
    EXPECT_EQ(
        wrong_with({.certificate = pem_text("client-chain.pem"), .key = pem_text("valid.key")}),
        "/tls/key: is not the key of the certificate: give the one that belongs to the "
        "first certificate of tls.certificate\n");
    // The chain the wrong way round.
    EXPECT_THAT(wrong_with({.certificate = pem_text("between.pem") + pem_text("client-chain.pem"),
                            .key = pem_text("client.key")}),
                HasSubstr("/tls/key: is not the key"));
}

TEST(TlsOptions, AKeyThatCannotBeRead) {
    const std::string certificate = pem_text("client-chain.pem");
    EXPECT_THAT(wrong_with({.certificate = certificate, .key = pem_text("encrypted.key")}),
                HasSubstr("/tls/key: is encrypted with a passphrase"));
    const std::string secret = "not-a-key-but-secret";
    const std::string wrong = wrong_with({.certificate = certificate, .key = secret});
    EXPECT_THAT(wrong, HasSubstr("/tls/key: holds no private key"));
    EXPECT_THAT(wrong, Not(HasSubstr(secret)));
}

TEST(TlsOptions, TheKeyIsMaskedAndTheMaskStandsForIt) {
    const TlsOptions options{.ca = "a", .certificate = "b", .key = "c"};
    std::string shown;
    append_tls_options(shown, options, SecretForm::masked);
    EXPECT_EQ(shown, R"({"ca":"a","certificate":"b","key":"***"})");
    std::string stored;
    append_tls_options(stored, options, SecretForm::plain);
    std::vector<FieldError> wrong;
    EXPECT_EQ(read_tls_options(JsonView(shown), JsonView(stored), wrong), options);
    EXPECT_TRUE(wrong.empty());
}

TEST(TlsOptions, TextsAreBounded) {
    const std::string large(limits::pem_bytes + 1, '\n');
    EXPECT_EQ(wrong_with({.ca = large}), "/tls/ca: must be at most 65536 bytes\n");
    EXPECT_EQ(wrong_with({.certificate = large, .key = large}),
              "/tls/certificate: must be at most 65536 bytes\n"
              "/tls/key: must be at most 65536 bytes\n");
}

}  // namespace
}  // namespace herald
