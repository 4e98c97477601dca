#include "core/delivery.h"

#include <gtest/gtest.h>

namespace herald {
namespace {

TEST(DeliveryState, HasTextAndFinality) {
    struct Case {
        DeliveryState state;
        std::string_view text;
        bool final;
    };
    const Case cases[] = {
        {DeliveryState::pending, "pending", false}, {DeliveryState::delivered, "delivered", true},
        {DeliveryState::failed, "failed", true},    {DeliveryState::cancelled, "cancelled", true},
        {DeliveryState::merged, "merged", true},
    };
    for (const Case& c : cases) {
        EXPECT_EQ(to_text(c.state), c.text);
        EXPECT_EQ(parse_delivery_state(c.text), c.state);
        EXPECT_EQ(is_final(c.state), c.final) << c.text;
    }
    EXPECT_EQ(parse_delivery_state("in_flight"), std::nullopt);
    EXPECT_EQ(parse_delivery_state(""), std::nullopt);
    EXPECT_EQ(parse_delivery_state("Pending"), std::nullopt);
}

TEST(Cause, HasText) {
    EXPECT_EQ(to_text(Cause::event), "event");
    EXPECT_EQ(to_text(Cause::retry), "retry");
    EXPECT_EQ(to_text(Cause::test), "test");
    EXPECT_EQ(to_text(Cause::replay), "replay");
}

}  // namespace
}  // namespace herald
