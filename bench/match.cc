// What it costs to find the webhooks that want an event, with many that do not: the yardstick is
// the catalogue that holds one webhook only.
#include <unistd.h>

#include <filesystem>
#include <string>

#include <benchmark/benchmark.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include "delivery/catalog.h"
#include "infrahub/names.h"

namespace herald {
namespace {

/// A catalogue in which one webhook of `count` wants the event.
class Catalogue {
public:
    explicit Catalogue(std::int64_t count)
        : store_(std::move(open_sqlite_store({.data_dir = folder_}).value())),
          catalog_(*store_, writer_, clock_, infrahub::event_types(), "main") {
        for (std::int64_t i = 0; i < count; ++i) {
            Webhook webhook;
            webhook.uuid = Uuid::random();
            webhook.name = "hook " + std::to_string(i);
            webhook.url = "http://127.0.0.1/";
            webhook.shared_key = "key";
            webhook.filter.branch_scope = BranchScope::all_branches;
            webhook.filter.event_types = {i == 0 ? "infrahub.node.updated"
                                                 : "shop.order." + std::to_string(i)};
            if (!store_->put_webhook(webhook, std::nullopt)) std::abort();
        }
        boost::asio::io_context loop;
        boost::asio::co_spawn(loop, catalog_.load(),
                              [](const std::exception_ptr&, Result<> loaded) {
                                  if (!loaded) std::abort();
                              });
        loop.run();
    }
    ~Catalogue() { std::filesystem::remove_all(folder_); }
    Catalogue(const Catalogue&) = delete;
    Catalogue& operator=(const Catalogue&) = delete;

    [[nodiscard]] const Catalog& catalog() const { return catalog_; }

private:
    const std::filesystem::path folder_ =
        std::filesystem::temp_directory_path() / ("bench-match-" + std::to_string(::getpid()));
    std::unique_ptr<Store> store_;
    Worker writer_{"writer"};
    SystemClock clock_;
    Catalog catalog_;
};

void match(benchmark::State& state) {
    const Catalogue catalogue(state.range(0));
    Event event;
    event.type = "infrahub.node.updated";
    event.branch = "main";
    event.node.kind = "InfraDevice";
    std::vector<WebhookId> found;
    for (auto _ : state) {
        catalogue.catalog().match(event, found);
        benchmark::DoNotOptimize(found.data());
    }
    if (found.size() != 1) state.SkipWithError("one webhook should want the event");
}
BENCHMARK(match)->Arg(1)->Arg(10)->Arg(100)->Arg(1'000)->Arg(10'000);

}  // namespace
}  // namespace herald

BENCHMARK_MAIN();
