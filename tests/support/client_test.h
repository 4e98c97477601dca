#pragma once

#include <chrono>
#include <memory>
#include <string>

#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>

#include "async/wheel.h"
#include "net/http_client.h"
#include "support/raw_receiver.h"
#include "support/run.h"

namespace herald::test {

/// A client on a loop of its own.
struct ClientTest : testing::Test {
    boost::asio::io_context loop;
    Wheel wheel{loop.get_executor()};
    std::unique_ptr<HttpClient> client = make({.user_agent = "herald-test", .ca_bundle = {}});

    std::unique_ptr<HttpClient> make(HttpClientOptions options) {
        return make_http_client(loop.get_executor(), wheel, std::move(options));
    }

    /// More than the buffers of a connection hold, so that much of it is never read.
    static std::string large_body() {
        std::string body;
        body.resize(30'000'000, 'x');
        return body;
    }

    static HttpRequest request_to(const RawReceiver& receiver, std::string body = R"({"a":1})") {
        auto url = parse_url(receiver.url("/hook?x=1"));
        return {.url = std::move(url.value()),
                .headers = {{"Content-Type", "application/json"}},
                .body = std::move(body),
                .timeout = std::chrono::seconds{5},
                .connect_timeout = std::chrono::seconds{5}};
    }

    HttpAnswer post(const HttpRequest& request) { return run(loop, client->post(request)); }
    HttpAnswer post(const RawReceiver& receiver) { return post(request_to(receiver)); }

    /// What the client makes of these bytes and the end of the connection.
    HttpAnswer post_answered_by(std::string bytes) {
        const RawReceiver receiver({{read_request(), send_bytes(std::move(bytes)), close_now()}});
        return post(receiver);
    }
};

}  // namespace herald::test
