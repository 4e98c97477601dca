#include "net/connection_pool.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "core/limits.h"

namespace herald {

namespace {

/// More origins than webhooks: those without a connection are forgotten, with their TLS sessions.
constexpr std::size_t origins_max = limits::webhooks + 1'000;
constexpr std::size_t origins_least = 64;

}  // namespace

ConnectionPool::ConnectionPool(boost::asio::any_io_executor executor, Wheel& wheel)
    : executor_(std::move(executor)), wheel_(wheel) {}

// An idle connection and its origin own each other.
ConnectionPool::~ConnectionPool() { close(); }

std::size_t ConnectionPool::KeyHash::operator()(const OriginKey& key) const noexcept {
    const std::size_t rest =
        (std::size_t{key.port} << 2U) | (key.tls ? 2U : 0U) | (key.verify ? 1U : 0U);
    return std::hash<std::string>{}(key.host) ^ (rest * 0x9E3779B97F4A7C15ULL) ^
           std::hash<std::shared_ptr<const WayOptions>>{}(key.way_options);
}

std::shared_ptr<Origin> ConnectionPool::origin(
    const Url& url, bool verify, const std::shared_ptr<const WayOptions>& way_options) {
    OriginKey key{.tls = url.tls,
                  .verify = verify || !url.tls,
                  .port = url.port,
                  .host = url.host,
                  .way_options = way_options};
    if (const auto found = origins_.find(key); found != origins_.end()) return found->second;
    if (origins_.size() >= forget_at_) forget_origins();
    auto made = std::make_shared<Origin>();
    made->key = key;
    made->host_header = url.host_header();
    origins_.emplace(std::move(key), made);
    return made;
}

void ConnectionPool::forget_origins() {
    const auto unused = [](const auto& entry) { return entry.second.use_count() == 1; };
    std::erase_if(origins_, [&](const auto& entry) {
        // Two pointers to the options are here, in the key and in the origin.
        const auto& options = entry.first.way_options;
        return unused(entry) && options && options.use_count() == 2;
    });
    if (origins_.size() >= origins_max) std::erase_if(origins_, unused);
    // So that looking through them costs each new one the same, however many there are.
    const std::size_t left = origins_.size();
    const std::size_t doubled = std::min(std::max(2 * left, origins_least), origins_max);
    forget_at_ = left < origins_max ? doubled : left + origins_least;
}

std::unique_ptr<Connection> ConnectionPool::take_idle(Origin& origin) {
    while (!origin.idle.empty()) {
        auto connection = std::move(origin.idle.back());
        origin.idle.pop_back();
        connection->idle_deadline.disarm();
        if (connection->usable()) {
            connection->reset();
            return connection;
        }
        drop(std::move(connection));
    }
    return nullptr;
}

std::unique_ptr<Connection> ConnectionPool::make(std::shared_ptr<Origin> origin) {
    if (open_ >= limits::connections && !close_oldest_idle()) return nullptr;
    ++open_;
    return std::make_unique<Connection>(executor_, std::move(origin));
}

void ConnectionPool::keep(std::unique_ptr<Connection> connection) {
    if (closed_) return drop(std::move(connection));
    Connection* raw = connection.get();
    raw->rest();
    raw->idle_since = std::chrono::steady_clock::now();
    raw->idle_deadline = wheel_.arm(limits::idle_connection, [this, raw] { drop_idle(raw); });
    raw->origin().idle.push_back(std::move(connection));
}

void ConnectionPool::drop(std::unique_ptr<Connection> connection) {
    if (connection) --open_;
}

void ConnectionPool::drop_idle(Connection* connection) {
    // The connection keeps its origin alive, and goes last.
    const auto origin = connection->shared_origin();
    const auto found =
        std::ranges::find(origin->idle, connection, [](const auto& one) { return one.get(); });
    if (found == origin->idle.end()) return;
    auto owned = std::move(*found);
    origin->idle.erase(found);
    drop(std::move(owned));
}

bool ConnectionPool::close_oldest_idle() {
    Connection* oldest = nullptr;
    for (const auto& [key, origin] : origins_) {
        if (origin->idle.empty()) continue;
        Connection* first = origin->idle.front().get();
        if (oldest == nullptr || first->idle_since < oldest->idle_since) oldest = first;
    }
    if (oldest == nullptr) return false;
    drop_idle(oldest);
    return true;
}

void ConnectionPool::close() {
    closed_ = true;
    for (const auto& [key, origin] : origins_) {
        auto idle = std::exchange(origin->idle, {});
        for (auto& connection : idle) drop(std::move(connection));
    }
}

}  // namespace herald
