#include "core/retry_after.h"

#include <gtest/gtest.h>

#include "support/builders.h"

namespace herald::test {
namespace {

using namespace std::chrono_literals;

struct Case {
    const char* value;
    std::optional<Duration> wait;
};

// Noon is 2026-03-13 12:00:00, a Friday.
const Case cases[] = {
    {"0", 0s},
    {"1", 1s},
    {"120", 120s},
    {" 7 ", 7s},
    {"007", 7s},
    {"86400", 24h},
    {"86401", 24h},
    {"99999999999999999999999999", 24h},
    {"Fri, 13 Mar 2026 12:00:30 GMT", 30s},
    {"Friday, 13-Mar-26 12:00:30 GMT", 30s},
    {"Fri Mar 13 12:00:30 2026", 30s},
    {"Fri Mar  6 12:00:30 2026", 0s},
    {"Fri, 13 Mar 2026 11:59:59 GMT", 0s},
    {"Sun, 06 Nov 1994 08:49:37 GMT", 0s},
    {"Sunday, 06-Nov-94 08:49:37 GMT", 0s},
    {"Thu, 01 Jan 1970 00:00:00 GMT", 0s},
    {"Fri, 31 Dec 9999 23:59:59 GMT", 24h},
    {"Friday, 31-Dec-75 23:59:59 GMT", 24h},
    {"Fri, 13 Mar 2026 12:00:60 GMT", 60s},
    {"", std::nullopt},
    {"  ", std::nullopt},
    {"-5", std::nullopt},
    {"+5", std::nullopt},
    {"1.5", std::nullopt},
    {"5s", std::nullopt},
    {"soon", std::nullopt},
    {"Fri, 13 Mar 2026 12:00:30", std::nullopt},
    {"Fri, 13 Mar 2026 12:00:30 UTC", std::nullopt},
    {"Fri, 13 Mar 2026 24:00:30 GMT", std::nullopt},
    {"Fri, 30 Feb 2026 12:00:30 GMT", std::nullopt},
    {"Fri, 13 Foo 2026 12:00:30 GMT", std::nullopt},
    {"Fri, 13 Mar 2026 12:00:30 GMT, 5", std::nullopt},
    {"Fri Mar 13 12:00:30 2026 GMT", std::nullopt},
    {"2026-03-13T12:00:30Z", std::nullopt},
    {"\xFF\xFE", std::nullopt},
};

TEST(RetryAfter, IsReadInEveryFormAndNothingElse) {
    for (const Case& one : cases)
        EXPECT_EQ(parse_retry_after(one.value, noon), one.wait) << one.value;
}

TEST(RetryAfter, OfAnAnswerIsFoundWhateverItsCase) {
    EXPECT_EQ(retry_after({{"Server", "x"}, {"retry-AFTER", "5"}}, noon), 5s);
    EXPECT_EQ(retry_after({{"Server", "x"}}, noon), std::nullopt);
}

TEST(RetryAfter, ADateCountsFromTheAnswersOwnClock) {
    const HeaderList headers{{"Date", "Thu, 01 Jan 2032 00:00:00 GMT"},
                             {"Retry-After", "Thu, 01 Jan 2032 00:01:00 GMT"}};
    EXPECT_EQ(retry_after(headers, noon), 60s);
    EXPECT_EQ(retry_after({{"Date", "nonsense"}, headers[1]}, noon), 24h);
}

}  // namespace
}  // namespace herald::test
