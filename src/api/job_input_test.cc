#include "api/job_input.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/limits.h"

namespace herald {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

constexpr Time noon = from_micros(1'773'403'200'000'000);

Result<JobInput> read(std::string_view text) {
    const FindJobWebhook find = [](const std::string& name) -> std::optional<WebhookId> {
        if (name != "eda") return std::nullopt;
        return WebhookId{7};
    };
    const auto canonical = canonical_json(text);
    return read_job(JsonView(*canonical), noon, find);
}

std::vector<std::string> wrong_fields(std::string_view text) {
    std::vector<std::string> names;
    const auto job = read(text);
    if (job) return names;
    for (const FieldError& field : job.error().fields) names.push_back(field.pointer);
    return names;
}

TEST(JobInput, HasDefaults) {
    const auto read_one = read(R"({"kind":"redeliver","since":null})");
    ASSERT_TRUE(read_one);
    EXPECT_FALSE(read_one->dry_run);
    const Job& job = read_one->job;
    EXPECT_EQ(job.kind, JobKind::redeliver);
    EXPECT_THAT(job.scope.states, ElementsAre(DeliveryState::failed));
    EXPECT_EQ(job.scope.since, std::nullopt);
    EXPECT_EQ(job.order, Order::oldest_first);
    EXPECT_EQ(job.rate, limits::job_rate_default);
    EXPECT_EQ(read(R"({"kind":"cancel"})")->job.rate, 0U) << "nothing is sent";
}

TEST(JobInput, ReadsEveryMember) {
    const auto read_one =
        read(R"({"kind":"replay","webhooks":["eda"],"event_types":["a.*"],)"
             R"("branches":["main"],"accounts":["a"],"nodes":["n"],)"
             R"("related":["r"],"since":"2h","until":"2026-03-13T12:30:00+01:00",)"
             R"("all":true,"order":"newest","rate":5,"dry_run":true})");
    ASSERT_TRUE(read_one) << read_one.error().message;
    EXPECT_TRUE(read_one->dry_run);
    const Job& job = read_one->job;
    EXPECT_THAT(job.scope.webhooks, ElementsAre(WebhookId{7}));
    EXPECT_THAT(job.scope.event_types, ElementsAre("a.*"));
    EXPECT_THAT(job.scope.branches, ElementsAre("main"));
    EXPECT_THAT(job.scope.accounts, ElementsAre("a"));
    EXPECT_THAT(job.scope.nodes, ElementsAre("n"));
    EXPECT_THAT(job.scope.related, ElementsAre("r"));
    EXPECT_EQ(job.scope.since, noon - 2h);
    EXPECT_EQ(job.scope.until, noon - 30min);
    EXPECT_TRUE(job.scope.all);
    EXPECT_EQ(job.order, Order::newest_first);
    EXPECT_EQ(job.rate, 5U);
}

TEST(JobInput, NamesWhatIsWrong) {
    EXPECT_THAT(wrong_fields("{}"), ElementsAre("/kind"));
    EXPECT_THAT(wrong_fields(R"({"kind":"undo","rate":0,"order":"up","al":true})"),
                ElementsAre("/kind", "/order", "/rate", "/al"));
    EXPECT_THAT(wrong_fields(R"({"kind":"cancel","webhooks":["eda","nobody"],"since":"soon"})"),
                ElementsAre("/webhooks", "/since"));
    EXPECT_THAT(wrong_fields(R"({"kind":"cancel","classes":["ODD",""],"states":["lost"]})"),
                ElementsAre("/states", "/classes", "/classes"));
    EXPECT_THAT(wrong_fields(R"({"kind":"cancel","until":"2026-03-13T12:30:00"})"),
                ElementsAre("/until"))
        << "a local time is no moment";
}

}  // namespace
}  // namespace herald
