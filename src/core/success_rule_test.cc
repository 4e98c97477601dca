#include "core/success_rule.h"

#include <gmock/gmock.h>

namespace herald::test {
namespace {

using testing::HasSubstr;

Outcome as_sent(int status) { return {classify_status(status), status < 300 ? "" : "no"}; }

bool takes(const SuccessRule& rule, int status, const std::string& body = "") {
    return judge(rule, status, body, as_sent(status)).ok();
}

TEST(SuccessRules, WithoutARuleItIs2xx) {
    EXPECT_TRUE(takes({}, 204));
    EXPECT_FALSE(takes({}, 304));
    EXPECT_FALSE(takes({}, 500));
}

TEST(SuccessRules, StatusesAreThoseNamed) {
    const SuccessRule rule{.statuses = {"202", "3xx"}};
    EXPECT_TRUE(takes(rule, 202));
    EXPECT_TRUE(takes(rule, 304));
    EXPECT_FALSE(takes(rule, 200));
    EXPECT_FALSE(takes(rule, 404));
    EXPECT_EQ(judge(rule, 200, "", as_sent(200)).failure, FailureClass::http_client_error);
    EXPECT_EQ(judge(rule, 503, "", as_sent(503)).failure, FailureClass::http_server_error);
}

TEST(SuccessRules, TheBodyMayDecide) {
    const SuccessRule rule{.body_contains = "ok", .body_lacks = "error"};
    EXPECT_TRUE(takes(rule, 200, "all ok"));
    EXPECT_FALSE(takes(rule, 200, "fine"));
    const Outcome refused = judge(rule, 200, "ok, but error 7", as_sent(200));
    EXPECT_EQ(refused.failure, FailureClass::http_client_error);
    EXPECT_THAT(refused.message, HasSubstr("\"error\""));
}

TEST(SuccessRules, AnAnswerThatDidNotComeWholeIsNoSuccess) {
    const SuccessRule rule{.statuses = {"2xx"}};
    const Outcome reset{FailureClass::connection, "reset in the middle"};
    EXPECT_EQ(judge(rule, 200, "", reset), reset);
    EXPECT_EQ(judge(rule, 0, "", reset), reset);
}

TEST(SuccessRules, WhatIsNoStatusIsRefused) {
    for (const char* bad : {"20", "2000", "600", "0xx", "2x", "ok", "20x"}) {
        std::vector<FieldError> wrong;
        const std::string text = R"({"statuses":[")" + std::string(bad) + R"("]})";
        (void)read_success_rule(JsonView(text), JsonView{}, wrong);
        ASSERT_EQ(wrong.size(), 1U) << bad;
        EXPECT_EQ(wrong[0].pointer, "/success/statuses/0");
    }
}

}  // namespace
}  // namespace herald::test
