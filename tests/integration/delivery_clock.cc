// The wall clock is set while deliveries wait for their retries.
#include <gtest/gtest.h>

#include "async/slewed_clock.h"
#include "support/engine.h"

namespace herald::test {
namespace {

using namespace std::chrono_literals;

/// An engine whose schedules run as the program's do; `wall` is what the test sets.
struct ClockIsSet : EngineTest {
    void SetUp() override {
        options.environment = &environment;
        engine = std::make_unique<Engine>(loop, wheel, schedule, dir.path() / "data", options);
        ASSERT_TRUE(run(engine->start()));
    }
    /// A retry is due in a second, and the clock is set: after how long it comes.
    std::chrono::steady_clock::duration retry_after(Duration jump) {
        Receiver receiver(loop, wheel, answer_with(503));
        Webhook webhook = to(receiver);
        webhook.retry = {.delays = {0s, 1s}, .jitter = 0};
        add(webhook);
        until_attempts(send_one(node_event(1)), 1);
        const auto failed = std::chrono::steady_clock::now();
        wall.offset = jump;
        until([&] { return receiver.requests.size() == 2; });
        return std::chrono::steady_clock::now() - failed;
    }

    /// The system's steady clock, and a wall clock that runs with it until it is set.
    class Settable final : public Clock {
    public:
        explicit Settable(const Clock& clock) : clock_(clock), begun_(clock.steady()) {}
        [[nodiscard]] Time now() const override {
            return clock_.now() + offset + std::chrono::floor<Duration>(steady() - begun_);
        }
        [[nodiscard]] std::chrono::steady_clock::time_point steady() const override {
            return clock_.steady();
        }
        Duration offset{0};

    private:
        const Clock& clock_;
        std::chrono::steady_clock::time_point begun_;
    };

    Settable wall{clock};
    SlewedClock schedule{wall};
};

TEST_F(ClockIsSet, ForwardsMakesNothingDueAtOnce) { EXPECT_GE(retry_after(240h), 700ms); }

TEST_F(ClockIsSet, BackwardsHoldsNothingUp) { EXPECT_LT(retry_after(-240h), 20s); }

}  // namespace
}  // namespace herald::test
