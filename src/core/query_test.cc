#include "core/query.h"

#include <limits>

#include <gtest/gtest.h>

namespace herald {
namespace {

constexpr auto newest = Order::newest_first;
constexpr auto oldest = Order::oldest_first;

void expect_refused(char list, Order order, std::string_view text, std::string_view why) {
    const auto place = read_cursor(list, order, text);
    ASSERT_FALSE(place) << text;
    EXPECT_EQ(place.error().code, Errc::invalid);
    ASSERT_EQ(place.error().fields.size(), 1U);
    EXPECT_EQ(place.error().fields[0].pointer, "/cursor");
    EXPECT_NE(place.error().fields[0].detail.find(why), std::string::npos)
        << place.error().fields[0].detail;
}

TEST(Cursor, ComesBackAsItWasMade) {
    for (const std::uint64_t place :
         {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{255}, std::uint64_t{256},
          std::uint64_t{1} << 40U, std::numeric_limits<std::uint64_t>::max()}) {
        for (const Order order : {newest, oldest}) {
            const std::string text = make_cursor('e', order, place);
            const auto read = read_cursor('e', order, text);
            ASSERT_TRUE(read) << text;
            EXPECT_EQ(*read, place);
        }
    }
}

TEST(Cursor, CanStandInAUrlAsItIs) {
    for (std::uint64_t place = 0; place < 2'000; ++place) {
        const std::string text = make_cursor('d', newest, place * 0x9E3779B97F4A7C15ULL);
        EXPECT_EQ(text.size(), 20U);
        EXPECT_EQ(text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                         "0123456789-_"),
                  text.npos);
        EXPECT_TRUE(read_cursor('d', newest, text));
    }
}

TEST(Cursor, OfAnotherListIsRefused) {
    expect_refused('d', newest, make_cursor('e', newest, 7), "another list");
}

TEST(Cursor, OfTheOtherOrderIsRefused) {
    expect_refused('e', oldest, make_cursor('e', newest, 7), "other order");
    expect_refused('e', newest, make_cursor('e', oldest, 7), "other order");
}

TEST(Cursor, AnyChangedCharacterIsRefused) {
    const std::string good = make_cursor('e', newest, 123'456'789);
    for (std::size_t i = 0; i < good.size(); ++i) {
        for (const char c : {'A', 'b', '7', '-', '_'}) {
            std::string bad = good;
            if (bad[i] == c) continue;
            bad[i] = c;
            expect_refused('e', newest, bad, "not a cursor");
        }
    }
}

TEST(Cursor, WhatIsNoCursorIsRefused) {
    const std::string good = make_cursor('e', newest, 1);
    for (const std::string& bad :
         {std::string(), std::string("1"), std::string(20, 'A'), std::string(20, '\0'),
          std::string(20, '+'), std::string(20, '/'), good + "=", good + "A", good.substr(0, 19),
          good.substr(0, 19) + "=", good.substr(0, 16), " " + good, std::string(100'000, 'A'),
          std::string("\xff\xfe")}) {
        expect_refused('e', newest, bad, "not a cursor");
    }
}

TEST(Query, StartsAtTheNewestWithADefaultPage) {
    EXPECT_EQ(EventQuery{}.order, newest);
    EXPECT_EQ(EventQuery{}.limit, limits::page_default);
    EXPECT_EQ(DeliveryQuery{}.order, newest);
    EXPECT_EQ(DeliveryQuery{}.limit, limits::page_default);
}

}  // namespace
}  // namespace herald
