#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include <boost/asio/any_io_executor.hpp>

namespace herald {

/// Deadlines for the hot path: a hashed timing wheel with one timer for all of them, because an
/// Asio timer for each costs 2 to 10 us. Fires at most one tick (10 ms) late, never early. Lives on
/// one loop thread; not thread-safe.
class Wheel {
public:
    explicit Wheel(boost::asio::any_io_executor executor);
    ~Wheel();
    Wheel(const Wheel&) = delete;
    Wheel& operator=(const Wheel&) = delete;

    /// A pending deadline: disarmed when it goes out of scope. Fires at most once.
    class Deadline {
    public:
        Deadline() = default;
        ~Deadline() { disarm(); }
        Deadline(Deadline&& other) noexcept;
        Deadline& operator=(Deadline&& other) noexcept;
        void disarm();
        /// Whether it has fired.
        [[nodiscard]] bool fired() const;

    private:
        friend class Wheel;
        struct Entry;
        std::shared_ptr<Entry> entry_;
    };

    /// Calls `action` on the loop thread once `after` has passed, unless disarmed before. The
    /// action must not throw and must not destroy the wheel.
    [[nodiscard]] Deadline arm(std::chrono::steady_clock::duration after,
                               std::move_only_function<void()> action);

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace herald
