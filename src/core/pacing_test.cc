#include "core/pacing.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace herald::test {
namespace {

using namespace std::chrono_literals;

/// When attempts go within `time`, from one who asks as often as it may and as `late` as that.
std::vector<Pacer::Moment> run(Pacer& pacer, Pacer::Moment begin, std::chrono::milliseconds time,
                               std::chrono::milliseconds late = 0ms) {
    std::vector<Pacer::Moment> sent;
    for (auto now = begin; now < begin + time;) {
        pacer.take(now);
        sent.push_back(now);
        if (pacer.next() > now) now = pacer.next() + late;
    }
    return sent;
}

TEST(RateLimit, IsSoManyASecondOrAMinute) {
    EXPECT_EQ(parse_rate_limit("10/s"), (RateLimit{10, 1s}));
    EXPECT_EQ(parse_rate_limit("600/m"), (RateLimit{600, 1min}));
    for (const char* bad : {"", "10", "/s", "0/s", "-1/s", "1.5/s", "10/h", "10/s ", " 10/s",
                            "1000001/s", "99999999999/s", "10 /s", "ten/s"}) {
        EXPECT_EQ(parse_rate_limit(bad), std::nullopt) << bad;
    }
    EXPECT_EQ(to_text(RateLimit{10, 1s}), "10/s");
    EXPECT_EQ(to_text(RateLimit{7, 1min}), "7/m");
}

TEST(Pacing, WordsAreReadAsTheyAreWritten) {
    for (const Ordering one : {Ordering::none, Ordering::webhook, Ordering::node}) {
        EXPECT_EQ(parse_ordering(to_text(one)), one);
    }
    EXPECT_EQ(parse_ordering("nodes"), std::nullopt);
    for (const Backlog one : {Backlog::oldest, Backlog::newest}) {
        EXPECT_EQ(parse_backlog(to_text(one)), one);
    }
    EXPECT_EQ(parse_backlog(""), std::nullopt);
}

/// What is wrong with these options, by pointer.
std::vector<std::string> wrong_in(std::string_view json) {
    std::vector<FieldError> wrong;
    std::ignore = read_pacing(JsonView(json), JsonView{}, wrong);
    std::vector<std::string> pointers;
    for (const FieldError& one : wrong) pointers.push_back(one.pointer);
    return pointers;
}

TEST(Pacing, ComesBackAsItWasWritten) {
    const Pacing pacing{RateLimit{600, 1min}, 4, Ordering::node, 3, Backlog::oldest};
    std::string json;
    append_pacing(json, pacing, SecretForm::plain);
    std::vector<FieldError> wrong;
    EXPECT_EQ(read_pacing(JsonView(json), JsonView{}, wrong), pacing);
    EXPECT_EQ(read_pacing(JsonView{}, JsonView{}, wrong), Pacing{});
    EXPECT_TRUE(wrong.empty());
}

TEST(Pacing, NamesWhatIsWrong) {
    using Pointers = std::vector<std::string>;
    EXPECT_EQ(wrong_in(R"({"rate_limit":"fast"})"), Pointers{"/pacing/rate_limit"});
    EXPECT_EQ(wrong_in(R"({"max_in_flight":65})"), Pointers{"/pacing/max_in_flight"});
    EXPECT_EQ(wrong_in(R"({"max_in_flight":0})"), Pointers{"/pacing/max_in_flight"});
    EXPECT_EQ(wrong_in(R"({"ordering":"key"})"), Pointers{"/pacing/ordering"});
    EXPECT_EQ(wrong_in(R"({"set_aside_after":0})"), Pointers{"/pacing/set_aside_after"});
    EXPECT_EQ(wrong_in(R"({"backlog":"newest","ordering":"node"})"), Pointers{"/pacing/backlog"});
    EXPECT_EQ(wrong_in(R"({"rate":"1/s"})"), Pointers{"/pacing/rate"});
}

TEST(OrderKey, IsOneForTheWebhookOrOneForEachNode) {
    EXPECT_EQ(order_key(Ordering::webhook, "a"), order_key(Ordering::webhook, "b"));
    EXPECT_EQ(order_key(Ordering::node, "a"), order_key(Ordering::node, "a"));
    EXPECT_NE(order_key(Ordering::node, "a"), order_key(Ordering::node, "b"));
    EXPECT_NE(order_key(Ordering::node, "a"), order_key(Ordering::node, ""));
    EXPECT_NE(order_key(Ordering::node, ""), 0U);
}

TEST(Pacer, WithoutALimitLetsAllGo) {
    Pacer pacer;
    const Pacer::Moment now{1h};
    for (int n = 0; n < 1'000; ++n) {
        EXPECT_LE(pacer.next(), now);
        pacer.take(now);
    }
    EXPECT_FALSE(pacer.limited());
}

TEST(Pacer, SpacesAttemptsEvenly) {
    Pacer pacer;
    pacer.set(RateLimit{10, 1s});
    const auto sent = run(pacer, Pacer::Moment{1h}, 10s);
    EXPECT_NEAR(static_cast<double>(sent.size()), 100, 1);
    for (std::size_t i = 11; i < sent.size(); ++i) EXPECT_GE(sent[i] - sent[i - 10], 980ms);
}

TEST(Pacer, APauseGivesNoBurst) {
    Pacer pacer;
    pacer.set(RateLimit{5, 1min});
    pacer.take(Pacer::Moment{1h});
    const auto sent = run(pacer, Pacer::Moment{5h}, 60s);
    EXPECT_LE(sent.size(), 6U);
    EXPECT_EQ(pacer.within(1min), 5U);
    EXPECT_EQ(pacer.within(1s), 1U) << "one always";
}

TEST(Pacer, AFastRateSurvivesALateTimer) {
    Pacer pacer;
    pacer.set(RateLimit{10'000, 1s});
    const auto sent = run(pacer, Pacer::Moment{1h}, 1s, 5ms);
    EXPECT_NEAR(static_cast<double>(sent.size()), 10'000, 500);
}

TEST(Pacer, ALimitThatIsLiftedHoldsNothing) {
    Pacer pacer;
    pacer.set(RateLimit{1, 1min});
    pacer.take(Pacer::Moment{1h});
    EXPECT_EQ(pacer.next(), Pacer::Moment{1h} - Pacer::slack + 1min);
    pacer.set(std::nullopt);
    EXPECT_LE(pacer.next(), Pacer::Moment{1h});
}

}  // namespace
}  // namespace herald::test
