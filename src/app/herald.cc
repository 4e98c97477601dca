#include "app/herald.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "api/api.h"
#include "app/interfaces.h"
#include "app/notify.h"
#include "app/transform_hosts.h"
#include "async/clock.h"
#include "async/slewed_clock.h"
#include "async/task_group.h"
#include "async/wheel.h"
#include "async/worker.h"
#include "base/ids.h"
#include "base/log.h"
#include "base/metrics.h"
#include "core/network_policy.h"
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
#include "delivery/transformations.h"
#include "infrahub/decode.h"
#include "infrahub/names.h"
#include "infrahub/own_event.h"
#include "infrahub/repository_config.h"
#include "infrahub/samples.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "store/store.h"
#include "transform/git_repositories.h"
#include "transform/host_pool.h"
#include "transform/hosted_transform.h"
#include "transform/sandbox.h"

namespace herald {

namespace {

constexpr std::size_t reader_threads = 2;

std::optional<std::string> environment(const std::string& name) {
    // Read on the loop thread only; nothing of ours writes the environment.
    const char* value = std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe)
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

/// `client` outlives the server.
HttpServerOptions server_options(const ListenAddress& address, HttpClient& client) {
    HttpServerOptions options;
    options.address = address.host;
    options.port = address.port;
    options.give_way = [&client] { return client.close_oldest_idle(); };
    return options;
}

NetworkPolicy network_policy(const Config& config) {
    auto read = [](const std::vector<std::string>& entries) {
        // They were read once when they were set.
        return parse_network_rules(entries).value();
    };
    return {read(config.network_allow), read(config.network_deny), interface_addresses};
}

HttpClientOptions client_options(const Config& config, const NetworkPolicy& network,
                                 const std::string& node, EnvironmentProxies proxies) {
    HttpClientOptions options;
    options.proxies = std::move(proxies);
    options.network = &network;
    options.node = node;
    options.user_agent = "herald/" HERALD_VERSION;
    options.ca_bundle = config.ca_bundle;
    return options;
}

SecretSources secret_sources(const Config& config) {
    SecretSources sources{environment, config.secret_variables, config.secret_directories,
                          config.secret_files};
    sources.hidden.push_back(config.data_dir / "secrets.key");
    return sources;
}

ApiOptions api_options(const Config& config) { return {config.tokens, config.allowed_hosts}; }

/// What SIGHUP puts in force; everything else waits for a restart.
constexpr std::array<std::string_view, 6> reloaded_keys{"shutdown_grace",   "log.level",
                                                        "api.tokens",       "api.allowed_hosts",
                                                        "retention.events", "retention.deliveries"};

/// The keys whose new value waits for a restart, separated by commas.
std::string keys_that_wait(const Config& running, const Config& fresh) {
    std::string names;
    for (const ConfigKey& key : config_keys()) {
        if (std::ranges::find(reloaded_keys, key.name) != reloaded_keys.end()) continue;
        if (key.get(running) == key.get(fresh)) continue;
        names += (names.empty() ? "" : ",") + std::string(key.name);
    }
    return names;
}

Retention retention(const Config& config) {
    return {config.retain_events, config.retain_deliveries};
}

/// What this system does not give to keep code of transformations in.
void warn_of_missing_walls() {
    std::string missing;
    for (const auto& [name, in_force] : sandbox_support().by_name()) {
        if (!in_force) missing += (missing.empty() ? "" : ", ") + std::string(name);
    }
    if (!missing.empty()) log::warn("transforms.walls_missing", {{"walls", missing}});
}

}  // namespace

/// The parts in the order in which they need each other.
struct Herald::Parts {
    Parts(Config& config, std::unique_ptr<Store> opened, const ListenAddress& address,
          EnvironmentProxies proxies)
        : running(config),
          network(network_policy(config)),
          store(std::move(opened)),
          readers(*store, reader_threads),
          catalog(*store, writer, clock, infrahub::event_types(), config.default_branch),
          committer(loop.get_executor(), *store, writer, schedule, metrics),
          gatherer(loop.get_executor(), catalog, committer, clock, metrics,
                   infrahub::make_own_event),
          transformations(*store, writer, catalog, clock),
          secrets(secret_sources(config)),
          hosts(loop.get_executor(), wheel, metrics, {.processes_total = config.processes}),
          repositories(loop.get_executor(), config.data_dir / "repositories"),
          transform(hosts, repositories, transform_sources(config)),
          client(make_http_client(loop.get_executor(), wheel,
                                  client_options(config, network, node, std::move(proxies)))),
          sender(*client, transform, catalog, clock, secret_sources(config)),
          dispatcher(loop.get_executor(), *store, writer, catalog, committer, gatherer, sender,
                     schedule, metrics),
          ingest(catalog, committer, gatherer, dispatcher, metrics),
          announcer(loop.get_executor(), ingest, clock, infrahub::make_own_event),
          janitor(loop.get_executor(), *store, writer, catalog, schedule, retention(config)),
          jobs(loop.get_executor(), *store, writer, readers, catalog, committer, dispatcher,
               schedule, metrics),
          api({catalog, committer, dispatcher, ingest, jobs, readers, transformations, transform,
               sender, *store, writer, metrics, clock,
               [](JsonView object, Time received_at) {
                   return infrahub::decode_event(object, received_at, "api");
               },
               infrahub::sample_event, network, node},
              api_options(config)),
          server(loop.get_executor(), wheel, server_options(address, *client),
                 [this](const ServerRequest& request) { return api.handle(request); }),
          signals(loop, SIGINT, SIGTERM, SIGHUP) {
        catalog.on_change([this](const Webhook& webhook) {
            gatherer.look(webhook);
            dispatcher.changed(webhook);
            janitor.look();
        });
        dispatcher.on_health(
            [this](const Webhook& webhook, const Health& before, const Health& after) {
                announcer.health_changed(webhook, before, after);
            });
        dispatcher.on_exhausted(
            [this](const Webhook& webhook, DeliveryId id, const Event& event, const Attempt& last) {
                announcer.exhausted(webhook, id, event, last);
            });
    }

