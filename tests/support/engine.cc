#include "support/engine.h"

#include <algorithm>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/json.h"
#include "infrahub/names.h"
#include "infrahub/own_event.h"

namespace herald::test {

namespace {

using boost::asio::awaitable;
using std::chrono::steady_clock;

std::unique_ptr<Store> open_store(const std::filesystem::path& data_dir) {
    StoreOptions options;
    options.data_dir = data_dir;
    auto store = open_sqlite_store(options);
    if (!store) throw std::runtime_error(store.error().message);
    return std::move(*store);
}

HttpClientOptions client_options(const EngineOptions& options) {
    return {.user_agent = "herald-test", .ca_bundle = options.ca_bundle};
}

SecretSources secret_sources(const EngineOptions& options) {
    auto lookup = [environment =
                       options.environment](const std::string& name) -> std::optional<std::string> {
        if (environment == nullptr || !environment->contains(name)) return std::nullopt;
        return environment->at(name);
    };
    return {std::move(lookup), {"*"}, options.secret_directories};
}

}  // namespace

Engine::Engine(boost::asio::io_context& loop, Wheel& wheel, const Clock& clock_in,
               const std::filesystem::path& data_dir, const EngineOptions& options)
    : clock(clock_in),
      store(open_store(data_dir)),
      reader(store.reader()),
      readers(store, 1),
      catalog(store, writer, clock, infrahub::event_types(), "main"),
      committer(loop.get_executor(), store, writer, clock, metrics),
      gatherer(loop.get_executor(), catalog, committer, gatherer_clock, metrics,
               infrahub::make_own_event),
      client(make_http_client(loop.get_executor(), wheel, client_options(options))),
      sender(*client, options.transform != nullptr ? *options.transform : echo, catalog,
             sender_clock, secret_sources(options)),
      dispatcher(loop.get_executor(), store, writer, catalog, committer, gatherer, sender,
                 dispatcher_clock, metrics),
      ingest(catalog, committer, gatherer, dispatcher, metrics),
      announcer(loop.get_executor(), ingest, clock, infrahub::make_own_event),
      janitor(loop.get_executor(), store, writer, catalog, clock, Retention{}),
      jobs(loop.get_executor(), store, writer, readers, catalog, committer, dispatcher, clock,
           metrics),
      tasks(loop.get_executor()) {
    catalog.on_change([this](const Webhook& webhook) {
        gatherer.look(webhook);
        dispatcher.changed(webhook);
        janitor.look();
    });
    dispatcher.on_health([this](const Webhook& webhook, const Health& before, const Health& after) {
        announcer.health_changed(webhook, before, after);
    });
    dispatcher.on_exhausted(
        [this](const Webhook& webhook, DeliveryId id, const Event& event, const Attempt& last) {
            announcer.exhausted(webhook, id, event, last);
        });
}

awaitable<Result<>> Engine::start() {
    auto loaded = co_await catalog.load();
    if (loaded) loaded = co_await dispatcher.load();
    if (loaded) loaded = co_await jobs.load();
    committer.start(tasks);
    gatherer.start(tasks, dispatcher);
    dispatcher.start(tasks);
    announcer.start(tasks);
    janitor.start(tasks);
    jobs.start(tasks);
    co_return loaded;
}

awaitable<void> Engine::stop(steady_clock::duration grace) {
    store.release_commits();
    jobs.stop();
    co_await dispatcher.drain(grace);
    co_await announcer.drain();
    co_await committer.drain();
    client->close();
    tasks.cancel();
    co_await tasks.join();
}

Receiver::Receiver(boost::asio::io_context& loop, Wheel& wheel, Decide decide_in,
                   std::uint16_t port)
    : decide(std::move(decide_in)), loop_(loop), released_(loop, steady_clock::time_point::max()) {
    HttpServerOptions options;
    options.port = port;
    auto handler = [this](const ServerRequest& request) { return handle(request); };
    server_ = std::make_unique<HttpServer>(loop.get_executor(), wheel, options, handler);
    const auto started = server_->start();
    if (!started) throw std::runtime_error(started.error().message);
}

Receiver::~Receiver() {
    release();
    bool stopped = false;
    boost::asio::co_spawn(loop_, server_->stop(steady_clock::duration{0}),
                          [&](const std::exception_ptr&) { stopped = true; });
    loop_.restart();
    while (!stopped) loop_.run_one_for(std::chrono::milliseconds{5});
}

std::string Receiver::url(std::string_view target) const {
    return "http://127.0.0.1:" + std::to_string(server_->port()) + std::string(target);
}

void Receiver::release() {
    held_ = false;
    released_.cancel();
}

awaitable<ServerAnswer> Receiver::handle(const ServerRequest& request) {
    requests.push_back(request);
    most_waiting_ = std::max(most_waiting_, ++waiting_);
    while (held_) co_await released_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    --waiting_;
    co_return decide(request);
}

Receiver::Decide answer_with(int status, std::string body) {
    return [status, body = std::move(body)](const ServerRequest&) {
        return ServerAnswer{.status = status, .content_type = "text/plain", .body = body};
    };
}

Verdict verify_request(const ServerRequest& request, SignatureProfile profile, std::string_view key,
                       const SignatureOptions& options) {
    std::string body = request.body;
    // A receiver of that time does not look at the bytes: it writes what it parsed anew.
    if (profile == SignatureProfile::spaced) body = to_spaced_json(*canonical_json(body));
    const auto find = [&](std::string_view name) { return request.header(name); };
    return verify_request(profile, options, key, find, body, noon, std::nullopt).verdict;
}

Receiver::Decide accept_only(SignatureProfile profile, std::string key, int refusal) {
    return [profile, key = std::move(key), refusal](const ServerRequest& request) {
        const bool good = verify_request(request, profile, key) == Verdict::valid;
        return ServerAnswer{.status = good ? 200 : refusal};
    };
}

void EngineTest::open() {
    options.environment = &environment;
    engine = std::make_unique<Engine>(loop, wheel, clock, dir.path() / "data", options);
    const auto started = run(engine->start());
    ASSERT_TRUE(started) << started.error().message;
}

void EngineTest::close(steady_clock::duration grace) {
    if (!engine) return;
    run(engine->stop(grace));
    engine.reset();
}

void EngineTest::until(const std::function<bool()>& so, const char* what) {
    const auto limit = steady_clock::now() + patience;
    while (!so()) {
        if (steady_clock::now() > limit)
            throw std::runtime_error(what + std::string(" never came"));
        loop.restart();
        loop.run_one_for(std::chrono::milliseconds{2});
    }
}

void EngineTest::turn(std::chrono::milliseconds time) {
    loop.restart();
    loop.run_for(time);
}

void EngineTest::run(awaitable<void> task) {
    bool ended = false;
    boost::asio::co_spawn(loop, std::move(task), [&](const std::exception_ptr& broken) {
        if (broken) std::rethrow_exception(broken);
        ended = true;
    });
    until([&] { return ended; }, "a task of the test");
}

Webhook EngineTest::to(const Receiver& receiver, std::string name) {
    Webhook webhook = make_webhook(std::move(name));
    webhook.url = receiver.url();
    webhook.filter.branch_scope = BranchScope::all_branches;
    return webhook;
}

Catalog::Entry EngineTest::add(Webhook webhook) {
    auto added = run(engine->catalog.create(std::move(webhook)));
    if (!added) throw std::runtime_error(added.error().message);
    return *added;
}

Catalog::Entry EngineTest::update(Webhook webhook) {
    auto updated = run(engine->catalog.update(std::move(webhook), std::nullopt));
    if (!updated) throw std::runtime_error(updated.error().message);
    return *updated;
}

void EngineTest::remove(WebhookId id) {
    const auto removed = run(engine->catalog.remove(id, std::nullopt));
    ASSERT_TRUE(removed) << removed.error().message;
}

Result<std::vector<Submitted>> EngineTest::send_all(std::vector<Event> events) {
    std::vector<std::shared_ptr<const Event>> shared;
    shared.reserve(events.size());
    for (Event& event : events) shared.push_back(std::make_shared<const Event>(std::move(event)));
    return run(engine->ingest.submit(std::move(shared)));
}

Submitted EngineTest::send(Event event) {
    auto sent = send_all({std::move(event)});
    if (!sent) throw std::runtime_error(sent.error().message);
    return std::move(sent->front());
}

DeliveryId EngineTest::send_one(Event event) {
    const Submitted sent = send(std::move(event));
    EXPECT_EQ(sent.deliveries.size(), 1U);
    return sent.deliveries.at(0);
}

void EngineTest::advance(Duration by) {
    clock.advance(by);
    engine->dispatcher.look();
}

void EngineTest::advance_steady(steady_clock::duration by) {
    engine->dispatcher_clock.move(by);
    engine->dispatcher.look();
}

DeliveryDetail EngineTest::detail(DeliveryId id) {
    auto found = engine->reader->delivery(id);
    if (!found || !*found) throw std::runtime_error("there is no delivery " + id.text());
    return std::move(**found);
}

DeliveryDetail EngineTest::until_state(DeliveryId id, DeliveryState state) {
    DeliveryDetail now;
    const auto there = [&] {
        now = detail(id);
        return now.delivery.state == state;
    };
    until(there, "the delivery's state");
    return now;
}

DeliveryDetail EngineTest::until_attempts(DeliveryId id, std::uint32_t attempts) {
    DeliveryDetail now;
    const auto there = [&] {
        now = detail(id);
        return now.delivery.attempts >= attempts;
    };
    until(there, "the delivery's attempt");
    return now;
}

Event node_event(std::uint64_t n) {
    Event event = make_event(n);
    event.type = "infrahub.node.created";
    event.node.kind = "InfraDevice";
    event.body = R"({"data":{"name":"Z\u00fcrich","number":)" + std::to_string(n) + "}}";
    return event;
}

}  // namespace herald::test
