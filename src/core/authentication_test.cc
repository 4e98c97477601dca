#include "core/authentication.h"

#include <gmock/gmock.h>

#include "core/webhook_options.h"

namespace herald {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Type = Authentication::Type;

constexpr std::string_view oauth2 =
    R"({"type":"oauth2","token_url":"https://idp/token","client_id":"herald",)"
    R"("client_secret":"s3cret","scope":"a b"})";

struct Read {
    Authentication authentication;
    std::vector<FieldError> wrong;
};

Read read(std::string_view text, JsonView stored = {}) {
    Read done;
    const std::string canonical = *canonical_json(text);
    done.authentication = read_authentication(JsonView(canonical), stored, done.wrong);
    check(done.authentication, done.wrong);
    return done;
}

std::vector<std::string> pointers(const std::vector<FieldError>& wrong) {
    std::vector<std::string> all;
    for (const FieldError& field : wrong) all.push_back(field.pointer);
    return all;
}

std::string written(const Authentication& authentication, SecretForm form) {
    std::string out;
    append_authentication(out, authentication, form);
    return out;
}

TEST(Authentication, IsReadAndWrittenByType) {
    for (const std::string_view text :
         {std::string_view(R"({"type":"none"})"),
          std::string_view(R"({"type":"basic","username":"u","password":"p"})"),
          std::string_view(R"({"type":"bearer","token":"t0ken"})"), oauth2}) {
        const Read done = read(text);
        EXPECT_TRUE(done.wrong.empty()) << text << done.wrong.at(0).detail;
        const std::string stored = written(done.authentication, SecretForm::plain);
        EXPECT_EQ(read(stored).authentication, done.authentication) << stored;
        EXPECT_TRUE(read(stored).wrong.empty()) << stored;
    }
    EXPECT_EQ(read("null").authentication, Authentication{});
}

TEST(Authentication, SecretsAreMaskedAndReferencesAreNot) {
    const Authentication authentication = read(oauth2).authentication;
    const std::string shown = written(authentication, SecretForm::masked);
    EXPECT_THAT(shown, HasSubstr(R"("client_secret":"***")"));
    EXPECT_FALSE(shown.contains("s3cret"));
    const Read outside = read(R"({"type":"bearer","token":"env:RECEIVER_TOKEN"})");
    EXPECT_TRUE(outside.wrong.empty());
    EXPECT_EQ(written(outside.authentication, SecretForm::masked),
              R"({"type":"bearer","token":"env:RECEIVER_TOKEN"})");
}

TEST(Authentication, AMaskKeepsWhatIsStored) {
    const std::string stored = written(read(oauth2).authentication, SecretForm::plain);
    const std::string shown = written(read(oauth2).authentication, SecretForm::masked);
    EXPECT_EQ(read(shown, JsonView(stored)).authentication, read(oauth2).authentication);
    EXPECT_THAT(pointers(read(shown).wrong), testing::Contains("/authentication/client_secret"));
}

TEST(Authentication, SecretsInTheUrlOfTheEndpointAreMasked) {
    const Authentication one =
        read(R"({"type":"oauth2","token_url":"https://idp/t?key=abcdef","client_id":"i",)"
             R"("client_secret":"s"})")
            .authentication;
    const std::string shown = written(one, SecretForm::masked);
    EXPECT_FALSE(shown.contains("abcdef"));
    const std::string stored = written(one, SecretForm::plain);
    EXPECT_EQ(read(shown, JsonView(stored)).authentication, one);
}

TEST(Authentication, NamesWhatAMemberLacksAndWhatItsTypeDoesNotUse) {
    EXPECT_THAT(pointers(read(R"({"type":"basic"})").wrong),
                ElementsAre("/authentication/username"));
    EXPECT_THAT(pointers(read(R"({"type":"bearer"})").wrong), ElementsAre("/authentication/token"));
    EXPECT_THAT(pointers(read(R"({"type":"oauth2"})").wrong),
                ElementsAre("/authentication/token_url", "/authentication/client_id",
                            "/authentication/client_secret"));
    EXPECT_THAT(pointers(read(R"({"type":"none","token":"t"})").wrong),
                ElementsAre("/authentication/token"));
    EXPECT_THAT(pointers(read(R"({"token":"t"})").wrong), ElementsAre("/authentication/token"));
    EXPECT_THAT(pointers(read(R"({"type":"digest"})").wrong), ElementsAre("/authentication/type"));
    EXPECT_THAT(pointers(read(R"({"type":"bearer","token":"t","tokn":"t"})").wrong),
                ElementsAre("/authentication/tokn"));
    EXPECT_THAT(pointers(read(R"({"type":"bearer","token":7})").wrong),
                testing::Contains("/authentication/token"));
}

TEST(Authentication, RefusesWhatCannotBeSent) {
    const auto refused = [](std::string_view text, const std::string& pointer) {
        EXPECT_THAT(pointers(read(text).wrong), testing::Contains("/authentication/" + pointer))
            << text;
    };
    refused(R"({"type":"basic","username":"a:b"})", "username");
    refused(R"({"type":"basic","username":"a","password":"x\ny"})", "password");
    refused(R"({"type":"bearer","token":"Bearer abc"})", "token");
    refused(R"({"type":"bearer","token":"Z\u00fcrich"})", "token");
    refused(R"({"type":"bearer","token":"env:A B"})", "token");
    refused(R"({"type":"bearer","token":"env:HERALD_API_TOKEN"})", "token");
    for (const char* url : {"idp/token", "ftp://idp/", "https://u:p@idp/token"}) {
        refused(R"({"type":"oauth2","client_id":"i","client_secret":"s","token_url":")" +
                    std::string(url) + "\"}",
                "token_url");
    }
    refused(R"({"type":"bearer","token":")" + std::string(5'000, 'x') + "\"}", "token");
}

TEST(Authentication, AChangeOfTheTypeAloneForgetsWhatTheOldOneUsed) {
    Webhook webhook;
    webhook.authentication =
        read(R"({"type":"basic","username":"u","password":"p"})").authentication;
    const Webhook stored = webhook;
    std::vector<FieldError> wrong;
    const JsonView patch(R"({"type":"bearer","token":"t0ken"})");
    read_option_group(webhook, "authentication", patch, &stored, true, wrong);
    check(webhook.authentication, wrong);
    EXPECT_TRUE(wrong.empty());
    EXPECT_EQ(webhook.authentication.type, Type::bearer);
    EXPECT_EQ(webhook.authentication.username, "");
    EXPECT_EQ(webhook.authentication.password, "");
}

TEST(Authentication, CredentialsAreWrittenAsRfc7617Says) {
    EXPECT_EQ(basic_credentials("Aladdin", "open sesame"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    EXPECT_EQ(basic_credentials("test", "123\xC2\xA3"), "Basic dGVzdDoxMjPCow==");
}

}  // namespace
}  // namespace herald
