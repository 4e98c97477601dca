// A receiver that fails for long: what is noticed, what is left alone, what heals by itself.
#include <gmock/gmock.h>

#include "core/limits.h"
#include "support/engine.h"

namespace herald::test {
namespace {

using namespace std::chrono_literals;

struct Breaking : EngineTest {
    struct Change {
        std::string webhook;
        HealthState before;
        HealthState after;
        auto operator<=>(const Change&) const = default;
    };
    void listen() {
        engine->dispatcher.on_health(
            [this](const Webhook& webhook, const Health& before, const Health& after) {
                changes.push_back({webhook.name, before.state, after.state});
            });
        engine->dispatcher.on_exhausted(
            [this](const Webhook& webhook, DeliveryId id, const Event& event, const Attempt& last) {
                exhausted.push_back(webhook.name + " " + event.id.text() + " " +
                                    std::to_string(last.status));
                exhausted_ids.push_back(id);
            });
    }
    std::vector<Change> changes;
    std::vector<std::string> exhausted;
    std::vector<DeliveryId> exhausted_ids;
};

TEST_F(Breaking, WhoListensHearsOfEveryChangeOfStateAndOfEveryDeliveryGivenUp) {
    Receiver receiver(loop, wheel, answer_with(500));
    listen();
    Webhook webhook = to(receiver);
    webhook.retry = *retry_preset("none");
    const auto entry = add(webhook);
    std::vector<DeliveryId> ids;
    for (std::uint64_t n = 1; n <= BreakerPolicy{}.failures; ++n) {
        EXPECT_TRUE(changes.empty());
        ids.push_back(send_one(node_event(n)));
        until_state(ids.back(), DeliveryState::failed);
    }
    const std::vector<Change> failing{{"hook", HealthState::healthy, HealthState::failing}};
    EXPECT_EQ(changes, failing);
    EXPECT_EQ(exhausted_ids, ids);
    EXPECT_EQ(exhausted.front(), "hook " + node_event(1).id.text() + " 500");
    EXPECT_EQ(engine->dispatcher.health(entry->id).failure_streak, ids.size());

    receiver.decide = answer_with(200);
    until_state(send_one(node_event(99)), DeliveryState::delivered);
    ASSERT_EQ(changes.size(), 2U);
    EXPECT_EQ(changes[1], (Change{"hook", HealthState::failing, HealthState::healthy}));
    EXPECT_EQ(exhausted.size(), ids.size());
}

}  // namespace
}  // namespace herald::test
