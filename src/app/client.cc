#include "app/client.h"

#include <chrono>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>

#include "core/url.h"

namespace herald {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

constexpr auto patience = std::chrono::seconds{60};

using BeastRequest = http::request<http::string_body>;
using BeastResponse = http::response<http::string_body>;

BeastRequest to_beast(const ApiRequest& request, const Url& url) {
    BeastRequest message;
    message.method_string(request.method);
    message.target(url.target);
    message.version(11);
    message.set(http::field::host, url.host_header());
    message.set(http::field::user_agent, "herald-cli/" HERALD_VERSION);
    message.set(http::field::accept, "application/json");
    if (!request.body.empty() || request.method != "GET") {
        message.set(http::field::content_type, request.content_type);
        message.body() = request.body;
        message.prepare_payload();
    }
    for (const auto& [name, value] : request.headers) message.set(name, value);
    return message;
}

/// Runs the loop until the operation has ended, so that Beast's time limit works.
template <class Stream>
BeastResponse exchange(asio::io_context& loop, Stream& stream, const BeastRequest& message) {
    beast::error_code failure;
    auto run = [&](auto start) {
        loop.restart();
        beast::get_lowest_layer(stream).expires_after(patience);
        start([&](beast::error_code error, auto&&...) { failure = error; });
        loop.run();
        if (failure) throw beast::system_error(failure);
    };
    beast::flat_buffer buffer;
    http::response_parser<http::string_body> parser;
    parser.body_limit(std::uint64_t{256} * 1024 * 1024);
    run([&](auto done) { http::async_write(stream, message, done); });
    run([&](auto done) { http::async_read(stream, buffer, parser, done); });
    return parser.release();
}

BeastResponse talk(const Url& url, const BeastRequest& message) {
    asio::io_context loop;
    asio::ip::tcp::resolver resolver(loop);
    const auto found = resolver.resolve(url.host, std::to_string(url.port));
    if (!url.tls) {
        beast::tcp_stream stream(loop);
        stream.connect(found);
        return exchange(loop, stream, message);
    }
    asio::ssl::context context(asio::ssl::context::tls_client);
    context.set_default_verify_paths();
    context.set_verify_mode(asio::ssl::verify_peer);
    beast::ssl_stream<beast::tcp_stream> stream(loop, context);
    stream.set_verify_callback(asio::ssl::host_name_verification(url.host));
    SSL_set_tlsext_host_name(stream.native_handle(), url.host.c_str());
    beast::get_lowest_layer(stream).connect(found);
    stream.handshake(asio::ssl::stream_base::client);
    return exchange(loop, stream, message);
}

ApiReply from_beast(BeastResponse& response) {
    ApiReply reply;
    reply.status = static_cast<int>(response.result_int());
    for (const auto& field : response) {
        std::string name(field.name_string());
        for (char& c : name) c = (c >= 'A' && c <= 'Z') ? static_cast<char>(c + 32) : c;
        reply.headers.emplace_back(std::move(name), std::string(field.value()));
    }
    reply.text = std::move(response.body());
    constexpr JsonLimits limits{200};  // an event's own depth, and that of an answer around it
    if (auto canonical = canonical_json(reply.text, limits))
        reply.canonical = std::move(*canonical);
    return reply;
}

}  // namespace

std::string_view ApiReply::header(std::string_view lower_case_name) const {
    for (const auto& [name, value] : headers) {
        if (name == lower_case_name) return value;
    }
    return {};
}

Result<ApiReply> http_call(const std::string& url, const ApiRequest& request) {
    auto parsed = parse_url(url);
    if (!parsed) return fail(parsed.error());
    try {
        auto response = talk(*parsed, to_beast(request, *parsed));
        return from_beast(response);
    } catch (const boost::system::system_error& error) {
        const std::string at = (parsed->tls ? "https://" : "http://") + parsed->host_header();
        return fail(Errc::unavailable, "nothing answers at " + at + ": " + error.code().message());
    }
}

ApiClient::ApiClient(std::string address, std::string token)
    : address_(std::move(address)), token_(std::move(token)) {
    while (address_.ends_with('/')) address_.pop_back();
    if (address_.find("://") == std::string::npos) address_ = "http://" + address_;
}

Result<ApiReply> ApiClient::call(const ApiRequest& request) const {
    ApiRequest full = request;
    if (!token_.empty()) full.headers.emplace_back("Authorization", "Bearer " + token_);
    return http_call(address_ + request.target, full);
}

std::string url_encode(std::string_view text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string encoded;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '~';
        if (plain) {
            encoded += c;
        } else {
            encoded += '%';
            encoded += digits[byte >> 4];
            encoded += digits[byte & 15];
        }
    }
    return encoded;
}

}  // namespace herald
