#include "net/response_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/limits.h"

namespace herald {
namespace {

/// The parser after the bytes came at once.
ResponseParser parsed(std::string_view bytes) {
    ResponseParser parser;
    parser.feed(bytes);
    return parser;
}

/// The parser after the bytes came one by one, as the slowest network would bring them.
ResponseParser dripped(std::string_view bytes) {
    ResponseParser parser;
    std::string held;
    for (const char c : bytes) {
        held.push_back(c);
        held.erase(0, parser.feed(held));
        if (parser.done() || parser.fault()) break;
    }
    return parser;
}

std::string fault_of(std::string_view bytes) {
    ResponseParser once = parsed(bytes);
    ResponseParser slow = dripped(bytes);
    EXPECT_EQ(once.fault().has_value(), slow.fault().has_value()) << bytes;
    return once.fault() ? std::string(once.fault()->what) : "";
}

std::string answer(std::string_view fields, std::string_view body = "") {
    return "HTTP/1.1 200 OK\r\n" + std::string(fields) + "\r\n" + std::string(body);
}

TEST(ResponseParser, ReadsAnAnswerWhateverThePieces) {
    const std::string text =
        answer("Content-Type: text/plain \r\nX-Empty:\r\nContent-Length: 5\r\n", "hello");
    for (ResponseParser parser : {parsed(text), dripped(text)}) {
        EXPECT_TRUE(parser.done());
        EXPECT_EQ(parser.status(), 200);
        EXPECT_EQ(parser.reason(), "OK");
        EXPECT_EQ(parser.body(), "hello");
        EXPECT_TRUE(parser.keep_alive());
        EXPECT_EQ(
            parser.headers(),
            (HeaderList{{"Content-Type", "text/plain"}, {"X-Empty", ""}, {"Content-Length", "5"}}));
    }
}

TEST(ResponseParser, LeavesWhatIsBehindTheAnswer) {
    ResponseParser parser;
    const std::string text = answer("Content-Length: 2\r\n", "okHTTP/1.1 500");
    EXPECT_EQ(text.substr(parser.feed(text)), "HTTP/1.1 500");
    EXPECT_TRUE(parser.done());
}

TEST(ResponseParser, ChunkedBodies) {
    const std::string text = answer("Transfer-Encoding: chunked\r\n",
                                    "A;name=\"v\"\r\n0123456789\r\n01\r\nx\r\n0\r\n\r\n");
    for (ResponseParser parser : {parsed(text), dripped(text)}) {
        EXPECT_TRUE(parser.done());
        EXPECT_EQ(parser.body(), "0123456789x");
        EXPECT_TRUE(parser.keep_alive());
    }
}

TEST(ResponseParser, StatusesWithoutABody) {
    for (const char* status : {"204 No Content", "304 Not Modified"}) {
        ResponseParser parser = parsed("HTTP/1.1 " + std::string(status) + "\r\n\r\n");
        EXPECT_TRUE(parser.done()) << status;
        EXPECT_TRUE(parser.keep_alive());
    }
    EXPECT_TRUE(parsed("HTTP/1.1 304 X\r\nContent-Length: 7\r\n\r\n").done());
}

TEST(ResponseParser, AReasonMayBeMissing) {
    EXPECT_TRUE(parsed("HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n").done());
    EXPECT_TRUE(parsed("HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n").done());
}

TEST(ResponseParser, WithoutALengthTheBodyEndsWithTheConnection) {
    ResponseParser parser = parsed(answer("", "abc"));
    EXPECT_FALSE(parser.done());
    EXPECT_FALSE(parser.keep_alive());
    EXPECT_TRUE(parser.end_of_stream());
    EXPECT_EQ(parser.body(), "abc");
}

TEST(ResponseParser, AnEndInTheMiddleIsNone) {
    EXPECT_FALSE(parsed("").end_of_stream());
    EXPECT_FALSE(parsed("HTTP/1.1 200 OK\r\n").end_of_stream());
    EXPECT_FALSE(parsed(answer("Content-Length: 5\r\n", "abc")).end_of_stream());
    EXPECT_FALSE(parsed(answer("Transfer-Encoding: chunked\r\n", "1\r\na\r\n")).end_of_stream());
}

TEST(ResponseParser, SkipsAFewInterimAnswersOnly) {
    const std::string interim = "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n";
    std::string five;
    for (int i = 0; i < 5; ++i) five += interim;
    ResponseParser parser = parsed(five + answer("Content-Length: 0\r\n"));
    EXPECT_TRUE(parser.done());
    EXPECT_EQ(parser.headers().size(), 1U);
    EXPECT_EQ(fault_of(five + interim + answer("")), "too many interim answers (1xx)");
    EXPECT_THAT(fault_of("HTTP/1.1 101 Switching Protocols\r\n\r\n"), testing::HasSubstr("101"));
}

TEST(ResponseParser, RefusesWhatTwoReadersCouldTakeDifferently) {
    const std::string chunked = "Transfer-Encoding: chunked\r\n";
    for (const std::string& text : {
             answer("Content-Length: 1\r\n" + chunked, "1\r\na\r\n0\r\n\r\n"),
             answer(chunked + "Content-Length: 1\r\n", "1\r\na\r\n0\r\n\r\n"),
             answer("Content-Length: 1\r\nContent-Length: 2\r\n", "ab"),
             answer("Content-Length: 1, 2\r\n", "ab"),
             answer("Content-Length: +1\r\n", "a"),
             answer("Content-Length: -1\r\n", "a"),
             answer("Content-Length: 0x1\r\n", "a"),
             answer("Content-Length: 1 1\r\n", "a"),
             answer("Content-Length:\r\n", "a"),
             answer("Content-Length: 99999999999999999999\r\n", "a"),
             answer("Content-Length: 18446744073709551615\r\n", "a"),
             answer("Transfer-Encoding: gzip, chunked\r\n"),
             answer("Transfer-Encoding: chunked, chunked\r\n"),
             answer(chunked + chunked),
             answer("Transfer-Encoding: identity\r\n"),
             answer("Transfer-Encoding: \"chunked\"\r\n"),
             std::string("HTTP/1.0 200 OK\r\n") + chunked + "\r\n",
             std::string("HTTP/1.1 200 OK\nContent-Length: 0\n\n"),
             answer("A: b\nC: d\r\n"),
             answer("A: b\rC: d\r\n"),
             answer("A: b\r\n folded\r\n"),
             answer(" A: b\r\n"),
             answer("A : b\r\n"),
             answer("A\r\n"),
             answer(": b\r\n"),
             answer("A\x80: b\r\n"),
             answer(std::string("A: b\0c\r\n", 8)),
             answer("A: b\x7f\r\n"),
         }) {
        EXPECT_NE(fault_of(text), "") << text;
    }
    EXPECT_EQ(fault_of(answer("Content-Length: 1\r\nContent-Length: 1\r\n", "a")), "");
    EXPECT_EQ(fault_of(answer("Content-Length: 1, 1\r\n", "a")), "");
    EXPECT_EQ(fault_of(answer("transfer-encoding: Chunked\r\n", "0\r\n\r\n")), "");
    EXPECT_EQ(fault_of(answer("A: \x80\xff\tb\r\n")), "");
}

TEST(ResponseParser, RefusesWrongStatusLines) {
    for (const char* line :
         {"HTTP/2.0 200 OK", "HTTP/1.1 20 OK", "HTTP/1.1 2000 OK", "HTTP/1.1  200 OK",
          "HTTP/1.1 099 OK", "HTTP/1.1\t200 OK", "HTTP/1.1 abc OK", "http/1.1 200 OK", "ICY 200 OK",
          "HTTP/1.12 200", "HTTP/1.1 200 O\x01K", "HTTP/1.1 +20 OK", "\r\nHTTP/1.1 200 OK"}) {
        EXPECT_NE(fault_of(std::string(line) + "\r\n\r\n"), "") << line;
    }
}

TEST(ResponseParser, RefusesWrongChunks) {
    for (const char* body : {"x\r\n", "\r\n", ";a\r\n", "-1\r\n", " 1\r\na\r\n", "1 \r\na\r\n",
                             "1\na\r\n", "1\r\nab\r\n", "1\r\na\n", "1\r\na\rx", "1;\n", "1;\rx",
                             "0x1\r\n", "1000000000000000\r\n", "0\r\n\n", "0\r\n\rx",
                             "0\r\nA: b\n\r\n", "0\r\n A: b\r\n\r\n", "0\r\nA: b\x01\r\n\r\n"}) {
        EXPECT_NE(fault_of(answer("Transfer-Encoding: chunked\r\n", body)), "") << body;
    }
}

TEST(ResponseParser, BoundsTheHeader) {
    const std::string many(limits::response_header_bytes, 'x');
    EXPECT_THAT(fault_of(answer("A: " + many + "\r\n")), testing::HasSubstr("64 KiB"));
    std::string interim = "HTTP/1.1 103 X\r\nA: " + std::string(30'000, 'x') + "\r\n\r\n";
    EXPECT_THAT(fault_of(interim + interim + interim), testing::HasSubstr("64 KiB"));
    std::string fields;
    for (int i = 0; i < 129; ++i) fields += "A: b\r\n";
    EXPECT_THAT(fault_of(answer(fields)), testing::HasSubstr("too many header fields"));
}

TEST(ResponseParser, BoundsExtensionsAndTrailers) {
    const std::string long_text(20'000, 'x');
    EXPECT_NE(fault_of(answer("Transfer-Encoding: chunked\r\n", "1;" + long_text)), "");
    EXPECT_NE(fault_of(answer("Transfer-Encoding: chunked\r\n", "0\r\nA: " + long_text)), "");
}

TEST(ResponseParser, KeepsTheStartOfABodyAndStopsAtTheMost) {
    const std::string body(limits::response_body_bytes + 1, 'x');
    ResponseParser cut = parsed(answer("", body));
    EXPECT_TRUE(cut.done());
    EXPECT_FALSE(cut.keep_alive());
    EXPECT_EQ(cut.body().size(), limits::response_capture);
    EXPECT_TRUE(cut.body_cut(cut.body().size()));

    const std::string fields = "Content-Length: " + std::to_string(body.size() - 1) + "\r\n";
    ResponseParser whole = parsed(answer(fields, body.substr(1)));
    EXPECT_TRUE(whole.done());
    EXPECT_TRUE(whole.keep_alive());
    EXPECT_TRUE(whole.body_cut(whole.body().size()));
}

TEST(ResponseParser, ReadsOneAnswerAfterTheOther) {
    ResponseParser parser;
    for (const char* body : {"first", "second"}) {
        parser.reset();
        const std::string length = std::to_string(std::string_view(body).size());
        parser.feed(answer("Content-Length: " + length + "\r\n", body));
        EXPECT_TRUE(parser.done());
        EXPECT_EQ(parser.body(), body);
        EXPECT_EQ(parser.headers().size(), 1U);
    }
}

TEST(ResponseParser, ConnectionDecidesWhetherItIsKept) {
    const auto kept = [](std::string_view text) { return parsed(text).keep_alive(); };
    const std::string length = "Content-Length: 0\r\n\r\n";
    EXPECT_TRUE(kept("HTTP/1.1 200 OK\r\n" + length));
    EXPECT_FALSE(kept("HTTP/1.1 200 OK\r\nConnection: close\r\n" + length));
    EXPECT_FALSE(kept("HTTP/1.1 200 OK\r\nConnection: a, CLOSE ,b\r\n" + length));
    EXPECT_FALSE(kept("HTTP/1.0 200 OK\r\n" + length));
    EXPECT_TRUE(kept("HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\n" + length));
    EXPECT_FALSE(kept("HTTP/1.1 200 OK\r\nConnection: keep-alive, close\r\n" + length));
}

}  // namespace
}  // namespace herald
