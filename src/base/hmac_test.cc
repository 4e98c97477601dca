#include "base/hmac.h"

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace herald {
namespace {

TEST(Hmac, SignsPartsAsOneTextAndCanBeUsedAgain) {
    // RFC 4231, test case 2.
    Hmac mac(HashAlgorithm::sha256, "Jefe");
    const std::string_view whole[] = {"what do ya want for nothing?"};
    const std::string_view parts[] = {"what do ya ", "", "want for nothing?"};
    constexpr auto expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
    EXPECT_EQ(to_hex(mac.sign(whole)), expected);
    EXPECT_EQ(to_hex(mac.sign(parts)), expected);
    Hmac moved = std::move(mac);
    EXPECT_EQ(to_hex(moved.sign(whole)), expected);
}

TEST(Hmac, KnowsTheAlgorithms) {
    struct Case {
        std::string_view name;
        std::string_view code;
    };
    // RFC 2202 and RFC 4231, test case 2 of both.
    const Case cases[] = {
        {"sha1", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"},
        {"sha224", "a30e01098bc6dbbf45690f3a7e9e6d0f8bbea2a39e6148008fd05e44"},
        {"sha256", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {"sha384",
         "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e"
         "8e2240ca5e69e2c78b3239ecfab21649"},
        {"sha512",
         "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
         "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"},
    };
    const std::string_view message[] = {"what do ya want for nothing?"};
    for (const auto& [name, code] : cases) {
        const auto algorithm = parse_hash_algorithm(name);
        ASSERT_TRUE(algorithm) << name;
        EXPECT_EQ(to_text(*algorithm), name);
        EXPECT_EQ(to_hex(Hmac(*algorithm, "Jefe").sign(message)), code) << name;
    }
    EXPECT_FALSE(parse_hash_algorithm("md5"));
    EXPECT_FALSE(parse_hash_algorithm("SHA256"));
    EXPECT_FALSE(parse_hash_algorithm(""));
}

TEST(Hmac, TakesAnEmptyKey) {
    const std::string_view nothing[] = {""};
    EXPECT_EQ(to_hex(Hmac(HashAlgorithm::sha256, "").sign(nothing)),
              "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

}  // namespace
}  // namespace herald
