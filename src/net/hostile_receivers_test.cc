// What receivers may do to a client, as one table. Whatever they do: it ends in time, in the right
// class, with a bounded capture, and the next request does not meet what is left of it.
#include <algorithm>
#include <iterator>
#include <ostream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/limits.h"
#include "support/client_test.h"

namespace herald {
namespace {

using namespace std::chrono_literals;
using namespace test;  // NOLINT(google-build-using-namespace)
using std::chrono::steady_clock;
using testing::HasSubstr;

enum class After {
    closed,  ///< the next request needs a connection of its own
    closed_late,  ///< the same, and what shows it comes some time after the answer
    kept,         ///< the answer was clean: the connection serves the next request too
};

constexpr FailureClass success = FailureClass::none;

struct Case {
    std::string name;
    ReceiverScript script;  ///< of the first connection
    int status = 0;         ///< 0: there is none
    FailureClass failure = FailureClass::connection;
    std::string message;  ///< a part of it
    After after = After::closed;
    bool large = false;  ///< the request has more in it than the network takes unread

    friend void PrintTo(const Case& one, std::ostream* out) { *out << one.name; }
};

/// The receiver reads the request, then sends this and is silent.
ReceiverScript says(std::string bytes) {
    return {read_request(), send_bytes(std::move(bytes)), hold_open()};
}

/// The receiver reads the request, then sends this and the second text for ever.
ReceiverScript floods(std::string bytes, std::string forever) {
    return {read_request(), send_bytes(std::move(bytes)), send_forever(std::move(forever))};
}

ReceiverScript drips(std::string bytes, std::string slowly) {
    return {read_request(), send_bytes(std::move(bytes)), drip_bytes(std::move(slowly), 20ms),
            hold_open()};
}

const std::string ok_line = "HTTP/1.1 200 OK\r\n";
const std::string ok_length = ok_line + "Content-Length: ";
const std::string ok_chunked = ok_line + "Transfer-Encoding: chunked\r\n\r\n";
const std::string interim = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n";
const std::string gzip_start("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03", 10);

const std::string too_late = "There was no complete answer within 0.3 s.";
const std::string not_http = "The receiver's answer is not valid HTTP/1.1: ";
const std::string cut_off = "The receiver closed the connection in the middle of its answer";

std::string repeated(const std::string& text, int times) {
    std::string out;
    for (int i = 0; i < times; ++i) out += text;
    return out;
}

std::vector<Case> slow_ones() {
    using enum FailureClass;
    return {
        {"drips its status line", drips("", an_answer(200)), 0, timeout, too_late},
        {"drips its header", drips(ok_line, repeated("A: b\r\n", 99)), 0, timeout, too_late},
        {"drips its body", drips(ok_length + "500\r\n\r\n", repeated("x", 500)), 200, timeout,
         too_late},
        {"drips a body without an end", drips(ok_line + "\r\n", repeated("x", 500)), 200, timeout,
         too_late},
        {"drips chunks", drips(ok_chunked, repeated("1\r\nx\r\n", 99)), 200, timeout, too_late},
        {"drips interim answers", drips(interim, interim), 0, timeout, too_late},
        {"drips trailers", drips(ok_chunked + "0\r\n", repeated("A: b\r\n", 99)), 200, timeout,
         too_late},
        {"reads one byte at a time",
         {read_slowly(10ms)},
         0,
         timeout,
         too_late,
         After::closed,
         true},
        {"never reads", {hold_open()}, 0, timeout, too_late, After::closed, true},
        {"never answers", says(""), 0, timeout, too_late},
        {"promises an answer", says("HTTP/1.1 100 Continue\r\n\r\n"), 0, timeout, too_late},
        {"owes the end of its header", says(ok_line + "A: b\r\n"), 0, timeout, too_late},
        {"owes the last byte of its body", says(ok_length + "3\r\n\r\nab"), 200, timeout, too_late},
        {"owes the last chunk", says(ok_chunked + "1\r\na\r\n"), 200, timeout, too_late},
    };
}

std::vector<Case> endless_ones() {
    const std::string lots = repeated("x", 20'000);
    return {
        {"endless body", floods(ok_line + "\r\n", lots), 200, success},
        {"endless body of a failure", floods("HTTP/1.1 500 X\r\n\r\n", lots), 500,
         FailureClass::http_server_error, "500 Internal Server Error"},
        {"endless body with a length", floods(ok_length + "4000000000000\r\n\r\n", lots), 200,
         success},
        {"endless chunks", floods(ok_chunked, "4e20\r\n" + lots + "\r\n"), 200, success},
        {"endless small chunks", floods(ok_chunked, repeated("1\r\nx\r\n", 1'000)), 200, success},
        {"one endless chunk", floods(ok_chunked + "fffffffffffffff\r\n", lots), 200, success},
        {"gzip bomb",
         floods(ok_line + "Content-Encoding: gzip\r\n\r\n" + gzip_start, std::string(20'000, 0)),
         200, success},
        {"endless status line", floods("HTTP/1.1 200 ", lots), 0, FailureClass::connection,
         "its header is larger than 64 KiB"},
        {"endless header line", floods(ok_line + "A: ", lots), 0, FailureClass::connection,
         "its header is larger than 64 KiB"},
        {"endless header fields", floods(ok_line, repeated("A: b\r\n", 1'000)), 0,
         FailureClass::connection, "its header is larger than 64 KiB"},
        {"129 header fields", says(ok_line + repeated("A: b\r\n", 129) + "\r\n"), 0,
         FailureClass::connection, "too many header fields"},
        {"endless chunk extension", floods(ok_chunked + "1;", lots), 200, FailureClass::connection,
         "too many extensions or trailers"},
        {"extensions without end", floods(ok_chunked, "1;" + repeated("x", 500) + "\r\na\r\n"), 200,
         FailureClass::connection, "too many extensions or trailers"},
        {"endless trailer", floods(ok_chunked + "0\r\nA: ", lots), 200, FailureClass::connection,
         "too many extensions or trailers"},
        {"trailers without end", floods(ok_chunked + "0\r\n", "A: b\r\n"), 200,
         FailureClass::connection, "too many extensions or trailers"},
        {"flood of interim answers", floods("", "HTTP/1.1 100 Continue\r\n\r\n"), 0,
         FailureClass::connection, "too many interim answers"},
        {"interim answers with large headers",
         floods("", "HTTP/1.1 103 X\r\nA: " + lots + "\r\n\r\n"), 0, FailureClass::connection,
         "its header is larger than 64 KiB"},
        {"endless noise", floods("", lots), 0, FailureClass::connection,
         "it does not begin with HTTP/1"},
    };
}

/// What two readers could take for different answers.
std::vector<Case> ambiguous_ones() {
    const auto refused = [](std::string name, std::string bytes, std::string why, int status = 0) {
        return Case{std::move(name), says(std::move(bytes)), status, FailureClass::connection,
                    not_http + why};
    };
    const std::string chunked = "Transfer-Encoding: chunked\r\n";
    const std::string chunks = "\r\n1\r\na\r\n0\r\n\r\n";
    return {
        refused("length and chunks", ok_length + "9\r\n" + chunked + chunks,
                "there are a Content-Length and a Transfer-Encoding"),
        refused("chunks and length", ok_line + chunked + "Content-Length: 9\r\n" + chunks,
                "there are a Content-Length and a Transfer-Encoding"),
        refused("two lengths", ok_length + "1\r\nContent-Length: 2\r\n\r\nab",
                "there are two different Content-Lengths"),
        refused("two lengths in one field", ok_length + "1, 2\r\n\r\nab",
                "there are two different Content-Lengths"),
        refused("negative length", ok_length + "-1\r\n\r\n", "the Content-Length is not a number"),
        refused("length over 2^64", ok_length + "18446744073709551617\r\n\r\na",
                "the Content-Length is not a number"),
        refused("chunks and gzip", ok_line + "Transfer-Encoding: gzip, chunked\r\n" + chunks,
                "the Transfer-Encoding is not understood"),
        refused("chunked twice", ok_line + chunked + chunked + chunks,
                "the Transfer-Encoding is not understood"),
        refused("HTTP/1.0 with chunks", "HTTP/1.0 200 OK\r\n" + chunked + chunks,
                "an HTTP/1.0 message has a Transfer-Encoding"),
        refused("bare line feeds", "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
                "a line does not end with CR LF"),
        refused("one bare line feed", ok_line + "A: b\nContent-Length: 0\r\n\r\n",
                "a line does not end with CR LF"),
        refused("a carriage return in a value", ok_line + "A: b\rContent-Length: 0\r\n\r\n",
                "a header field's value has a control character"),
        refused("a zero byte", ok_line + std::string("A: \0\r\n\r\n", 9),
                "a header field's value has a control character"),
        refused("a folded field", ok_line + "A: b\r\n c\r\nContent-Length: 0\r\n\r\n",
                "a header field is folded over two lines"),
        refused("white space before the colon", ok_line + "Content-Length : 0\r\n\r\n",
                "a header field's name has a character it must not have"),
        refused("no colon", ok_line + "Content-Length\r\n\r\n", "a header field has no colon"),
        refused("a protocol that nobody asked for",
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
                "it switches to another protocol (101)"),
        refused("another protocol", "SSH-2.0-OpenSSH_9.2\r\n", "it does not begin with HTTP/1"),
        refused("HTTP/2", std::string("\0\0\0\x04\0\0\0\0\0", 9), "it does not begin with HTTP/1"),
        refused("HTTP/0.9", "<html>", "it does not begin with HTTP/1"),
        refused("a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n",
                "the status line has no status of three digits"),
    };
}

std::vector<Case> chunk_tricks() {
    const auto refused = [](std::string name, const std::string& body, std::string why) {
        return Case{std::move(name), says(ok_chunked + body), 200, FailureClass::connection,
                    not_http + why};
    };
    const auto fine = [](std::string name, const std::string& body) {
        return Case{std::move(name), always(ok_chunked + body), 200, success, "", After::kept};
    };
    return {
        refused("negative size", "-1\r\n", "a chunk's size is not a hexadecimal number"),
        refused("size with 0x", "0x1\r\na\r\n", "a chunk's size is not a hexadecimal number"),
        refused("no size", "\r\na\r\n", "a chunk's size is not a hexadecimal number"),
        refused("space before the size", " 1\r\na\r\n",
                "a chunk's size is not a hexadecimal number"),
        refused("size of 2^64", "10000000000000000\r\na\r\n", "a chunk's size is too large"),
        refused("size that would overflow", "ffffffffffffffff1\r\na\r\n",
                "a chunk's size is too large"),
        refused("leading zeros for ever", repeated("0", 99) + "1\r\na\r\n",
                "a chunk's size is too large"),
        refused("line feed behind the size", "1\na\r\n0\r\n\r\n",
                "a chunk's size is not a hexadecimal number"),
        refused("line feed in an extension", "1;a\nb\r\na\r\n",
                "a line of the chunked body does not end with CR LF"),
        refused("more than its size", "1\r\nabc\r\n", "a chunk is longer than its size says"),
        refused("no line end behind a chunk", "1\r\na0\r\n\r\n",
                "a chunk is longer than its size says"),
        refused("line feed behind a chunk", "1\r\na\n0\r\n\r\n",
                "a chunk is longer than its size says"),
        refused("trailer that is a folded line", "0\r\n a: b\r\n\r\n",
                "a trailer begins with a character it must not have"),
        fine("extensions", "1;name=\"v\";x\r\na\r\n0;last\r\n\r\n"),
        fine("trailers", "1\r\na\r\n0\r\nContent-Length: 9\r\nX: y\r\n\r\n"),
    };
}

/// Answers that come at the wrong time, or are not all that comes.
std::vector<Case> untimely_ones() {
    using enum FailureClass;
    const std::string early = an_answer(413, "too large");
    return {
        {"interim answers", always(repeated(interim, 5) + an_answer(200)), 200, success, "",
         After::kept},
        {"answers before it has read",
         {read_head(), send_bytes(early), hold_open()},
         413,
         http_client_error,
         "413",
         After::closed,
         true},
        {"answers early and reads nothing more",
         {read_head(), send_bytes(early), wait_for(50ms), close_now()},
         413,
         http_client_error,
         "413",
         After::closed,
         true},
        {"early nonsense",
         {read_head(), send_bytes("what?\r\n"), hold_open()},
         0,
         connection,
         "it does not begin with HTTP/1",
         After::closed,
         true},
        {"surplus bytes", says(an_answer(200) + "surplus"), 200, success},
        {"a second answer", says(an_answer(200) + an_answer(500)), 200, success},
        {"a body of an answer that has none", says("HTTP/1.1 204 X\r\n\r\n" + an_answer(500)), 204,
         success},
        {"surplus behind chunks", says(ok_chunked + "0\r\n\r\n" + an_answer(500)), 200, success},
        {"surplus a little later",
         {read_request(), send_bytes(an_answer(200)), wait_for(30ms), send_bytes("late"),
          hold_open()},
         200,
         success,
         "",
         After::closed_late},
        {"closes without an answer",
         {read_request(), close_now()},
         0,
         connection,
         "The receiver closed the connection without an answer."},
        {"closes at once",
         {close_now()},
         0,
         connection,
         "The receiver closed the connection without an answer"},
        {"resets instead of an answer",
         {read_request(), reset_now()},
         0,
         connection,
         "The receiver closed the connection without an answer: Connection reset by peer."},
        {"closes amid its header",
         {read_request(), send_bytes(ok_line), close_now()},
         0,
         connection,
         cut_off + "."},
        {"closes amid its body",
         {read_request(), send_bytes(ok_length + "9\r\n\r\nabc"), close_now()},
         200,
         connection,
         cut_off + "."},
        {"closes amid its chunks",
         {read_request(), send_bytes(ok_chunked + "1\r\na\r\n"), close_now()},
         200,
         connection,
         cut_off + "."},
        {"resets amid its body",
         {read_request(), send_bytes(ok_length + "9\r\n\r\nabc"), wait_for(30ms), reset_now()},
         200,
         connection,
         cut_off + ": Connection reset by peer."},
        {"resets a body without an end",
         {read_request(), send_bytes(ok_line + "\r\nabc"), wait_for(30ms), reset_now()},
         200,
         connection,
         cut_off + ": Connection reset by peer."},
        {"resets behind its answer",
         {read_request(), send_bytes(an_answer(200)), wait_for(10ms), reset_now()},
         200,
         success,
         "",
         After::closed_late},
        {"closes behind its answer",
         {read_request(), send_bytes(an_answer(200)), wait_for(10ms), close_now()},
         200,
         success,
         "",
         After::closed_late},
        {"says that it closes and does not", says(an_answer(200, "", "Connection: close\r\n")), 200,
         success},
        {"closes a kept connection when it is asked again",
         {read_request(), send_bytes(an_answer(200)), read_request(), close_now()},
         200,
         success},
    };
}

std::vector<Case> all_of_them() {
    std::vector<Case> all;
    for (auto part :
         {slow_ones(), endless_ones(), ambiguous_ones(), chunk_tricks(), untimely_ones()}) {
        std::ranges::move(part, std::back_inserter(all));
    }
    return all;
}

/// A name as gtest wants it.
std::string test_name(const testing::TestParamInfo<Case>& info) {
    std::string name = info.param.name;
    std::ranges::replace_if(name, [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
    return name;
}

struct HostileReceiver : ClientTest, testing::WithParamInterface<Case> {};

TEST_P(HostileReceiver, EndsInTimeInItsClassAndLeavesNothingBehind) {
    const Case& one = GetParam();
    const RawReceiver receiver({one.script, always(an_answer(201))});
    HttpRequest request = request_to(receiver, one.large ? large_body() : "{}");
    if (one.failure == FailureClass::timeout) request.timeout = 300ms;
    const auto began = steady_clock::now();
    const HttpAnswer answer = post(request);
    EXPECT_LT(steady_clock::now() - began, 3s);

    EXPECT_EQ(answer.status, one.status);
    EXPECT_EQ(to_text(answer.outcome.failure), to_text(one.failure)) << answer.outcome.message;
    EXPECT_THAT(answer.outcome.message, HasSubstr(one.message));
    EXPECT_LE(answer.body.size(), limits::response_capture);
    std::size_t header_bytes = 0;
    for (const auto& [name, value] : answer.headers) header_bytes += name.size() + value.size();
    EXPECT_LE(header_bytes, limits::response_header_bytes);

    const bool kept = one.after == After::kept;
    if (one.after == After::closed_late) std::this_thread::sleep_for(80ms);
    const HttpAnswer next = post(receiver);
    EXPECT_TRUE(next.outcome.ok()) << next.outcome.message;
    EXPECT_EQ(next.status, kept ? one.status : 201) << "what is left of the first answer";
    EXPECT_EQ(next.reused_connection, kept);
    EXPECT_EQ(receiver.connections(), kept ? 1U : 2U);
}

INSTANTIATE_TEST_SUITE_P(Table, HostileReceiver, testing::ValuesIn(all_of_them()), test_name);

/// What comes instead of a TLS handshake.
std::vector<Case> bad_handshakes() {
    using enum FailureClass;
    const std::string record("\x16\x03\x03\x3f\xff\x02\x00\x3f\xfb\x03\x03", 11);
    const std::string no_handshake = "The TLS handshake with the receiver failed: ";
    return {
        {"silence", {hold_open()}, 0, timeout, "There was no connection within 0.3 s."},
        {"a dripped hello",
         {drip_bytes(record + repeated("x", 500), 10ms)},
         0,
         timeout,
         "There was no connection within 0.3 s."},
        {"plain HTTP",
         {wait_for(20ms), send_bytes(an_answer(400)), hold_open()},
         0,
         tls,
         no_handshake + "wrong version number"},
        {"endless noise", {send_forever(repeated("x", 20'000))}, 0, tls, no_handshake},
        {"endless handshake records",
         {send_forever(std::string("\x16\x03\x03\x00\x04\x00\x00\x00\x00", 9))},
         0,
         tls,
         no_handshake + "it is longer than 256 KiB"},
        {"a fatal alert",
         {send_bytes(std::string("\x15\x03\x03\x00\x02\x02\x28", 7)), hold_open()},
         0,
         tls,
         no_handshake + "sslv3 alert handshake failure"},
        {"a close", {wait_for(20ms), close_now()}, 0, connection, "Connection reset by peer"},
    };
}

struct HostileHandshake : ClientTest, testing::WithParamInterface<Case> {};

TEST_P(HostileHandshake, EndsInTimeInItsClass) {
    const Case& one = GetParam();
    const RawReceiver receiver({one.script});
    HttpRequest request = request_to(receiver);
    request.url.tls = true;
    if (one.failure == FailureClass::timeout) request.connect_timeout = 300ms;
    const auto began = steady_clock::now();
    const HttpAnswer answer = post(request);
    EXPECT_LT(steady_clock::now() - began, 3s);
    EXPECT_EQ(to_text(answer.outcome.failure), to_text(one.failure)) << answer.outcome.message;
    EXPECT_THAT(answer.outcome.message, HasSubstr(one.message));
    EXPECT_EQ(answer.status, 0);
    EXPECT_TRUE(receiver.requests().empty());
}

INSTANTIATE_TEST_SUITE_P(Table, HostileHandshake, testing::ValuesIn(bad_handshakes()), test_name);

TEST_F(ClientTest, NothingIsAskedForThatWouldHaveToBeUnpacked) {
    const RawReceiver receiver(
        {always(an_answer(200, gzip_start + "...", "Content-Encoding: gzip\r\n"))});
    const HttpAnswer answer = post(receiver);
    EXPECT_EQ(answer.body, gzip_start + "...") << "what is kept are the bytes as they came";
    EXPECT_THAT(receiver.requests().at(0), Not(HasSubstr("Accept-Encoding")));
}

}  // namespace
}  // namespace herald
