#include "net/network_check.h"

#include <map>
#include <thread>

#include "support/client_test.h"

namespace herald {
namespace {

using namespace std::chrono_literals;
using namespace test;
using boost::asio::ip::make_address;

/// A client whose names a table resolves. Loopback may be called, as on a herald that listens
/// there; the receivers of these tests have no other address.
struct NetworkCheckTest : ClientTest {
    NetworkPolicy policy;
    std::map<std::string, NameAnswer> names;
    std::vector<std::string> asked;  ///< read when no look-up runs
    RawReceiver receiver{{always(an_answer(200))}};

    NetworkCheckTest() {
        policy.set_listeners({{parse_address("127.0.0.1").value(), 1}});
        remake();
    }

    void remake(std::chrono::steady_clock::duration name_timeout = 5s) {
        client = make({.user_agent = "herald-test",
                       .network = &policy,
                       .ask_names = [this](const std::string& host) { return answer(host); },
                       .name_timeout = name_timeout});
    }

    NameAnswer answer(const std::string& host) {
        asked.push_back(host);
        return names.contains(host) ? names.at(host) : NameAnswer{{}, "no such name"};
    }

    void lead(const std::string& host, const std::vector<std::string>& addresses) {
        for (const std::string& one : addresses) {
            names[host].addresses.push_back(make_address(one));
        }
    }

    HttpAnswer call(const std::string& host) {
        HttpRequest request = request_to(receiver);
        request.url = parse_url("http://" + host + ":" + std::to_string(receiver.port())).value();
        return post(request);
    }

    void expect_refused(const std::string& host, std::string_view says) {
        const HttpAnswer answer = call(host);
        EXPECT_EQ(answer.outcome.failure, FailureClass::config) << host;
        EXPECT_NE(answer.outcome.message.find(says), std::string::npos) << answer.outcome.message;
        EXPECT_EQ(answer.status, 0);
    }
};

TEST_F(NetworkCheckTest, TheAddressThatWasCheckedIsDialledAndTheNameIsAskedOnce) {
    lead("receiver.example", {"127.0.0.1"});
    EXPECT_EQ(call("receiver.example").status, 200);
    EXPECT_EQ(call("receiver.example").status, 200);
    EXPECT_EQ(asked, std::vector<std::string>{"receiver.example"});
    EXPECT_EQ(receiver.connections(), 1U);
}

TEST_F(NetworkCheckTest, ANameThatWasReboundIsRefusedBeforeAnyConnection) {
    lead("receiver.example", {"127.0.0.1"});
    EXPECT_EQ(call("receiver.example").status, 200);
    names.clear();
    lead("receiver.example", {"169.254.169.254"});
    remake();
    expect_refused("receiver.example", "169.254.169.254 is the metadata address");
    EXPECT_EQ(receiver.connections(), 1U);
}

TEST_F(NetworkCheckTest, OneRefusedAddressRefusesAMixedAnswer) {
    lead("last.example", {"127.0.0.1", "127.0.0.1", "169.254.1.1"});
    lead("first.example", {"fe80::1", "127.0.0.1"});
    expect_refused("last.example", "169.254.1.1 is a link-local address");
    expect_refused("first.example", "fe80::1 is a link-local address");
    EXPECT_EQ(receiver.connections(), 0U);
}

TEST_F(NetworkCheckTest, OneRefusedAddressAmongAThousandIsFound) {
    std::vector<std::string> many(999, "127.0.0.1");
    many.emplace_back("::");
    lead("many.example", many);
    expect_refused("many.example", "unspecified");
    many.back() = "127.0.0.1";
    lead("good.example", many);
    EXPECT_EQ(call("good.example").status, 200);
    EXPECT_EQ(receiver.connections(), 1U);
}

TEST_F(NetworkCheckTest, AnAnswerWithMoreAddressesThanAreCheckedIsNone) {
    lead("flood.example", std::vector<std::string>(1'025, "127.0.0.1"));
    const HttpAnswer answer = call("flood.example");
    EXPECT_EQ(answer.outcome.failure, FailureClass::connection);
    EXPECT_NE(answer.outcome.message.find("1024 addresses"), std::string::npos)
        << answer.outcome.message;
    EXPECT_EQ(receiver.connections(), 0U);
}

TEST_F(NetworkCheckTest, ALiteralAddressIsCheckedToo) {
    expect_refused("169.254.169.254", "metadata");
    expect_refused("0xA9FEA9FE", "metadata");
}

TEST_F(NetworkCheckTest, AMappedAddressIsJudgedAsWhatIsDialled) {
    lead("mapped.example", {"::ffff:169.254.169.254"});
    expect_refused("mapped.example", "metadata");
}

TEST_F(NetworkCheckTest, ADeniedNameIsNotEvenAsked) {
    const std::vector<std::string> denied{"*.evil.example"};
    policy = NetworkPolicy({}, parse_network_rules(denied).value(), {});
    expect_refused("a.evil.example", "network.deny");
    EXPECT_TRUE(asked.empty());
}

TEST_F(NetworkCheckTest, ANameThatLeadsToHeraldsOwnListenerIsRefused) {
    policy.set_listeners({{parse_address("127.0.0.1").value(), receiver.port()}});
    lead("me.example", {"127.0.0.1"});
    expect_refused("me.example", "where herald itself listens");
    EXPECT_EQ(receiver.connections(), 0U);
}

TEST_F(NetworkCheckTest, ANameWithoutAnAnswerIsAConnectionFailure) {
    names["empty.example"] = {{}, "the name has no address"};
    for (const char* host : {"missing.example", "empty.example"}) {
        const HttpAnswer answer = call(host);
        EXPECT_EQ(answer.outcome.failure, FailureClass::connection);
        EXPECT_NE(answer.outcome.message.find("cannot be resolved"), std::string::npos);
    }
}

TEST_F(NetworkCheckTest, ALookUpEndsWithItsOwnDeadline) {
    std::atomic<bool> let_go = false;
    client = make({.network = &policy,
                   .ask_names =
                       [&](const std::string&) {
                           while (!let_go) std::this_thread::sleep_for(1ms);
                           return NameAnswer{};
                       },
                   .name_timeout = 50ms});
    const HttpAnswer answer = call("slow.example");
    let_go = true;
    EXPECT_EQ(answer.outcome.failure, FailureClass::timeout);
    EXPECT_EQ(answer.outcome.message, "The host name slow.example was not resolved within 0.05 s.");
    client = nullptr;
}

TEST_F(NetworkCheckTest, ARedirectToARefusedAddressIsNeverContacted) {
    const RawReceiver target({always(an_answer(200))});
    for (const int status : {301, 302, 303, 307, 308}) {
        for (const std::string& location :
             {target.url("/inner"), std::string("http://169.254.169.254/latest/meta-data/")}) {
            const RawReceiver redirecting(
                {always(an_answer(status, "", "Location: " + location + "\r\n"))});
            const HttpAnswer answer = post(redirecting);
            EXPECT_EQ(answer.status, status);
            EXPECT_EQ(answer.outcome.failure, FailureClass::http_client_error);
            EXPECT_EQ(redirecting.connections(), 1U);
        }
    }
    EXPECT_EQ(target.connections(), 0U);
}

}  // namespace
}  // namespace herald