    const Config running;  ///< as it was at the start
    boost::asio::io_context loop{1};
    SystemClock clock;
    SlewedClock schedule{clock};  ///< for what is due; receivers and people see the real one
    Metrics metrics;
    NetworkPolicy network;
    const std::string node = Uuid::random().text();
    Wheel wheel{loop.get_executor()};
    std::unique_ptr<Store> store;
    Worker writer{"writer"};
    Readers readers;
    Catalog catalog;
    Committer committer;
    Gatherer gatherer;
    Transformations transformations;
    Secrets secrets;  ///< of transformations
    HostPool hosts;
    GitRepositories repositories;
    HostedTransform transform;
    std::unique_ptr<HttpClient> client;
    Sender sender;
    Dispatcher dispatcher;
    Ingest ingest;
    Announcer announcer;
    Janitor janitor;
    Jobs jobs;
    Api api;
    HttpServer server;
    TaskGroup tasks{loop.get_executor()};
    boost::asio::signal_set signals;
    Gauge& reload_ok =
        metrics.gauge("herald_config_last_reload_successful",
                      "1: the last configuration took effect; 0: it was wrong, the old one stays.");
    Gauge& reload_time =
        metrics.gauge("herald_config_last_reload_success_timestamp_seconds",
                      "When a configuration last took effect, at the start or by SIGHUP.");

