#pragma once

#include <cstddef>
#include <memory>
#include <unordered_map>

#include <boost/asio/any_io_executor.hpp>

#include "async/wheel.h"
#include "core/url.h"
#include "net/connection.h"

namespace herald {

/// The connections of a client: those that idle, by origin, and how many there are at all. Lives
/// on one loop thread.
class ConnectionPool {
public:
    ConnectionPool(boost::asio::any_io_executor executor, Wheel& wheel);
    ~ConnectionPool();
    ConnectionPool(const ConnectionPool&) = delete;
    ConnectionPool& operator=(const ConnectionPool&) = delete;

    /// `way_options` null: the way of all others.
    [[nodiscard]] std::shared_ptr<Origin> origin(
        const Url& url, bool verify, const std::shared_ptr<const WayOptions>& way_options = {});
    /// The idle connection that was used last and is still good; null: there is none.
    [[nodiscard]] std::unique_ptr<Connection> take_idle(Origin& origin);
    /// A connection that is not connected yet. Null: limits::connections are in use.
    [[nodiscard]] std::unique_ptr<Connection> make(std::shared_ptr<Origin> origin);
    /// Keeps it for the next request to its origin, for limits::idle_connection at most.
    void keep(std::unique_ptr<Connection> connection);
    /// Closes it.
    void drop(std::unique_ptr<Connection> connection);
    /// False: none idles.
    bool close_oldest_idle();
    /// Closes all that idle and keeps none from now on.
    void close();
    [[nodiscard]] bool closed() const { return closed_; }

private:
    struct KeyHash {
        std::size_t operator()(const OriginKey& key) const noexcept;
    };

    /// Drops origins without a connection: those whose options nobody has any more, and all when
    /// there are too many.
    void forget_origins();
    void drop_idle(Connection* connection);
    boost::asio::any_io_executor executor_;
    Wheel& wheel_;
    std::unordered_map<OriginKey, std::shared_ptr<Origin>, KeyHash> origins_;
    std::size_t forget_at_ = 64;  ///< with so many origins forget_origins() is called
    std::size_t open_ = 0;
    bool closed_ = false;
};

}  // namespace herald
