#include "core/key_rotation.h"

#include <gtest/gtest.h>

#include "core/limits.h"

namespace herald {
namespace {

using namespace std::chrono_literals;

constexpr Time now{1'800'000'000s};
const std::string old_key = "the old key";
const std::string new_key = "the new key";
const std::string whsec = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const std::string whsk = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbc=";

/// A change from one key and rotation to others.
struct Change {
    std::string from = old_key;
    KeyRotation stored = {};
    std::string to = new_key;
    KeyRotation given = {};

    [[nodiscard]] Result<KeyRotation> made() const {
        return rotate({from, stored}, {to, given}, now);
    }
    [[nodiscard]] std::string pointer() const {
        const auto result = made();
        return result ? "" : result.error().fields.at(0).pointer;
    }
};

KeyRotation until(Duration from_now, std::optional<KeyUse> accepted = {}) {
    return {.previous_key = "before", .until = now + from_now, .accepted = accepted};
}

TEST(KeyRotation, AGraceKeepsTheOldKey) {
    const auto made = Change{.given = {.grace = 24h}}.made();
    ASSERT_TRUE(made);
    EXPECT_EQ(*made, (KeyRotation{.previous_key = old_key, .until = now + 24h}));
    EXPECT_TRUE(made->is_on(now));
    EXPECT_TRUE(made->is_on(now + 24h - 1us));
    EXPECT_FALSE(made->is_on(now + 24h));
}

TEST(KeyRotation, AGraceDuringARotationReplacesIt) {
    KeyRotation given = until(1h, KeyUse::previous);
    given.grace = 2h;
    const auto made = Change{.stored = until(1h, KeyUse::previous), .given = given}.made();
    ASSERT_TRUE(made);
    EXPECT_EQ(*made, (KeyRotation{.previous_key = old_key, .until = now + 2h}));
}

TEST(KeyRotation, WithoutAGraceAnotherKeyEndsIt) {
    EXPECT_EQ(*Change{}.made(), KeyRotation{});
    EXPECT_EQ(*(Change{.stored = until(1h), .given = until(1h, KeyUse::both)}.made()),
              KeyRotation{});
}

TEST(KeyRotation, OtherChangesLeaveItAsItIs) {
    const auto on = until(1h, KeyUse::previous);
    EXPECT_EQ(*(Change{.stored = on, .to = old_key, .given = on}.made()), on);
    const auto over = until(-1us);
    EXPECT_EQ(*(Change{.stored = over, .to = old_key, .given = over}.made()), KeyRotation{});
    EXPECT_EQ(*(Change{.stored = on, .to = old_key}.made()), KeyRotation{}) << "ended by hand";
}

TEST(KeyRotation, MayBeGivenByName) {
    EXPECT_EQ(*(Change{.given = until(1h)}.made()), until(1h));
    const auto longer = until(2h, KeyUse::previous);
    EXPECT_EQ(*(Change{.stored = until(1h), .to = old_key, .given = longer}.made()), longer);
    KeyRotation another = longer;
    another.previous_key = "another";
    const auto made = Change{.stored = until(1h), .to = old_key, .given = another}.made();
    EXPECT_EQ(made->accepted, std::nullopt);
}

TEST(KeyRotation, SaysWhatIsWrong) {
    EXPECT_EQ((Change{.to = old_key, .given = {.grace = 1h}}.pointer()), "/key_rotation/grace");
    EXPECT_EQ((Change{.from = "", .given = {.grace = 1h}}.pointer()), "/key_rotation/grace");
    EXPECT_EQ((Change{.given = until(-1s)}.pointer()), "/key_rotation/until");
    EXPECT_EQ((Change{.given = until(limits::key_grace_max + 1s)}.pointer()),
              "/key_rotation/until");
    EXPECT_EQ((Change{.given = until(limits::key_grace_max)}.pointer()), "");
}

TEST(KeyRotation, IsWrongWhenItIsHalfOrDoesNotFit) {
    const auto pointer = [](const KeyRotation& rotation, SignatureProfile profile) {
        const auto valid = validate(rotation, profile);
        return valid ? "" : valid.error().fields.at(0).pointer;
    };
    using enum SignatureProfile;
    EXPECT_EQ(pointer({}, github), "");
    EXPECT_EQ(pointer({.previous_key = old_key}, github), "/key_rotation/until");
    EXPECT_EQ(pointer({.until = now}, github), "/key_rotation/until");
    EXPECT_EQ(pointer({.previous_key = old_key, .until = now}, github), "");
    EXPECT_EQ(pointer({.previous_key = old_key, .until = now}, standard),
              "/key_rotation/previous_key");
}

TEST(KeyRotation, AnOldKeySignsByTheProfileThatItFits) {
    using enum SignatureProfile;
    EXPECT_EQ(previous_profile(github, old_key), github);
    EXPECT_EQ(previous_profile(standard, whsec), standard);
    EXPECT_EQ(previous_profile(ed25519, whsec), standard);
    EXPECT_EQ(previous_profile(standard, whsk), ed25519);
    EXPECT_EQ(previous_profile(ed25519, old_key), std::nullopt);
    EXPECT_EQ(previous_profile(gitlab_token, old_key), std::nullopt);
}

TEST(KeyRotation, ListsCarryBothAndOthersAreProbed) {
    const auto uses = [](SignatureProfile profile) {
        std::string text;
        for (const KeyUse use : key_uses(profile)) text += std::string(to_text(use)) + " ";
        return text;
    };
    using enum SignatureProfile;
    for (const auto profile : {infrahub, spaced, repr, standard, ed25519}) {
        EXPECT_EQ(uses(profile), "both current previous ") << to_text(profile);
    }
    for (const auto profile : {github, hmac, gitlab_token, netbox}) {
        EXPECT_EQ(uses(profile), "current previous ") << to_text(profile);
    }
}

TEST(KeyRotation, IsShownWithoutTheKeyAndReadBack) {
    const KeyRotation rotation = until(1h, KeyUse::both);
    std::string plain;
    append_key_rotation(plain, rotation, SecretForm::plain);
    std::string shown;
    append_key_rotation(shown, rotation, SecretForm::masked);
    EXPECT_EQ(shown.find("before"), shown.npos) << shown;
    EXPECT_EQ(JsonView(shown).string("previous_key"), "***");
    EXPECT_EQ(JsonView(shown).string("previous_key_fingerprint"), key_fingerprint("before"));
    std::vector<FieldError> wrong;
    EXPECT_EQ(read_key_rotation(JsonView(plain), JsonView(plain), wrong), rotation);
    EXPECT_EQ(read_key_rotation(JsonView(shown), JsonView(plain), wrong), rotation);
    EXPECT_EQ(read_key_rotation(JsonView{}, JsonView(plain), wrong), KeyRotation{});
    EXPECT_TRUE(wrong.empty());
    for (const auto& [text, pointer] : std::initializer_list<std::pair<const char*, const char*>>{
             {R"({"previous_key":"***"})", "/key_rotation/previous_key"},
             {R"({"until":"tomorrow"})", "/key_rotation/until"},
             {R"({"grace":"31d"})", "/key_rotation/grace"},
             {R"({"grace":"721h"})", "/key_rotation/grace"},
             {R"({"gracious":"1h"})", "/key_rotation/gracious"},
             {R"("24h")", "/key_rotation"}}) {
        wrong.clear();
        (void)read_key_rotation(JsonView(text), JsonView{}, wrong);
        ASSERT_EQ(wrong.size(), 1U) << text;
        EXPECT_EQ(wrong[0].pointer, pointer);
    }
}

}  // namespace
}  // namespace herald
