#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/address.hpp>

namespace herald {

/// What is known of a host name: its addresses, or why there are none.
struct NameAnswer {
    std::vector<boost::asio::ip::address> addresses;
    std::string error;
};

/// Asks the system. Blocks. IPv6 and IPv4 take turns, in the system's order otherwise.
[[nodiscard]] NameAnswer ask_system(const std::string& host);

/// Host names to addresses. The asking blocks, so it has threads of its own; one that hangs delays
/// no other name while there are threads left. Many who ask for one name share one lookup. Lives
/// on one loop thread.
class Resolver {
public:
    using Ask = std::function<NameAnswer(const std::string&)>;

    explicit Resolver(boost::asio::any_io_executor executor, Ask ask = ask_system);
    /// Waits for lookups that run.
    ~Resolver();
    Resolver(const Resolver&) = delete;
    Resolver& operator=(const Resolver&) = delete;

    /// Null when there was no answer at `until`, or the caller was cancelled.
    boost::asio::awaitable<std::shared_ptr<const NameAnswer>> resolve(
        const std::string& host, std::chrono::steady_clock::time_point until);

    /// This address took a connection: it comes first while the answer is kept.
    void prefer(const std::string& host, const boost::asio::ip::address& address);

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace herald
