#include "conformance/store_suite.h"

namespace herald::test {

namespace {

using std::chrono::minutes;

struct StoreJobs : StoreSuite {
    static Job whole_job() {
        Job job;
        job.id = event_id(9);
        job.kind = JobKind::redeliver;
        job.scope.webhooks = {WebhookId{3}, WebhookId{4'000'000'000}};
        job.scope.states = {DeliveryState::failed, DeliveryState::cancelled};
        job.scope.classes = {FailureClass::tls};
        job.scope.event_types = {"shop.*", "\xC3\xA9\"\\\n"};
        job.scope.branches = {"main", ""};
        job.scope.accounts = {"a"};
        job.scope.nodes = {"n"};
        job.scope.related = {"r"};
        job.scope.since = noon - minutes{1};
        job.scope.until = noon;
        job.scope.all = true;
        job.order = Order::newest_first;
        job.rate = 7;
        job.state = JobState::paused;
        job.progress = {12, 9, 5, 4};
        job.reason = "why";
        job.created_at = noon;
        job.updated_at = noon + minutes{2};
        return job;
    }
    void put(const Job& job) {
        Batch batch;
        batch.jobs = {job};
        commit(std::move(batch));
    }
    std::vector<Job> jobs() { return *store().jobs(); }
};

TEST_P(StoreJobs, come_back_whole_after_a_restart) {
    EXPECT_TRUE(jobs().empty());
    put(whole_job());
    EXPECT_EQ(jobs(), std::vector{whole_job()});
    reopen();
    EXPECT_EQ(jobs(), std::vector{whole_job()});
}

TEST_P(StoreJobs, live_on_and_stay_forgotten_however_long_the_log_grows) {
    Job kept = whole_job();
    Job dropped = whole_job();
    dropped.id = event_id(10);
    put(kept);
    put(dropped);
    std::uint64_t n = 0;
    const auto grow = [&] {
        for (int i = 0; i < 60; ++i) append(make_event(++n), {for_webhook(1)});
        tend_all();
    };
    grow();
    kept.progress.made = 77;
    Batch batch;
    batch.jobs = {kept};
    batch.forgotten_jobs = {dropped.id};
    commit(std::move(batch));
    EXPECT_EQ(jobs(), std::vector{kept});
    reopen();
    EXPECT_EQ(jobs(), std::vector{kept});
    grow();
    reopen();
    EXPECT_EQ(jobs(), std::vector{kept});
}

TEST_P(StoreJobs, are_stored_together_with_what_they_make) {
    const StoredEvent stored = append(make_event(1), {for_webhook(4)});
    const DeliveryId first = stored.deliveries[0];
    settle(first, DeliveryState::failed, make_attempt(1, 500));
    for (std::uint64_t n = 2; n <= 80; ++n) append(make_event(n));
    tend_all();

    Batch batch;
    batch.now = noon + minutes{1};
    batch.replays = {{stored.seq, WebhookId{4}, Cause::retry, first},
                     {stored.seq, WebhookId{5}, Cause::replay, std::nullopt},
                     {EventSeq{999}, WebhookId{5}, Cause::replay, std::nullopt}};
    batch.jobs = {whole_job()};
    const auto made = commit(std::move(batch)).replays;
    ASSERT_EQ(made.size(), 3U);
    ASSERT_TRUE(made[0] && made[1]);
    EXPECT_EQ(made[2], std::nullopt) << "there is no such event";
    reopen();
    EXPECT_EQ(jobs().size(), 1U);

    const Delivery again = delivery(*made[0]);
    EXPECT_EQ(again.cause, Cause::retry);
    EXPECT_EQ(again.redelivers, first);
    EXPECT_EQ(again.created_at, noon + minutes{1});
    const Delivery replayed = delivery(*made[1]);
    EXPECT_EQ(replayed.cause, Cause::replay);
    EXPECT_EQ(replayed.redelivers, std::nullopt);
    EXPECT_EQ(replayed.event, event_id(1));
    EXPECT_EQ(replayed.event_type, make_event(1).type);

    // Both are found by their event, and are due at once.
    const auto detail = reader().event(event_id(1));
    ASSERT_EQ((*detail)->deliveries.size(), 3U);
    const auto due = claim(5, 10, noon + minutes{1});
    ASSERT_EQ(due.size(), 1U);
    EXPECT_EQ(due[0].delivery.id, *made[1]);
    EXPECT_EQ(*due[0].event, make_event(1));
}

INSTANTIATE_TEST_SUITE_P(, StoreJobs, testing::ValuesIn(store_kinds()), name_of);

}  // namespace

}  // namespace herald::test
