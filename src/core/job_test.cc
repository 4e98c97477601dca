#include "core/job.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/limits.h"

namespace herald {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

constexpr Time noon = from_micros(1'773'403'200'000'000);

Job new_job(JobKind kind) {
    Job job;
    job.kind = kind;
    job.created_at = noon;
    job.scope.webhooks = {WebhookId{1}};
    if (kind == JobKind::recover) job.scope.since = noon - 2h;
    return job;
}

std::vector<std::string> wrong_fields(const Job& job) {
    std::vector<std::string> names;
    const auto valid = validate(job);
    if (valid) return names;
    for (const FieldError& field : valid.error().fields) names.push_back(field.pointer);
    return names;
}

TEST(Job, HasTexts) {
    for (const std::string_view kind : {"redeliver", "recover", "replay", "cancel"}) {
        EXPECT_EQ(to_text(parse_job_kind(kind).value()), kind);
    }
    for (const std::string_view state : {"running", "paused", "done", "cancelled", "failed"}) {
        EXPECT_EQ(to_text(parse_job_state(state).value()), state);
    }
    EXPECT_EQ(parse_job_kind("Replay"), std::nullopt);
    EXPECT_EQ(parse_job_state(""), std::nullopt);
    EXPECT_FALSE(is_final(JobState::running));
    EXPECT_FALSE(is_final(JobState::paused));
    EXPECT_TRUE(is_final(JobState::failed));
}

TEST(Job, TakesTheFiltersOfItsKindOnly) {
    for (const JobKind kind :
         {JobKind::redeliver, JobKind::recover, JobKind::replay, JobKind::cancel}) {
        EXPECT_THAT(wrong_fields(new_job(kind)), ElementsAre()) << to_text(kind);
    }
    Job job = new_job(JobKind::recover);
    job.scope.classes = {FailureClass::tls};
    job.scope.states = {DeliveryState::failed};
    job.scope.all = true;
    EXPECT_THAT(wrong_fields(job), ElementsAre("/classes", "/states", "/all"));
    job = new_job(JobKind::cancel);
    job.scope.branches = {"main"};
    job.scope.accounts = {"a"};
    job.scope.nodes = {"n"};
    job.scope.related = {"n"};
    EXPECT_THAT(wrong_fields(job), ElementsAre("/branches", "/accounts", "/nodes", "/related"));
}

TEST(Job, AsksForWhatItsKindNeeds) {
    Job job = new_job(JobKind::recover);
    job.scope.webhooks.clear();
    job.scope.since.reset();
    EXPECT_THAT(wrong_fields(job), ElementsAre("/webhooks", "/since"));
    job = new_job(JobKind::replay);
    job.scope.webhooks = {WebhookId{1}, WebhookId{2}};
    EXPECT_THAT(wrong_fields(job), ElementsAre("/webhooks"));
    job = new_job(JobKind::redeliver);
    job.scope.webhooks.clear();
    EXPECT_THAT(wrong_fields(job), ElementsAre("/webhooks")) << "everything is no filter";
    job.scope.since = noon;
    EXPECT_THAT(wrong_fields(job), ElementsAre());
}

TEST(Job, RefusesWhatMakesNoSense) {
    Job job = new_job(JobKind::redeliver);
    job.scope.states = {DeliveryState::pending};
    job.scope.since = noon;
    job.scope.until = noon;
    job.rate = limits::job_rate + 1;
    EXPECT_THAT(wrong_fields(job), ElementsAre("/states", "/until", "/rate"));
}

TEST(Job, NeverReachesWhatCameAfterIt) {
    Job job = new_job(JobKind::replay);
    EXPECT_EQ(next_events(job, 10).until, noon);
    job.scope.until = noon + 1h;
    EXPECT_EQ(next_events(job, 10).until, noon);
    EXPECT_EQ(next_deliveries(job, 10).until, noon);
    job.scope.until = noon - 1h;
    EXPECT_EQ(next_events(job, 10).until, noon - 1h);
}

TEST(Job, GoesOnBehindItsProgress) {
    Job job = new_job(JobKind::cancel);
    job.order = Order::newest_first;
    job.progress.after = 7;
    job.scope.event_types = {"a.*"};
    const DeliveryQuery deliveries = next_deliveries(job, 10);
    EXPECT_EQ(deliveries.after, 7U);
    EXPECT_EQ(deliveries.order, Order::newest_first);
    EXPECT_EQ(deliveries.limit, 10U);
    EXPECT_THAT(deliveries.states, ElementsAre(DeliveryState::pending));
    EXPECT_THAT(deliveries.event_types, ElementsAre("a.*"));
    EXPECT_EQ(next_events(job, 10).after, EventSeq{7});
}

TEST(Job, RestsByItsRate) {
    Job job = new_job(JobKind::replay);
    job.rate = 50;
    EXPECT_EQ(rest_after(job, 25), 500ms);
    EXPECT_EQ(rest_after(job, 0), 0ms);
    job.rate = 0;
    EXPECT_EQ(rest_after(job, 1'000), 0ms);
}

TEST(Job, IsReadOnlyFromWhatIsOne) {
    const std::string text = stored_text(new_job(JobKind::recover));
    EXPECT_EQ(read_stored_job(text), new_job(JobKind::recover));
    EXPECT_EQ(read_stored_job("{}"), std::nullopt);
    EXPECT_EQ(read_stored_job("[]"), std::nullopt);
    EXPECT_EQ(read_stored_job(text.substr(1)), std::nullopt);
    std::string other = text;
    other.replace(other.find("recover"), 7, "destroy");
    EXPECT_EQ(read_stored_job(other), std::nullopt);
}

}  // namespace
}  // namespace herald
