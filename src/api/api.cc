#include "api/api.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "api/call.h"
#include "api/idempotency.h"
#include "api/query_params.h"
#include "api/routes.h"
#include "api/target.h"
#include "base/ids.h"
#include "base/log.h"
#include "core/ascii.h"

namespace herald {

namespace {

using boost::asio::awaitable;

constexpr std::size_t request_id_bytes = 128;
constexpr std::array<std::string_view, 7> known_methods{"GET",   "HEAD",   "POST",   "PUT",
                                                        "PATCH", "DELETE", "OPTIONS"};

/// Whether the caller's own id can stand in a log line and a header field.
bool is_sane_id(std::string_view given) {
    return !given.empty() && given.size() <= request_id_bytes &&
           std::ranges::all_of(given, [](char c) {
               return ascii::is_letter(c) || ascii::is_digit(c) ||
                      std::string_view("-_.:/+=").contains(c);
           });
}

/// A method as a label: strangers may not make series.
std::string_view method_label(std::string_view method) {
    const auto found = std::ranges::find(known_methods, method);
    return found == known_methods.end() ? "other" : *found;
}

Problem method_not_allowed(const Match& found) {
    std::string allow;
    for (const std::string_view method : found.allowed) {
        allow += (allow.empty() ? "" : ", ") + std::string(method);
    }
    Problem problem{405, {Errc::unsupported, "this path takes " + allow}};
    problem.headers.emplace_back("Allow", std::move(allow));
    return problem;
}

/// One of our own deliveries came back. Its sender knows what it means by the id.
Problem loop_detected(const std::string& node) {
    Problem problem{508,
                    {Errc::conflict,
                     "this herald sent the request itself: the URL of one of its webhooks leads "
                     "back to it"}};
    problem.headers.emplace_back(node_field, node);
    return problem;
}

}  // namespace

struct Api::State {
    State(ApiParts parts, ApiOptions options)
        : context{std::move(parts), Auth(options.tokens, std::move(options.allowed_hosts))} {}

    ApiContext context;

    /// The caller's own id, or one of ours: this process and a number.
    std::string request_id(const ServerRequest& request);
    awaitable<Answer> serve(const Match& found, const Call& call) const;
    awaitable<Answer> serve_safely(const Match& found, const Call& call) const;
    void count(const Match& found, const ServerRequest& request, int status,
               std::chrono::steady_clock::duration took);

private:
    /// What counts the requests of one route and method. Looked up by name once.
    struct Series {
        Histogram* seconds = nullptr;
        std::map<int, Counter*> by_status;
    };
    std::map<std::pair<const Route*, std::string_view>, Series> series_;
    const std::string process_ = Uuid::random().text().substr(0, 8);
    std::uint64_t requests_ = 0;
};

std::string Api::State::request_id(const ServerRequest& request) {
    const std::string_view given = request.header("x-request-id");
    if (is_sane_id(given)) return std::string(given);
    return process_ + "-" + std::to_string(++requests_);
}

awaitable<Answer> Api::State::serve(const Match& found, const Call& call) const {
    const std::string& node = context.parts.node;
    if (!node.empty() && call.request.header(node_field) == node) {
        co_return std::unexpected(loop_detected(node));
    }
    const bool open = found.route != nullptr && found.route->traits.open;
    if (!open) {
        if (auto allowed = context.auth.check(call.request); !allowed) {
            co_return refuse(std::move(allowed.error()));
        }
    }
    if (found.route != nullptr) {
        auto query = found.route->traits.any_query ? Result<>{} : read_no_query(call.request.query);
        if (!query) co_return refuse_request(std::move(query.error()));
        co_return co_await serve_keyed(*found.route, call);
    }
    if (!found.allowed.empty()) co_return std::unexpected(method_not_allowed(found));
    co_return refuse(Errc::not_found,
                     "there is nothing at this path: /api/openapi.json lists what there is");
}

awaitable<Answer> Api::State::serve_safely(const Match& found, const Call& call) const {
    try {
        co_return co_await serve(found, call);
    } catch (const std::exception& error) {
        log::error("api.exception",
                   {{"path", call.request.path}, {"error", std::string_view(error.what())}});
    }
    co_return refuse(Errc::internal, "the server failed to handle the request");
}

void Api::State::count(const Match& found, const ServerRequest& request, int status,
                       std::chrono::steady_clock::duration took) {
    const std::string_view method = method_label(request.method);
    Metrics& metrics = context.parts.metrics;
    const auto route = [&] {
        return Metrics::label("route", found.route == nullptr ? "none" : found.route->name);
    };
    Series& series = series_[{found.route, method}];
    if (series.seconds == nullptr) {
        series.seconds = &metrics.histogram("herald_http_request_duration_seconds",
                                            "Time from a whole request to its answer.", route());
    }
    Counter*& counter = series.by_status[status];
    if (counter == nullptr) {
        const std::string labels = route() + "," + Metrics::label("method", method) + "," +
                                   Metrics::label("code", std::to_string(status));
        counter = &metrics.counter("herald_http_requests_total", "Requests answered.", labels);
    }
    counter->add();
    series.seconds->observe(std::chrono::duration<double>(took).count());
}

Api::Api(ApiParts parts, ApiOptions options)
    : state_(std::make_unique<State>(std::move(parts), std::move(options))) {}

Api::~Api() = default;

awaitable<ServerAnswer> Api::handle(const ServerRequest& request) {
    const Clock& clock = state_->context.parts.clock;
    const auto begin = clock.steady();
    std::string id = state_->request_id(request);
    const Match found = match(request.method, raw_path(request.target));
    const Call call{state_->context, request, found.parameter};
    Answer outcome = co_await state_->serve_safely(found, call);
    if (!outcome && outcome.error().status == 500) {
        log::error(
            "api.failed",
            {{"path", request.path}, {"request_id", id}, {"error", outcome.error().error.message}});
    }
    ServerAnswer answer = outcome ? std::move(*outcome) : to_answer(outcome.error(), id);
    answer.headers.emplace_back("X-Request-Id", std::move(id));
    state_->count(found, request, answer.status, clock.steady() - begin);
    co_return answer;
}

void Api::set_options(ApiOptions options) {
    state_->context.auth = Auth(options.tokens, std::move(options.allowed_hosts));
}

void Api::set_ready(bool ready) { state_->context.ready = ready; }

}  // namespace herald
