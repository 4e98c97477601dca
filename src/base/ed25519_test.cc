#include "base/ed25519.h"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace herald {
namespace {

std::array<std::uint8_t, 32> bytes32(std::string_view hex) {
    std::array<std::uint8_t, 32> bytes{};
    const std::string text = from_hex(hex).value_or("");
    EXPECT_EQ(text.size(), bytes.size());
    std::ranges::copy_n(as_bytes(text).begin(), bytes.size(), bytes.begin());
    return bytes;
}

struct Vector {
    std::string_view seed;
    std::string_view public_key;
    std::string_view message;
    std::string_view signature;
};

// RFC 8032, 7.1: tests 1 to 3.
constexpr Vector vectors[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9"
     "b46bd25bf5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "\x72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f1"
     "1d8c387b2eaeb4302aeeb00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "\xaf\x82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984d"
     "c6594a7c15e9716ed28dc027beceea1ec40a"},
};

TEST(Ed25519, SignsAndVerifiesThePublishedVectors) {
    for (const Vector& v : vectors) {
        Ed25519Key key(bytes32(v.seed));
        EXPECT_EQ(to_hex(key.public_key()), v.public_key);
        const auto signature = key.sign(v.message);
        EXPECT_EQ(to_hex(signature), v.signature);
        EXPECT_EQ(to_hex(key.sign(v.message)), v.signature) << "a key signs many messages";
        EXPECT_TRUE(ed25519_verify(key.public_key(), v.message, signature));
    }
}

TEST(Ed25519, RefusesWhatIsNotTheSignature) {
    Ed25519Key key(bytes32(vectors[0].seed));
    const auto good = key.sign("message");
    EXPECT_FALSE(ed25519_verify(key.public_key(), "massage", good));
    auto bad = good;
    bad[10] ^= 1;
    EXPECT_FALSE(ed25519_verify(key.public_key(), "message", bad));
    EXPECT_FALSE(ed25519_verify(bytes32(vectors[1].public_key), "message", good));
    EXPECT_FALSE(ed25519_verify(key.public_key(), "message", std::span(good).first(63)));
    EXPECT_FALSE(ed25519_verify(key.public_key(), "message", {}));
    std::array<std::uint8_t, 32> no_point{};
    no_point.fill(0xff);
    EXPECT_FALSE(ed25519_verify(no_point, "message", good));
}

}  // namespace
}  // namespace herald
