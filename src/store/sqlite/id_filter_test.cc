#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>

#include "store/sqlite/event_index.h"

namespace herald {
namespace {

TEST(IdFilterTest, EmptyFilterContainsNothing) {
    const IdFilter filter;
    EXPECT_TRUE(filter.may_hold(0).empty());
    EXPECT_TRUE(filter.may_hold(42).empty());
}

TEST(IdFilterTest, NeverDeniesWhatWasAdded) {
    std::mt19937_64 random(1);
    IdFilter filter;
    for (std::uint64_t i = 0; i < 100'000; ++i) {
        filter.add(random(), EventSeq{i});
    }
    std::mt19937_64 again(1);
    for (int i = 0; i < 100'000; ++i) {
        ASSERT_FALSE(filter.may_hold(again()).empty());
    }
}

TEST(IdFilterTest, GrowsPastOneMillionAndErrsAboutOnceInTwoHundredPerMillion) {
    constexpr std::uint64_t ids = 1'500'000;
    constexpr int probes = 200'000;
    IdFilter filter;
    std::mt19937_64 random(2);
    for (std::uint64_t i = 0; i < ids; ++i) {
        filter.add(random(), EventSeq{i});
    }
    std::mt19937_64 again(2);
    for (std::uint64_t i = 0; i < ids; ++i) {
        const auto ranges = filter.may_hold(again());
        ASSERT_TRUE(std::ranges::any_of(ranges, [&](const EventRange& range) {
            return range.first <= EventSeq{i} && EventSeq{i} <= range.last;
        })) << "the stretch that it says is where the event is";
    }
    int false_hits = 0;
    for (int i = 0; i < probes; ++i) {
        false_hits += filter.may_hold(random()).empty() ? 0 : 1;
    }
    EXPECT_LT(false_hits, probes / 125) << "a full filter and a half-full one";
}

}  // namespace
}  // namespace herald