    TransformSources transform_sources(const Config& config);
    boost::asio::awaitable<Result<>> start(const Config& config);
    boost::asio::awaitable<void> wait_for_stop(Config& config,
                                               const std::function<Result<Config>()>& reload);
    /// A configuration took effect.
    void note_config();
    void reload_config(Config& config, const std::function<Result<Config>()>& reload);
    boost::asio::awaitable<void> stop(const Config& config);
    boost::asio::awaitable<Result<>> live(Config& config,
                                          const std::function<Result<Config>()>& reload);
};

TransformSources Herald::Parts::transform_sources(const Config& config) {
    TransformSources sources;
    sources.find = [this](std::string_view name) { return transformations.find(name); };
    sources.read = [this](const std::string& text) { return secrets.read(text); };
    sources.finder = find_python_transform;
    sources.command = [python = config.python](Runtime runtime) {
        return host_command(runtime, python);
    };
    sources.modules = host_modules();
    return sources;
}

boost::asio::awaitable<Result<>> Herald::Parts::start(const Config& config) {
    auto loaded = co_await catalog.load();
    if (loaded) loaded = co_await transformations.load();
    if (loaded) loaded = co_await dispatcher.load();
    if (loaded) loaded = co_await jobs.load();
    if (!loaded) co_return loaded;
    committer.start(tasks);
    gatherer.start(tasks, dispatcher);
    dispatcher.start(tasks);
    announcer.start(tasks);
    janitor.start(tasks);
    jobs.start(tasks);
    auto bound = server.start();
    if (!bound) co_return bound;
    const auto address = parse_listen(config.listen);
    network.set_listeners({{parse_address(address->host).value(), server.port()}});
    api.set_ready(true);
    note_config();
    metrics
        .gauge("herald_build_info", "The program that runs.",
               Metrics::label("version", HERALD_VERSION))
        .set(1);
    const bool v6 = address->host.find(':') != std::string::npos;
    const std::string host = v6 ? "[" + address->host + "]" : address->host;
    const std::string url = "http://" + host + ":" + std::to_string(server.port());
    log::info("herald.started", {{"url", url},
                                 {"data_dir", config.data_dir.native()},
                                 {"version", HERALD_VERSION},
                                 {"webhooks", static_cast<std::int64_t>(catalog.all().size())}});
    notify_service_manager("READY=1");
    co_return Result<>{};
}

boost::asio::awaitable<void> Herald::Parts::wait_for_stop(
    Config& config, const std::function<Result<Config>()>& reload) {
    for (;;) {
        auto [error, signal] =
            co_await signals.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
        if (error || signal != SIGHUP) co_return;
        reload_config(config, reload);
    }
}

void Herald::Parts::note_config() {
    reload_ok.set(1);
    const auto now = std::chrono::floor<std::chrono::seconds>(clock.now());
    reload_time.set(now.time_since_epoch().count());
}

void Herald::Parts::reload_config(Config& config, const std::function<Result<Config>()>& reload) {
    auto fresh = reload();
    if (fresh) {
        if (auto checked = check_config(*fresh); !checked) fresh = fail(checked.error());
    }
    if (!fresh) {
        reload_ok.set(0);
        log::error("config.reload_failed", {{"error", fresh.error().message}});
        return;
    }
    const std::string waiting = keys_that_wait(running, *fresh);
    config = std::move(*fresh);
    log::set_level(config.log_level);
    api.set_options(api_options(config));
    janitor.set_retention(retention(config));
    note_config();
    log::info("config.reloaded", {{"needs_restart", waiting}});
}

/// Nothing that was acknowledged is lost: what does not finish within the grace is still pending
/// in the store.
boost::asio::awaitable<void> Herald::Parts::stop(const Config& config) {
    log::info("herald.stopping", {{"in_flight", static_cast<std::int64_t>(dispatcher.flying())}});
    notify_service_manager("STOPPING=1");
    api.set_ready(false);
    // A second signal ends the process at once.
    signals.cancel();
    std::signal(SIGINT, SIG_DFL);   // NOLINT(cert-err33-c)
    std::signal(SIGTERM, SIG_DFL);  // NOLINT(cert-err33-c)
    const auto until = clock.steady() + config.shutdown_grace;
    jobs.stop();
    co_await server.stop(config.shutdown_grace);
    const auto left = std::max(until - clock.steady(), std::chrono::steady_clock::duration{0});
    co_await dispatcher.drain(left);
    co_await hosts.stop();
    co_await repositories.stop();
    co_await announcer.drain();
    co_await committer.drain();
    client->close();
    tasks.cancel();
    co_await tasks.join();
    log::info("herald.stopped");
}

boost::asio::awaitable<Result<>> Herald::Parts::live(
    Config& config, const std::function<Result<Config>()>& reload) {
    auto started = co_await start(config);
    if (started) co_await wait_for_stop(config, reload);
    co_await stop(config);
    co_return started;
}

Herald::Herald(Config config, std::function<Result<Config>()> reload)
    : config_(std::move(config)), reload_(std::move(reload)) {}

Herald::~Herald() = default;

Result<> Herald::run() {
    if (auto checked = check_config(config_); !checked) return checked;
    const auto address = parse_listen(config_.listen);
    auto proxies = EnvironmentProxies::read(environment);
    if (!proxies) return fail(proxies.error());
    StoreOptions options;
    options.data_dir = config_.data_dir;
    options.segment_events = config_.segment_events;
    options.seal_keys = config_.seal_keys;
    for (const std::string& warning : config_.warnings) {
        log::warn("config.warning", {{"text", warning}});
    }
    auto store = open_sqlite_store(options);
    if (!store) return fail(store.error());

    warn_of_missing_walls();
    Parts parts(config_, std::move(*store), *address, std::move(*proxies));
    Result<> ended;
    boost::asio::co_spawn(parts.loop, parts.live(config_, reload_),
                          [&](const std::exception_ptr& broken, Result<> result) {
                              if (broken) std::rethrow_exception(broken);
                              ended = std::move(result);
                          });
    parts.loop.run();
    return ended;
}

}  // namespace herald
