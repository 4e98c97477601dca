#include "core/attempt.h"

#include <set>

#include <gtest/gtest.h>

namespace herald {
namespace {

using enum FailureClass;

struct Named {
    FailureClass failure;
    std::string_view text;
};
constexpr Named names[] = {
    {none, ""},
    {config, "CONFIG"},
    {connection, "CONNECTION"},
    {tls, "TLS"},
    {timeout, "TIMEOUT"},
    {http_client_error, "HTTP_CLIENT_ERROR"},
    {http_server_error, "HTTP_SERVER_ERROR"},
    {unknown, "UNKNOWN"},
};

TEST(FailureClass, HasTheNamesOfTheContract) {
    for (const auto& [failure, text] : names) {
        EXPECT_EQ(to_text(failure), text);
        EXPECT_EQ(parse_failure_class(text), failure);
    }
    EXPECT_EQ(parse_failure_class("config"), std::nullopt);
    EXPECT_EQ(parse_failure_class("HTTP"), std::nullopt);
}

TEST(FailureClass, EachHasItsOwnRemedyInOneSentence) {
    std::set<std::string_view> seen;
    for (const auto& [failure, text] : names) {
        const std::string_view remedy = remediation(failure);
        if (failure == none) {
            EXPECT_EQ(remedy, "");
            continue;
        }
        EXPECT_TRUE(remedy.ends_with('.')) << text;
        EXPECT_EQ(remedy.find(". "), remedy.npos) << text;
        EXPECT_TRUE(seen.insert(remedy).second) << text;
    }
}

TEST(FailureClass, FollowsFromTheStatus) {
    struct Case {
        int status;
        FailureClass failure;
    };
    const Case cases[] = {
        {200, none},
        {201, none},
        {204, none},
        {299, none},
        {100, http_client_error},
        {199, http_client_error},
        {300, http_client_error},
        {301, http_client_error},
        {304, http_client_error},
        {400, http_client_error},
        {404, http_client_error},
        {410, http_client_error},
        {429, http_client_error},
        {499, http_client_error},
        {500, http_server_error},
        {503, http_server_error},
        {599, http_server_error},
        {999, http_server_error},
    };
    for (const Case& c : cases) EXPECT_EQ(classify_status(c.status), c.failure) << c.status;
}

TEST(Outcome, IsOkOnlyWithoutAFailure) {
    EXPECT_TRUE(Outcome{}.ok());
    EXPECT_FALSE((Outcome{tls, "certificate has expired"}).ok());
}

}  // namespace
}  // namespace herald
