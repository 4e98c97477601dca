#pragma once

#include <cstddef>

namespace herald {

/// How many requests a receiver is trusted with at once: the adaptive window of mail servers
/// (Postfix, SCHEDULER_README). Grows with success, shrinks when the receiver cannot be reached or
/// asks for less, is never below 1.
class Window {
public:
    /// A receiver that nothing is known of starts with so many,
    static constexpr std::size_t start = 8;
    /// and one that comes back from an outage with one.
    static constexpr std::size_t restart = 1;

    [[nodiscard]] std::size_t size() const { return static_cast<std::size_t>(size_); }

    /// While nothing has gone wrong each success adds one, so the window doubles in the time of one
    /// answer. Afterwards it takes a whole window of successes to add one, until it is at `most`.
    void succeeded(std::size_t most);
    /// The receiver could not be reached, or said nothing in time: one less.
    void failed();
    /// The receiver asks for less (429, 502, 503, 504): half. What `on_the_way` says of the same
    /// moment does not count again.
    void pushed_back(std::size_t on_the_way);
    /// The receiver is down, or asks to be left alone: afterwards it gets its work slowly.
    void shut();

private:
    double size_ = start;
    bool trusting_ = true;  ///< nothing has gone wrong yet
    std::size_t deaf_ = 0;  ///< answers until a push back counts again
};

}  // namespace herald
