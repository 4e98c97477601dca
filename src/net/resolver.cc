#include "net/resolver.h"

#include <netdb.h>
#include <resolv.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <unordered_map>
#include <utility>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>

#include "async/signal.h"
#include "async/worker.h"

namespace herald {

namespace {

using boost::asio::awaitable;
using std::chrono::steady_clock;

constexpr auto keep_good = std::chrono::seconds{30};
constexpr auto keep_bad = std::chrono::seconds{2};
constexpr std::size_t threads_max = 16;
constexpr std::size_t names_max = 8'192;
/// More than any receiver has. All are kept, because all are checked.
constexpr std::size_t addresses_max = 1'024;

/// A name server that does not answer shall not hold a thread for the half minute that is usual.
void bound_patience() {
    if ((_res.options & RES_INIT) != 0) return;
    res_init();
    _res.retrans = 3;
    _res.retry = 2;
}

boost::asio::ip::address to_address(const addrinfo& info) {
    boost::asio::ip::tcp::endpoint endpoint;
    std::memcpy(endpoint.data(), info.ai_addr, info.ai_addrlen);
    return endpoint.address();
}

/// Takes from `first` and `second` in turn.
std::vector<boost::asio::ip::address> interleave(
    const std::vector<boost::asio::ip::address>& first,
    const std::vector<boost::asio::ip::address>& second) {
    std::vector<boost::asio::ip::address> out;
    for (std::size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
        if (i < first.size()) out.push_back(first[i]);
        if (i < second.size()) out.push_back(second[i]);
    }
    return out;
}

NameAnswer bounded(NameAnswer answer) {
    if (answer.addresses.size() <= addresses_max) return answer;
    return {{}, "it has more than " + std::to_string(addresses_max) + " addresses"};
}

}  // namespace

NameAnswer ask_system(const std::string& host) {
    bound_patience();
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* list = nullptr;
    NameAnswer answer;
    if (const int failed = ::getaddrinfo(host.c_str(), nullptr, &hints, &list); failed != 0) {
        answer.error = ::gai_strerror(failed);
        return answer;
    }
    std::vector<boost::asio::ip::address> v6;
    std::vector<boost::asio::ip::address> v4;
    for (const addrinfo* at = list; at != nullptr; at = at->ai_next) {
        if (at->ai_family == AF_INET6) v6.push_back(to_address(*at));
        if (at->ai_family == AF_INET) v4.push_back(to_address(*at));
    }
    const bool v6_first = list->ai_family == AF_INET6;
    ::freeaddrinfo(list);
    answer.addresses = v6_first ? interleave(v6, v4) : interleave(v4, v6);
    if (answer.addresses.empty()) answer.error = "the name has no address";
    return answer;
}

struct Resolver::State : std::enable_shared_from_this<State> {
    struct Name {
        std::shared_ptr<const NameAnswer> known;  ///< null: never answered
        steady_clock::time_point expires;
        bool asked = false;  ///< a lookup runs or waits for a thread
        std::vector<Signal*> waiting;

        [[nodiscard]] bool fresh() const { return known && steady_clock::now() < expires; }
    };

    State(boost::asio::any_io_executor executor_in, Ask ask_in)
        : executor(std::move(executor_in)), ask(std::make_shared<const Ask>(std::move(ask_in))) {}

    void want(const std::string& host, Name& name) {
        if (name.asked) return;
        name.asked = true;
        queue.push_back(host);
        start_lookups();
    }

    void start_lookups() {
        while (!queue.empty()) {
            if (idle.empty()) {
                if (threads.size() == threads_max) return;
                idle.push_back(threads.size());
                threads.push_back(std::make_unique<Worker>("resolver"));
            }
            const std::size_t thread = idle.back();
            idle.pop_back();
            start_lookup(thread, std::move(queue.front()));
            queue.pop_front();
        }
    }

    void start_lookup(std::size_t thread, std::string host) {
        threads[thread]->post([weak = weak_from_this(), executor = executor, ask = ask, thread,
                               host = std::move(host)]() mutable {
            auto answer = std::make_shared<const NameAnswer>(bounded((*ask)(host)));
            boost::asio::post(executor, [weak = std::move(weak), thread, host = std::move(host),
                                         answer = std::move(answer)] {
                if (const auto self = weak.lock()) self->finish(thread, host, answer);
            });
        });
    }

    void finish(std::size_t thread, const std::string& host,
                const std::shared_ptr<const NameAnswer>& answer) {
        idle.push_back(thread);
        Name& name = names[host];
        name.asked = false;
        name.known = answer;
        name.expires = steady_clock::now() + (answer->addresses.empty() ? keep_bad : keep_good);
        for (Signal* signal : name.waiting) signal->wake();
        start_lookups();
    }

    void forget_old() {
        if (names.size() < names_max) return;
        std::erase_if(names, [](const auto& entry) {
            const Name& name = entry.second;
            return !name.asked && name.waiting.empty() && !name.fresh();
        });
    }

    boost::asio::any_io_executor executor;
    std::shared_ptr<const Ask> ask;
    std::unordered_map<std::string, Name> names;
    std::deque<std::string> queue;
    std::vector<std::size_t> idle;  ///< indexes of threads without a lookup
    std::vector<std::unique_ptr<Worker>> threads;
};

Resolver::Resolver(boost::asio::any_io_executor executor, Ask ask)
    : state_(std::make_shared<State>(std::move(executor), std::move(ask))) {}

Resolver::~Resolver() = default;

awaitable<std::shared_ptr<const NameAnswer>> Resolver::resolve(const std::string& host,
                                                               steady_clock::time_point until) {
    boost::system::error_code is_name;
    const auto literal = boost::asio::ip::make_address(host, is_name);
    if (!is_name) {
        auto answer = std::make_shared<NameAnswer>();
        answer->addresses.push_back(literal);
        co_return answer;
    }
    const auto state = state_;
    state->forget_old();
    // A name with someone waiting is never forgotten, so the reference stays good.
    State::Name& name = state->names[host];
    if (!name.fresh()) {
        state->want(host, name);
        Signal answered(state->executor);
        name.waiting.push_back(&answered);
        co_await answered.wait_until(until);
        std::erase(name.waiting, &answered);
        // Asked again since: the old answer is out of date, the new one has not come.
        if (name.asked) co_return nullptr;
    }
    co_return name.known;
}

void Resolver::prefer(const std::string& host, const boost::asio::ip::address& address) {
    const auto found = state_->names.find(host);
    if (found == state_->names.end() || !found->second.known) return;
    const auto& known = found->second.known->addresses;
    if (known.empty() || known.front() == address) return;
    auto better = std::make_shared<NameAnswer>(*found->second.known);
    const auto place = std::ranges::find(better->addresses, address);
    if (place == better->addresses.end()) return;
    std::rotate(better->addresses.begin(), place, place + 1);
    found->second.known = std::move(better);
}

}  // namespace herald
