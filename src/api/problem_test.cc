#include "api/problem.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/json.h"

namespace herald {

namespace {

std::string header(const ServerAnswer& answer, std::string_view name) {
    const auto found = std::ranges::find(answer.headers, name, &HeaderList::value_type::first);
    return found == answer.headers.end() ? "" : found->second;
}

TEST(Problem, EveryKindOfErrorHasItsStatus) {
    const std::pair<Errc, int> expected[] = {
        {Errc::invalid, 422},      {Errc::unauthorized, 401}, {Errc::forbidden, 403},
        {Errc::not_found, 404},    {Errc::conflict, 409},     {Errc::precondition_failed, 412},
        {Errc::too_large, 413},    {Errc::unsupported, 415},  {Errc::busy, 503},
        {Errc::out_of_space, 507}, {Errc::unavailable, 503},  {Errc::internal, 500}};
    for (const auto& [code, status] : expected) {
        EXPECT_EQ(status_of(code), status) << to_text(code);
        EXPECT_EQ(refuse(code, "why").error().status, status);
    }
    EXPECT_EQ(refuse_request({Errc::invalid, "why"}).error().status, 400);
}

TEST(Problem, AnswerHoldsEverythingThatHelpsTheCaller) {
    const Error error{Errc::invalid, "no \"good\"\n", {{"/url", "is wrong"}, {"/name", "too"}}};
    const ServerAnswer answer = to_answer(refuse(error).error(), "r1");
    EXPECT_EQ(answer.status, 422);
    EXPECT_EQ(answer.content_type, "application/problem+json");
    const auto canonical = canonical_json(answer.body);
    ASSERT_TRUE(canonical) << answer.body;
    EXPECT_EQ(*canonical,
              R"({"type":"about:blank","title":"Unprocessable Content","status":422,)"
              R"("detail":"no \"good\"\n","code":"invalid","errors":[)"
              R"({"pointer":"/url","detail":"is wrong"},{"pointer":"/name","detail":"too"}],)"
              R"("request_id":"r1"})");
}

TEST(Problem, MissingTokenAsksForOneAndBusySaysWhenToComeBack) {
    EXPECT_EQ(header(to_answer(refuse(Errc::unauthorized, "").error(), ""), "WWW-Authenticate"),
              "Bearer");
    for (const Errc code : {Errc::busy, Errc::unavailable}) {
        EXPECT_EQ(header(to_answer(refuse(code, "").error(), ""), "Retry-After"), "1");
    }
    EXPECT_TRUE(to_answer(refuse(Errc::forbidden, "").error(), "").headers.empty());
}

}  // namespace

}  // namespace herald
