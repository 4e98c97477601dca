#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "async/clock.h"
#include "base/json.h"
#include "base/metrics.h"
#include "core/event.h"
#include "core/network_policy.h"
#include "delivery/catalog.h"
#include "delivery/committer.h"
#include "delivery/dispatcher.h"
#include "delivery/ingest.h"
#include "delivery/jobs.h"
#include "delivery/readers.h"
#include "delivery/sender.h"
#include "delivery/transformations.h"
#include "net/http_server.h"
#include "transform/hosted_transform.h"

namespace herald {

/// Everything that the HTTP API works on. Made by app/herald; all of it outlives the Api.
struct ApiParts {
    Catalog& catalog;
    Committer& committer;
    Dispatcher& dispatcher;
    Ingest& ingest;
    Jobs& jobs;
    Readers& readers;
    Transformations& transformations;
    HostedTransform& hosts;  ///< for dry runs
    Sender& sender;  ///< for backtests: it is only asked what it would send
    Store& store;    ///< on `writer` only
    Worker& writer;
    Metrics& metrics;
    const Clock& clock;
    /// The dialect of what comes in (infrahub/decode).
    std::function<Result<Event>(JsonView object, Time received_at)> decode;
    /// A sample event of a type, as JSON for `decode`; nullopt: there is none.
    std::function<std::optional<std::string>(std::string_view type, Time now)> sample;
    const NetworkPolicy& network;
    /// What this process sends as the field herald-node; empty: nothing.
    std::string node = {};
};

struct ApiOptions {
    /// Any of these opens the API; empty: open to everyone who passes the Host and Origin check,
    /// which is why the server then listens on loopback only.
    std::vector<std::string> tokens;
    /// Host names besides loopback ones that requests may name when there is no token.
    std::vector<std::string> allowed_hosts;
};

/// The HTTP API under /api/v1, /livez, /readyz and /metrics. Lives on the loop thread.
class Api {
public:
    Api(ApiParts parts, ApiOptions options);
    ~Api();

    /// The handler of net/http_server. Never throws.
    boost::asio::awaitable<ServerAnswer> handle(const ServerRequest& request);

    /// After a reload of the configuration.
    void set_options(ApiOptions options);
    /// False while the process starts or drains: /readyz answers 503.
    void set_ready(bool ready);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace herald
