#pragma once

#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

namespace herald::test {

/// Runs `loop` until `task` has ended, and gives back its result. What else runs on the loop stays
/// where it is and goes on with the next call.
template <class Value>
Value run(boost::asio::io_context& loop, boost::asio::awaitable<Value> task) {
    std::optional<Value> result;
    std::exception_ptr broken;
    bool ended = false;
    boost::asio::co_spawn(loop, std::move(task), [&](std::exception_ptr e, Value value) {
        broken = std::move(e);
        result = std::move(value);
        ended = true;
    });
    loop.restart();
    while (!ended && loop.run_one() > 0) {
    }
    if (broken) std::rethrow_exception(broken);
    if (!ended) throw std::runtime_error("the task waits for something that never comes");
    return std::move(*result);
}

inline void run(boost::asio::io_context& loop, boost::asio::awaitable<void> task) {
    std::exception_ptr broken;
    bool ended = false;
    boost::asio::co_spawn(loop, std::move(task), [&](std::exception_ptr e) {
        broken = std::move(e);
        ended = true;
    });
    loop.restart();
    while (!ended && loop.run_one() > 0) {
    }
    if (broken) std::rethrow_exception(broken);
    if (!ended) throw std::runtime_error("the task waits for something that never comes");
}

}  // namespace herald::test
