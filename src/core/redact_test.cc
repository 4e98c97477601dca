#include "core/redact.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace herald {
namespace {

TEST(Redact, FindsTheSecretsOfAUrlAsWrittenAndAsRead) {
    EXPECT_THAT(
        secrets_of_url("http://ansible:p%40ss@h/a?site=1&token=a%2Fb#x"),
        testing::ElementsAre("ansible:p%40ss", "ansible:p@ss", "p%40ss", "p@ss", "a%2Fb", "a/b"));
    EXPECT_THAT(secrets_of_url("http://h/a?site=1"), testing::IsEmpty());
}

TEST(Redact, MasksWhatAReceiverRepeats) {
    const std::vector<std::string> secrets{"supersecret", "short"};
    std::string text = "got supersecret, supersecretsupersecret and short";
    mask_secrets(text, secrets);
    EXPECT_EQ(text, "got ***, ****** and short");
}

TEST(SecretHeader, KnowsTheNamesInAnyCase) {
    for (const char* name :
         {"webhook-signature", "Authorization", "AUTHORIZATION", "proxy-authorization", "Cookie",
          "Set-Cookie", "X-API-Key", "x-api-key", "X-INFRAHUB-KEY", "X-Gitlab-Token",
          "x-client-secret", "St2-Api-Key", "X-Password", "X-My-Password"}) {
        EXPECT_TRUE(is_secret_header(name)) << name;
    }
}

TEST(SecretHeader, LetsOthersBeShown) {
    for (const char* name :
         {"", "Content-Type", "webhook-id", "webhook-timestamp", "X-Keyboard", "X-Token-Kind",
          "Key", "Token", "Monkey", "Accept", "Authorizations"}) {
        EXPECT_FALSE(is_secret_header(name)) << name;
    }
}

TEST(RedactUrl, MasksWhatIsSecretAndNothingElse) {
    struct Case {
        std::string_view url;
        std::string_view shown;
    };
    const Case cases[] = {
        {"", ""},
        {"http://host", "http://host"},
        {"https://host:8080/a/b?x=1#f", "https://host:8080/a/b?x=1#f"},
        {"http://user:pass@host/", "http://***@host/"},
        {"http://user@host", "http://***@host"},
        {"http://us@er:p@ss@host/", "http://***@host/"},
        {"http://:pass@host?x", "http://***@host?x"},
        {"http://host/@user", "http://host/@user"},
        {"http://host?mail=a@b", "http://host?mail=a@b"},
        {"http://u:p@[::1]:80/x", "http://***@[::1]:80/x"},
        {"http://h/?token=abc", "http://h/?token=***"},
        {"http://h/?a=1&token=abc&b=2", "http://h/?a=1&token=***&b=2"},
        {"http://h/?TOKEN=abc", "http://h/?TOKEN=***"},
        {"http://h/?to%6ben=abc", "http://h/?to%6ben=***"},
        {"http://h/?to%4Ben=abc", "http://h/?to%4Ben=***"},
        {"http://h/?token=a=b=c", "http://h/?token=***"},
        {"http://h/?token=", "http://h/?token=***"},
        {"http://h/?token", "http://h/?token"},
        {"http://h/?token=a;key=b", "http://h/?token=***;key=***"},
        {"http://h/?access_token=x&key=x&api_key=x&apikey=x",
         "http://h/?access_token=***&key=***&api_key=***&apikey=***"},
        {"http://h/?secret=x&sig=x&signature=x&password=x",
         "http://h/?secret=***&sig=***&signature=***&password=***"},
        {"http://h/?client_secret=x&api-key=x&X-Amz-Signature=x",
         "http://h/?client_secret=***&api-key=***&X-Amz-Signature=***"},
        {"http://h/?monkey=x&tokens=x&signed=x&%zz=x&%=x",
         "http://h/?monkey=x&tokens=x&signed=x&%zz=x&%=x"},
        {"http://h/?key=x#key=y", "http://h/?key=***#key=y"},
        {"http://h/#?key=y", "http://h/#?key=y"},
        {"http://h?&&key=x&", "http://h?&&key=***&"},
        // Not URLs that are taken, but they may still be shown in an error.
        {"user:pass@host/x", "***@host/x"},
        {"//user:pass@host", "//***@host"},
        {"user:pass@host//x", "***@host//x"},
        {"user:pass@host?u=http://x", "***@host?u=http://x"},
    };
    for (const Case& c : cases) EXPECT_EQ(redact_url(c.url), c.shown) << c.url;
}

TEST(RedactUrl, IsStable) {
    const std::string once = redact_url("http://u:p@h/?token=x");
    EXPECT_EQ(redact_url(once), once);
}

}  // namespace
}  // namespace herald
