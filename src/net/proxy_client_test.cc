// Requests through proxies: CONNECT for https, whole URLs for http.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/network_policy.h"
#include "support/client_test.h"

namespace herald {
namespace {

using namespace std::chrono_literals;
using namespace test;  // NOLINT(google-build-using-namespace)
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

const std::string tunnel_is_open = "HTTP/1.1 200 Connection established\r\n\r\n";

/// A proxy that plays the receiver too, behind its tunnel, with that certificate.
ReceiverScript tunnel_to(const std::string& certificate_name) {
    return {read_head(),
            send_bytes(tunnel_is_open),
            begin_tls(certificate_name),
            read_request(),
            send_bytes(an_answer(200, "there")),
            read_request(),
            send_bytes(an_answer(201)),
            hold_open()};
}

struct ProxyClient : ClientTest {
    ProxyClient() { client = make({.user_agent = "herald-test", .ca_bundle = bundle}); }

    static std::shared_ptr<const WayOptions> through(const RawReceiver& proxy,
                                                     const std::string& user = "",
                                                     const std::string& password = "") {
        WayOptions way;
        way.proxy.url = proxy.url("");
        way.proxy.user = user;
        way.proxy.password = password;
        return std::make_shared<const WayOptions>(std::move(way));
    }

    /// To a receiver whose name only the proxy knows.
    static HttpRequest request_by(std::shared_ptr<const WayOptions> way, const std::string& url) {
        HttpRequest request;
        request.url = parse_url(url).value();
        request.way_options = std::move(way);
        request.body = "{}";
        request.timeout = 5s;
        return request;
    }
    HttpAnswer post_by(const std::shared_ptr<const WayOptions>& way, const std::string& url) {
        return post(request_by(way, url));
    }

