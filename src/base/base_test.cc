#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/metrics.h"
#include "base/time.h"

namespace herald {
namespace {

TEST(Uuid, ReadsDashedAndBareFormsAndWritesLowerCase) {
    const auto id = Uuid::parse("2ECE726F-8574-488C-92F7-EE9A56485B46");
    ASSERT_TRUE(id);
    EXPECT_EQ(id->text(), "2ece726f-8574-488c-92f7-ee9a56485b46");
    EXPECT_EQ(Uuid::parse("2ece726f8574488c92f7ee9a56485b46"), id);
    for (const std::string_view bad :
         {"", "2ece726f-8574-488c-92f7-ee9a56485b4", "2ece726f-8574-488c-92f7-ee9a56485b46a",
          "2ece726f-8574-488c-92f7-ee9a56485b4g", "2ece726f8574-488c-92f7-ee9a56485b46-",
          "{2ece726f-8574-488c-92f7-ee9a56485b46}"}) {
        EXPECT_FALSE(Uuid::parse(bad)) << bad;
    }
}

TEST(Uuid, RandomOnesAreOfVersionFourAndDiffer) {
    const Uuid a = Uuid::random();
    EXPECT_EQ(a.text()[14], '4');
    EXPECT_NE(a, Uuid::random());
}

TEST(DeliveryId, ReadsWhatItWrites) {
    const DeliveryId id{0x0123456789abcdef, 0xfedcba9876543210};
    EXPECT_EQ(id.text(), "msg_0123456789abcdeffedcba9876543210");
    EXPECT_EQ(DeliveryId::parse(id.text()), id);
    EXPECT_FALSE(DeliveryId::parse("0123456789abcdeffedcba9876543210"));
    EXPECT_FALSE(DeliveryId::parse("msg_0123"));
}

TEST(Base64, ReadsAndWritesTheStandardAlphabet) {
    const std::pair<std::string_view, std::string_view> cases[] = {
        {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foobar", "Zm9vYmFy"}};
    for (const auto& [bytes, text] : cases) {
        EXPECT_EQ(to_base64(as_bytes(bytes)), text);
        EXPECT_EQ(from_base64(text), bytes);
    }
    EXPECT_EQ(from_base64("Zg"), "f") << "padding may be missing";
    for (const std::string_view bad : {"Z", "Zg=", "Zh==", "Zm9v!", "Zm9v ", "===="}) {
        EXPECT_FALSE(from_base64(bad)) << bad;
    }
}

TEST(Hex, ReadsAndWrites) {
    EXPECT_EQ(to_hex(as_bytes("\x01\xab")), "01ab");
    EXPECT_EQ(from_hex("01AB"), "\x01\xab");
    EXPECT_FALSE(from_hex("0"));
    EXPECT_FALSE(from_hex("0g"));
}

TEST(Time, ReadsBothFormsAndAnyOffset) {
    const auto time = parse_time("2025-03-13T16:44:32.321142Z");
    ASSERT_TRUE(time);
    EXPECT_EQ(to_rfc3339(*time), "2025-03-13T16:44:32.321142Z");
    EXPECT_EQ(to_python_str(*time), "2025-03-13 16:44:32.321142+00:00");
    for (const std::string_view same :
         {"2025-03-13 16:44:32.321142+00:00", "2025-03-13T18:44:32.321142+02:00",
          "2025-03-13t16:44:32.3211429z", "2025-03-13T11:44:32.321142-0500"}) {
        EXPECT_EQ(parse_time(same), time) << same;
    }
}

TEST(Time, WithoutMicrosecondsPythonPrintsNoFraction) {
    EXPECT_EQ(to_python_str(*parse_time("2025-03-13T16:44:32Z")), "2025-03-13 16:44:32+00:00");
    EXPECT_EQ(to_python_str(*parse_time("1969-12-31T23:59:59.000001Z")),
              "1969-12-31 23:59:59.000001+00:00");
}

TEST(Time, RefusesWhatIsNoMoment) {
    for (const std::string_view bad :
         {"", "2025-03-13", "2025-03-13T16:44:32", "2025-02-30T00:00:00Z", "2025-13-01T00:00:00Z",
          "2025-03-13T24:00:00Z", "2025-03-13T16:60:00Z", "2025-03-13T16:44:60Z",
          "2025-03-13T16:44:32.Z", "2025-03-13T16:44:32Zx", "0000-01-01T00:00:00Z",
          "0001-01-01T00:00:00+01:00", "2025-3-13T16:44:32Z", "2025-03-13T16:44:32+24:00"}) {
        EXPECT_FALSE(parse_time(bad)) << bad;
    }
}

TEST(ParseDuration, ReadsUnits) {
    using std::chrono::milliseconds;
    EXPECT_EQ(parse_duration("250ms"), milliseconds{250});
    EXPECT_EQ(parse_duration("10s"), milliseconds{10'000});
    EXPECT_EQ(parse_duration("0.5"), milliseconds{500});
    EXPECT_EQ(parse_duration("5m"), milliseconds{300'000});
    EXPECT_EQ(parse_duration("2h"), milliseconds{7'200'000});
    EXPECT_EQ(parse_duration("1d"), milliseconds{86'400'000});
    for (const std::string_view bad : {"", "s", "-1s", "5 m", "1w", "nan", "inf", "1e300d"}) {
        EXPECT_FALSE(parse_duration(bad)) << bad;
    }
}

TEST(Metrics, RendersFamiliesWithEscapedLabels) {
    Metrics metrics;
    metrics.counter("a_total", "Counts.", Metrics::label("webhook", "x\"y\n")).add(2);
    metrics.gauge("b", "Goes up and down.").set(-3);
    EXPECT_EQ(metrics.render(),
              "# HELP a_total Counts.\n# TYPE a_total counter\na_total{webhook=\"x\\\"y\\n\"} 2\n"
              "# HELP b Goes up and down.\n# TYPE b gauge\nb -3\n");
}

TEST(Metrics, HistogramBucketsAreCumulative) {
    Metrics metrics;
    Histogram& histogram = metrics.histogram("h_seconds", "Time.");
    histogram.observe(0.001);
    histogram.observe(0.3);
    histogram.observe(100);
    const std::string text = metrics.render();
    EXPECT_NE(text.find("h_seconds_bucket{le=\"0.001\"} 1\n"), std::string::npos) << text;
    EXPECT_NE(text.find("h_seconds_bucket{le=\"0.5\"} 2\n"), std::string::npos) << text;
    EXPECT_NE(text.find("h_seconds_bucket{le=\"+Inf\"} 3\n"), std::string::npos) << text;
    EXPECT_NE(text.find("h_seconds_count 3\n"), std::string::npos) << text;
}

TEST(Time, DurationIsShownInItsLargestExactUnit) {
    const std::pair<Duration, std::string_view> cases[] = {
        {std::chrono::seconds{0}, "0s"},
        {std::chrono::hours{24}, "24h"},
        {std::chrono::minutes{5}, "5m"},
        {std::chrono::seconds{90}, "90s"},
        {std::chrono::milliseconds{250}, "250ms"},
        {std::chrono::milliseconds{1500}, "1500ms"},
        {std::chrono::microseconds{1}, "0.000001s"},
        {std::chrono::microseconds{2'000'500}, "2.000500s"}};
    for (const auto& [duration, text] : cases) {
        EXPECT_EQ(duration_text(duration), text);
        EXPECT_EQ(parse_duration(text), duration) << "what is shown can be sent back";
    }
}

}  // namespace
}  // namespace herald
