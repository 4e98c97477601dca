#include "base/seal.h"

#include <gmock/gmock.h>

namespace herald {
namespace {

using testing::HasSubstr;
using namespace std::string_view_literals;

constexpr std::string_view hex_key =
    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
constexpr std::string_view base64_key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

Sealer sealer_of(std::string_view key) { return Sealer({*SealKey::parse(key)}); }

TEST(SealKey, IsReadFromHexAndBase64) {
    const auto hex = SealKey::parse(hex_key);
    const auto base64 = SealKey::parse(base64_key);
    ASSERT_TRUE(hex && base64);
    EXPECT_EQ(hex->text(), hex_key);
    EXPECT_EQ(base64->text(), hex_key);
    EXPECT_EQ(hex->id(), base64->id());
    EXPECT_EQ(hex->id().size(), 8U);
    EXPECT_NE(SealKey::random().text(), SealKey::random().text());
}

TEST(SealKey, RefusesEverythingElseWithoutRepeatingIt) {
    for (const std::string text :
         {"", "password", "00010203", "AAECAwQFBgcICQoLDA0ODw==", "not base64 not base64 !",
          "z00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"}) {
        const auto key = SealKey::parse(text);
        ASSERT_FALSE(key) << text;
        EXPECT_THAT(key.error().message, HasSubstr("openssl rand -hex 32"));
        EXPECT_TRUE(text.empty() || !key.error().message.contains(text)) << text;
    }
}

TEST(Sealer, OpensWhatItSealed) {
    const Sealer sealer = sealer_of(hex_key);
    for (const std::string_view text : {""sv, "s"sv, "supersecretkey"sv, "\x00\x01\xff Z\xc3"sv}) {
        const std::string sealed = sealer.seal(text, "a/url");
        EXPECT_TRUE(sealed.starts_with("sealed:v1:" + SealKey::parse(hex_key)->id() + ":"));
        EXPECT_FALSE(text.size() > 1 && sealed.contains(text));
        EXPECT_EQ(sealer.open(sealed, "a/url"), text);
        EXPECT_NE(sealer.seal(text, "a/url"), sealed) << "equal texts do not look equal";
    }
    const std::string large(1'000'000, 'x');
    EXPECT_EQ(sealer.open(sealer.seal(large, "p"), "p"), large);
}

TEST(Sealer, OpensWhatWasSealedByAnotherProgram) {
    // Made with Node's crypto: a nonce of 12 zero bytes, additional data "u/shared_key".
    EXPECT_EQ(sealer_of(hex_key).open(
                  "sealed:v1:a8dab354:AAAAAAAAAAAAAAAAfcnFu8df5t56zd1efVWQ8krnAYDBKJJ9S+gF71cA",
                  "u/shared_key"),
              "supersecretkey");
}

TEST(Sealer, OpensNothingThatWasChangedOrMoved) {
    const Sealer sealer = sealer_of(hex_key);
    const std::string sealed = sealer.seal("supersecretkey", "a/shared_key");
    EXPECT_FALSE(sealer.open(sealed, "b/shared_key")) << "of another webhook";
    EXPECT_FALSE(sealer.open(sealed, "a/url")) << "of another column";
    // The last digits before the padding may hold bits that mean nothing.
    for (std::size_t at = 0; at + 3 < sealed.size(); ++at) {
        std::string changed = sealed;
        changed[at] = changed[at] == 'A' ? 'B' : 'A';
        EXPECT_FALSE(sealer.open(changed, "a/shared_key")) << at;
    }
    for (std::size_t size = 0; size < sealed.size() - 2; ++size) {
        EXPECT_FALSE(sealer.open(sealed.substr(0, size), "a/shared_key")) << size;
    }
    EXPECT_FALSE(sealer.open("supersecretkey", "a/shared_key")) << "never sealed";
}

TEST(Sealer, NamesTheKeyThatIsMissing) {
    const std::string sealed = sealer_of(hex_key).seal("s", "p");
    const auto opened = Sealer({SealKey::random()}).open(sealed, "p");
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Errc::unavailable);
    EXPECT_THAT(opened.error().message, HasSubstr(SealKey::parse(hex_key)->id()));
}

TEST(Sealer, TheFirstKeySealsAndEveryKeyOpens) {
    const SealKey fresh = SealKey::random();
    const Sealer before = sealer_of(hex_key);
    const Sealer after({fresh, *SealKey::parse(hex_key)});
    const std::string old = before.seal("s", "p");
    EXPECT_EQ(after.open(old, "p"), "s");
    EXPECT_FALSE(after.is_current(old));
    EXPECT_TRUE(before.is_current(old));
    const std::string renewed = after.seal("s", "p");
    EXPECT_TRUE(after.is_current(renewed));
    EXPECT_EQ(Sealer({fresh}).open(renewed, "p"), "s");
    EXPECT_FALSE(before.open(renewed, "p"));
}

}  // namespace
}  // namespace herald
