#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "async/task_group.h"
#include "async/wheel.h"
#include "async/worker.h"
#include "base/metrics.h"
#include "core/signature.h"
#include "delivery/announcer.h"
#include "delivery/catalog.h"
#include "delivery/committer.h"
#include "delivery/dispatcher.h"
#include "delivery/gatherer.h"
#include "delivery/ingest.h"
#include "delivery/janitor.h"
#include "delivery/jobs.h"
#include "delivery/readers.h"
#include "delivery/sender.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "support/builders.h"
#include "support/echo_transform.h"
#include "support/faulty_store.h"
#include "support/temp_dir.h"
#include "support/test_clock.h"
#include "transform/transform.h"

namespace herald::test {

using Environment = std::map<std::string, std::string>;

struct EngineOptions {
    std::string ca_bundle = {};  ///< as of HttpClientOptions
    const Environment* environment = nullptr;
    std::vector<std::filesystem::path> secret_directories = {};
    Transform* transform = nullptr;  ///< nullptr: the event's own body
};

/// The whole way of an event in one process, wired as the program wires it (app/herald.cc): real
/// SQLite, real sockets, the test's clock.
struct Engine {
    Engine(boost::asio::io_context& loop, Wheel& wheel, const Clock& clock,
           const std::filesystem::path& data_dir, const EngineOptions& options);
    boost::asio::awaitable<Result<>> start();
    /// As at SIGTERM.
    boost::asio::awaitable<void> stop(std::chrono::steady_clock::duration grace);

    const Clock& clock;
    MovedClock sender_clock{clock};
    MovedClock dispatcher_clock{clock};
    MovedClock gatherer_clock{clock};
    Metrics metrics;
    FaultyStore store;
    std::unique_ptr<StoreReader> reader;
    Readers readers;
    Worker writer{"writer"};
    Catalog catalog;
    Committer committer;
    Gatherer gatherer;
    EchoTransform echo;
    std::unique_ptr<HttpClient> client;
    Sender sender;
    Dispatcher dispatcher;
    Ingest ingest;
    Announcer announcer;
    Janitor janitor;
    Jobs jobs;
    TaskGroup tasks;
};

/// A receiver on the test's loop: real sockets, and it answers what the test decides.
class Receiver {
public:
    using Decide = std::function<ServerAnswer(const ServerRequest&)>;

    Receiver(boost::asio::io_context& loop, Wheel& wheel, Decide decide, std::uint16_t port = 0);
    ~Receiver();
    Receiver(const Receiver&) = delete;
    Receiver& operator=(const Receiver&) = delete;

    [[nodiscard]] std::string url(std::string_view target = "/hook") const;
    /// From now on requests are not answered before release().
    void hold() { held_ = true; }
    void release();
    [[nodiscard]] std::size_t waiting() const { return waiting_; }
    [[nodiscard]] std::size_t most_waiting() const { return most_waiting_; }

    std::vector<ServerRequest> requests;
    Decide decide;

private:
    boost::asio::awaitable<ServerAnswer> handle(const ServerRequest& request);

    boost::asio::io_context& loop_;
    boost::asio::steady_timer released_;
    bool held_ = false;
    std::size_t waiting_ = 0;
    std::size_t most_waiting_ = 0;
    std::unique_ptr<HttpServer> server_;
};

[[nodiscard]] Receiver::Decide answer_with(int status, std::string body = "");
/// Answers 200 to what verifies by this profile and key, and `refusal` to everything else.
[[nodiscard]] Receiver::Decide accept_only(SignatureProfile profile, std::string key,
                                           int refusal = 401);
/// Whether the request is signed so, at any time.
[[nodiscard]] Verdict verify_request(const ServerRequest& request, SignatureProfile profile,
                                     std::string_view key, const SignatureOptions& options = {});

/// An engine on a folder of its own, opened by open() and again by reopen().
class EngineTest : public testing::Test {
protected:
    static constexpr auto patience = std::chrono::seconds{60};

    void SetUp() override { open(); }
    void TearDown() override { close(); }

    void open();
    void close(std::chrono::steady_clock::duration grace = {});
    void reopen(std::chrono::steady_clock::duration grace = {}) {
        close(grace);
        open();
    }

    /// Turns the loop until it is so.
    void until(const std::function<bool()>& so, const char* what = "what the test waits for");
    /// Turns the loop for a moment: for what must not happen.
    void turn(std::chrono::milliseconds time = std::chrono::milliseconds{50});
    template <class Value>
    Value run(boost::asio::awaitable<Value> task) {
        std::optional<Value> result;
        boost::asio::co_spawn(loop, std::move(task), [&](std::exception_ptr broken, Value value) {
            if (broken) std::rethrow_exception(broken);
            result = std::move(value);
        });
        until([&] { return result.has_value(); }, "a task of the test");
        return std::move(*result);
    }
    void run(boost::asio::awaitable<void> task);

    /// A webhook of that name that wants every event; `change` what is not so.
    static Webhook to(const Receiver& receiver, std::string name = "hook");
    Catalog::Entry add(Webhook webhook);
    Catalog::Entry update(Webhook webhook);
    void remove(WebhookId id);

    Submitted send(Event event);
    /// Sends it to what is the only webhook that wants it.
    DeliveryId send_one(Event event);
    Result<std::vector<Submitted>> send_all(std::vector<Event> events);
    /// Moves the wall clock, and lets the dispatcher see it.
    void advance(Duration by);
    /// Moves the dispatcher's steady clock: what is held for a time is held no more.
    void advance_steady(std::chrono::steady_clock::duration by);

    DeliveryDetail detail(DeliveryId id);
    DeliveryDetail until_state(DeliveryId id, DeliveryState state);
    DeliveryDetail until_attempts(DeliveryId id, std::uint32_t attempts);

    TempDir dir;
    TestClock clock;
    boost::asio::io_context loop;
    Wheel wheel{loop.get_executor()};
    EngineOptions options;
    Environment environment;
    std::unique_ptr<Engine> engine;
};

/// The n-th event of a catalogue type that carries a node kind, on the default branch.
[[nodiscard]] Event node_event(std::uint64_t n);

}  // namespace herald::test
