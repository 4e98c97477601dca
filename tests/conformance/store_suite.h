#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "store/store.h"
#include "support/builders.h"

namespace herald::test {

/// A store that the suite can close and open again, with what it holds.
class StoreUnderTest {
public:
    virtual ~StoreUnderTest() = default;
    /// Closes it when it is open. Small segments, where the store has such.
    virtual void open() = 0;
    virtual Store& store() = 0;
};

struct StoreKind {
    std::string name;
    std::function<std::unique_ptr<StoreUnderTest>()> make;

    /// How GoogleTest shows it. Without this a test's name would hold the bytes of the object.
    friend std::ostream& operator<<(std::ostream& out, const StoreKind& kind) {
        return out << kind.name;
    }
};

/// Every back end that there is (store_kinds.cc).
std::vector<StoreKind> store_kinds();

inline std::string name_of(const testing::TestParamInfo<StoreKind>& info) {
    return info.param.name;
}

/// What every store must do: the prose of store/store.h as tests, each run with every back end.
class StoreSuite : public testing::TestWithParam<StoreKind> {
protected:
    void SetUp() override {
        under_test_ = GetParam().make();
        reopen();
    }
    void TearDown() override { reader_.reset(); }

    Store& store() { return under_test_->store(); }
    StoreReader& reader() { return *reader_; }
    void reopen() {
        reader_.reset();
        under_test_->open();
        reader_ = store().reader();
    }

    Committed commit(Batch batch) {
        if (batch.now == Time{}) batch.now = noon;
        if (batch.lease_until == Time{}) batch.lease_until = batch.now + std::chrono::minutes{5};
        auto committed = store().commit(batch);
        EXPECT_TRUE(committed) << committed.error().message;
        return committed ? std::move(*committed) : Committed{};
    }
    StoredEvent append(Event event, std::vector<NewDelivery> deliveries = {}) {
        Batch batch;
        batch.events.push_back(new_event(std::move(event), std::move(deliveries)));
        return commit(std::move(batch)).events.at(0);
    }
    bool settle(DeliveryId delivery, DeliveryState state, std::optional<Attempt> attempt = {},
                Time due_at = noon) {
        Batch batch;
        batch.settlements.push_back({delivery, std::move(attempt), state, due_at});
        return commit(std::move(batch)).settled.at(0);
    }
    std::vector<Claimed> claim(std::uint32_t webhook, std::size_t room, Time now = noon,
                               LaneOrder order = {}) {
        const LaneRoom lane{WebhookId{webhook}, room, order};
        auto claimed = store().claim(now, now + std::chrono::minutes{5}, {&lane, 1});
        EXPECT_TRUE(claimed) << claimed.error().message;
        return claimed ? std::move(*claimed) : std::vector<Claimed>{};
    }
    Delivery delivery(DeliveryId id) {
        auto found = reader().delivery(id);
        EXPECT_TRUE(found && *found) << "no delivery " << id.text();
        return found && *found ? (*found)->delivery : Delivery{};
    }
    void tend_all(Retention retention = {}, Time now = noon) {
        for (int steps = 0; steps < 10'000; ++steps) {
            const auto more = store().tend(retention, now);
            ASSERT_TRUE(more) << more.error().message;
            if (!*more) return;
        }
        FAIL() << "upkeep does not come to an end";
    }
    Webhook put(Webhook webhook, std::optional<std::uint64_t> expected = {}) {
        auto stored = store().put_webhook(std::move(webhook), expected);
        EXPECT_TRUE(stored) << stored.error().message;
        return stored ? std::move(*stored) : Webhook{};
    }

private:
    std::unique_ptr<StoreUnderTest> under_test_;
    std::unique_ptr<StoreReader> reader_;
};

}  // namespace herald::test
