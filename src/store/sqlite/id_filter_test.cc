#include <gtest/gtest.h>

#include <cstdint>
#include <random>

#include "store/sqlite/event_index.h"

namespace herald {
namespace {

TEST(IdFilterTest, EmptyFilterContainsNothing) {
    const IdFilter filter;
    EXPECT_FALSE(filter.may_contain(0));
    EXPECT_FALSE(filter.may_contain(42));
}

TEST(IdFilterTest, NeverDeniesWhatWasAdded) {
    std::mt19937_64 random(1);
    IdFilter filter;
    for (int i = 0; i < 100'000; ++i) {
        filter.add(random());
    }
    std::mt19937_64 again(1);
    for (int i = 0; i < 100'000; ++i) {
        ASSERT_TRUE(filter.may_contain(again()));
    }
}

TEST(IdFilterTest, GrowsPastOneMillionAndErrsAboutOnceInTwoHundredPerMillion) {
    constexpr int ids = 1'500'000;
    constexpr int probes = 200'000;
    IdFilter filter;
    std::mt19937_64 random(2);
    for (int i = 0; i < ids; ++i) {
        filter.add(random());
    }
    std::mt19937_64 again(2);
    for (int i = 0; i < ids; ++i) {
        ASSERT_TRUE(filter.may_contain(again()));
    }
    int false_hits = 0;
    for (int i = 0; i < probes; ++i) {
        false_hits += filter.may_contain(random()) ? 1 : 0;
    }
    EXPECT_LT(false_hits, probes / 125) << "a full filter and a half-full one";
}

}  // namespace
}  // namespace herald
