#pragma once

#include <condition_variable>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace herald {

/// One thread for work that blocks. Jobs run in the order given. Awaiting run() from a coroutine
/// suspends it and resumes it on its own executor with the job's result. Destruction finishes the
/// jobs that are queued, then joins.
class Worker {
public:
    explicit Worker(std::string name);
    ~Worker();
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    /// Queues a job; it must not throw. Any thread.
    void post(std::move_only_function<void()> job);

    /// Runs `job` on the worker and gives back what it returns. The job must not throw.
    template <class Job>
    boost::asio::awaitable<std::invoke_result_t<Job>> run(Job job) {
        using Value = std::invoke_result_t<Job>;
        auto initiate = [this](auto handler, Job work) {
            auto executor = boost::asio::get_associated_executor(handler);
            post([executor, work = std::move(work), handler = std::move(handler)]() mutable {
                auto value = std::make_shared<Value>(work());
                boost::asio::post(executor, [value, handler = std::move(handler)]() mutable {
                    std::move(handler)(std::move(*value));
                });
            });
        };
        return boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void(Value)>(
            std::move(initiate), boost::asio::use_awaitable, std::move(job));
    }

private:
    void loop();

    std::string name_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::vector<std::move_only_function<void()>> jobs_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace herald