    const std::string bundle = certificates() + "/ca.pem";
};

TEST_F(ProxyClient, APlainRequestNamesItsWholeUrl) {
    const RawReceiver proxy({always(an_answer(200, "there"))});
    const auto way = through(proxy, "me", "s:ecret");
    EXPECT_EQ(post_by(way, "http://other.example:8080/hook?x=1").body, "there");
    EXPECT_THAT(proxy.requests().at(0),
                StartsWith("POST http://other.example:8080/hook?x=1 HTTP/1.1\r\n"
                           "Host: other.example:8080\r\n"
                           "Proxy-Authorization: Basic bWU6czplY3JldA==\r\n"));
    EXPECT_TRUE(post_by(way, "http://other.example:8080/hook").reused_connection);
    EXPECT_THAT(proxy.requests().at(1), HasSubstr("Proxy-Authorization: "));
}

TEST_F(ProxyClient, WithoutCredentialsNothingIsSaidOfThem) {
    const RawReceiver proxy({always(an_answer(200))});
    EXPECT_TRUE(post_by(through(proxy), "http://other.example/").outcome.ok());
    EXPECT_THAT(proxy.requests().at(0), Not(HasSubstr("Proxy-")));
}

TEST_F(ProxyClient, AnEncryptedRequestGoesThroughATunnelToTheNameThatIsVerified) {
    const RawReceiver proxy({tunnel_to("wrong-name")});
    const auto way = through(proxy, "me", "secret");
    const HttpAnswer answer = post_by(way, "https://other.example:8443/hook");
    EXPECT_TRUE(answer.outcome.ok()) << answer.outcome.message;
    EXPECT_EQ(answer.body, "there");
    EXPECT_EQ(proxy.requests().at(0),
              "CONNECT other.example:8443 HTTP/1.1\r\nHost: other.example:8443\r\n"
              "User-Agent: herald-test\r\nProxy-Authorization: Basic bWU6c2VjcmV0\r\n\r\n");
    EXPECT_THAT(proxy.requests().at(1),
                StartsWith("POST /hook HTTP/1.1\r\nHost: other.example:8443\r\n"));
    EXPECT_THAT(proxy.requests().at(1), Not(HasSubstr("Proxy-")));
    EXPECT_EQ(post_by(way, "https://other.example:8443/hook").status, 201);
    EXPECT_EQ(proxy.connections(), 1U) << "the tunnel is kept";
}

TEST_F(ProxyClient, TheReceiverBehindATunnelMustHaveItsName) {
    const RawReceiver proxy({tunnel_to("valid")});
    const HttpAnswer answer = post_by(through(proxy), "https://other.example/");
    EXPECT_EQ(answer.outcome.failure, FailureClass::tls);
    EXPECT_THAT(answer.outcome.message, HasSubstr("with the receiver failed: host name mismatch"));
    EXPECT_EQ(proxy.requests().size(), 1U);
}

TEST_F(ProxyClient, AnIpv6AddressKeepsItsBrackets) {
    const RawReceiver proxy({{read_head(), send_bytes(an_answer(503)), close_now()}});
    const HttpAnswer answer = post_by(through(proxy), "https://[2001:db8::1]/");
    EXPECT_THAT(proxy.requests().at(0), StartsWith("CONNECT [2001:db8::1]:443 HTTP/1.1\r\n"));
}

TEST_F(ProxyClient, TheWayToTheProxyMayBeEncryptedToo) {
    const RawReceiver proxy({tunnel_to("wrong-name")}, certificate("valid"));
    const auto way = through(proxy);
    const std::string large(400'000, 'x');
    HttpRequest request = request_by(way, "https://other.example/hook");
    request.body = large;
    const HttpAnswer answer = post(request);
    EXPECT_TRUE(answer.outcome.ok()) << answer.outcome.message;
    EXPECT_EQ(answer.body, "there");
    EXPECT_THAT(proxy.requests().at(1), EndsWith(large));
    EXPECT_TRUE(post(request).reused_connection);

    const RawReceiver plain({always(an_answer(200, "here"))}, certificate("valid"));
    EXPECT_EQ(post_by(through(plain), "http://other.example/").body, "here");
}

TEST_F(ProxyClient, AnEncryptedProxyMustHaveItsNameWhateverTheWebhookTrusts) {
    const RawReceiver proxy({tunnel_to("wrong-name")}, certificate("self-signed"));
    HttpRequest request = request_by(through(proxy), "https://other.example/");
    request.verify_certificates = false;
    const HttpAnswer answer = post(request);
    EXPECT_EQ(answer.outcome.failure, FailureClass::tls);
    EXPECT_THAT(answer.outcome.message, HasSubstr("The TLS handshake with the proxy 127.0.0.1:"));
    EXPECT_TRUE(proxy.requests().empty());
}

struct Refusal {
    std::string answer;
    FailureClass failure;
    std::string message;
};

TEST_F(ProxyClient, WhatAProxyMaySayInsteadOfOpeningATunnel) {
    using enum FailureClass;
    for (const auto& [said, failure, message] : std::vector<Refusal>{
             {an_answer(403), connection, "opens no tunnel to other.example:443: it answered 403"},
             {an_answer(502, "x"), connection, "it answered 502 Bad Gateway."},
             {an_answer(302), connection, "it answered 302 Found."},
             {an_answer(407), config, "does not accept the user name and password (407)."},
             {"", connection, "closed the connection instead of opening a tunnel."},
             {"HTTP/1.1 200", connection, "closed the connection instead of opening a tunnel."},
             {"SSH-2.0\r\n", connection, "an answer that is not valid HTTP/1.1"},
             {tunnel_is_open + "surplus", connection, "sent bytes into the tunnel"},
         }) {
        const RawReceiver proxy({{read_head(), send_bytes(said), close_now()}});
        const auto way = through(proxy, "me", "sesame");
        const HttpAnswer answer = post_by(way, "https://other.example/");
        EXPECT_EQ(to_text(answer.outcome.failure), to_text(failure)) << answer.outcome.message;
        EXPECT_THAT(answer.outcome.message, HasSubstr(message));
        EXPECT_THAT(answer.outcome.message, HasSubstr("roxy 127.0.0.1:"));
        EXPECT_THAT(answer.outcome.message, Not(HasSubstr("sesame")));
        EXPECT_EQ(answer.status, 0) << "a proxy's status is not the receiver's";
    }
}

TEST_F(ProxyClient, CredentialsThatAreMissingAreAskedFor) {
    const RawReceiver proxy({{read_head(), send_bytes(an_answer(407)), close_now()}});
    EXPECT_THAT(post_by(through(proxy), "https://other.example/").outcome.message,
                HasSubstr("wants a user name and a password (407): give them in proxy.user"));
    const RawReceiver plain({always(an_answer(407))});
    const HttpAnswer answer = post_by(through(plain), "http://other.example/");
    EXPECT_EQ(answer.outcome.failure, FailureClass::config);
    EXPECT_THAT(answer.outcome.message, HasSubstr("wants a user name and a password"));
}

TEST_F(ProxyClient, AFailureThatMayBeTheProxysSaysSo) {
    const RawReceiver proxy({always(an_answer(502))});
    const HttpAnswer answer = post_by(through(proxy), "http://other.example/");
    EXPECT_EQ(answer.outcome.failure, FailureClass::http_server_error);
    EXPECT_EQ(answer.outcome.message,
              "The receiver, or the proxy 127.0.0.1:" + std::to_string(proxy.port()) +
                  ", answered 502 Bad Gateway.");
}

TEST_F(ProxyClient, AProxyThatStallsOrIsNotThere) {
    const RawReceiver proxy({{read_head(), hold_open()}});
    HttpRequest request = request_by(through(proxy), "https://other.example/");
    request.connect_timeout = 200ms;
    HttpAnswer answer = post(request);
    EXPECT_EQ(answer.outcome.failure, FailureClass::timeout);
    EXPECT_EQ(answer.outcome.message, "There was no connection within 0.2 s.");

    const RawReceiver endless({{read_head(), send_forever("HTTP/1.1 100 X\r\n\r\n")}});
    answer = post_by(through(endless), "https://other.example/");
    EXPECT_THAT(answer.outcome.message, HasSubstr("too many interim answers"));

    WayOptions nobody;
    nobody.proxy.url = "http://127.0.0.1:" + std::to_string(closed_port());
    answer = post_by(std::make_shared<const WayOptions>(nobody), "https://other.example/");
    EXPECT_EQ(answer.outcome.failure, FailureClass::connection);
    EXPECT_THAT(answer.outcome.message, StartsWith("No connection to the proxy 127.0.0.1:"));
    EXPECT_THAT(answer.outcome.message, EndsWith(": Connection refused."));
}

struct EnvironmentProxy : ProxyClient {
    void use(const std::string& proxy, const std::string& no_proxy = "") {
        auto proxies =
            EnvironmentProxies::read([&](const std::string& name) -> std::optional<std::string> {
                if (name == "all_proxy") return proxy;
                if (name == "no_proxy") return no_proxy;
                return std::nullopt;
            });
        HttpClientOptions options{.user_agent = "herald-test", .ca_bundle = bundle};
        options.proxies = proxies.value();
        options.network = network;
        options.ask_names = [](const std::string& host) {
            NameAnswer answer;
            if (host == "metadata.example") {
                answer.addresses.push_back(boost::asio::ip::make_address("169.254.169.254"));
            } else {
                answer.error = "unknown here";
            }
            return answer;
        };
        client = make(std::move(options));
    }

    const NetworkPolicy* network = nullptr;
};

TEST_F(EnvironmentProxy, TheNetworkPolicyHoldsForTheReceiverAsFarAsItsNameIsKnown) {
    const NetworkPolicy policy;
    network = &policy;
    const RawReceiver proxy({always(an_answer(200))});
    use(proxy.url(""));  // on loopback, which the policy refuses: who runs herald chose it
    for (const char* refused : {"http://169.254.169.254/", "https://metadata.example/"}) {
        const HttpAnswer answer = post_by(nullptr, refused);
        EXPECT_EQ(answer.outcome.failure, FailureClass::config) << refused;
        EXPECT_THAT(answer.outcome.message, HasSubstr("network policy")) << refused;
    }
    EXPECT_EQ(proxy.connections(), 0U);
    EXPECT_TRUE(post_by(nullptr, "http://only-the-proxy-knows.example/").outcome.ok());

    const HttpAnswer answer = post_by(through(proxy), "http://only-the-proxy-knows.example/");
    EXPECT_EQ(answer.outcome.failure, FailureClass::config) << "a proxy that a webhook names";
    EXPECT_THAT(answer.outcome.message, HasSubstr("network policy refuses the host 127.0.0.1"));
}

TEST_F(EnvironmentProxy, IsUsedUnlessTheWebhookOrNoProxySaysOtherwise) {
    const RawReceiver proxy({always(an_answer(200))});
    const RawReceiver own({always(an_answer(201))});
    use(proxy.url(""), "inside.example");
    EXPECT_EQ(post_by(nullptr, "http://other.example/").status, 200);
    EXPECT_EQ(post_by(through(own), "http://other.example/").status, 201);
    EXPECT_EQ(proxy.requests().size(), 1U);

    WayOptions directly;
    directly.proxy.from_environment = false;
    HttpRequest request =
        request_by(std::make_shared<const WayOptions>(directly), "http://other.invalid/");
    EXPECT_THAT(post(request).outcome.message, HasSubstr("cannot be resolved"));
    EXPECT_THAT(post_by(nullptr, "http://x.inside.example/").outcome.message,
                HasSubstr("cannot be resolved"));
    const RawReceiver here({always(an_answer(202))});
    EXPECT_EQ(post(here).status, 202) << "loopback is never proxied";
    EXPECT_EQ(proxy.requests().size(), 1U);
}

TEST_F(EnvironmentProxy, ServesWebhooksWithCertificatesOfTheirOwnToo) {
    const RawReceiver proxy({tunnel_to("wrong-name")});
    use(proxy.url(""));
    WayOptions way;
    way.tls = {.certificate = pem_text("client-chain.pem"), .key = pem_text("client.key")};
    const auto shared = std::make_shared<const WayOptions>(way);
    EXPECT_TRUE(post_by(shared, "https://other.example/").outcome.ok());
    EXPECT_THAT(proxy.requests().at(0), StartsWith("CONNECT "));
}

}  // namespace
}  // namespace herald
