#pragma once

#include <chrono>

namespace herald {

/// How a backlog gives way to what is new. While fresh events come in, what was claimed from the
/// store goes in bites, and after each bite the loop rests for three times as long as it has
/// worked: the processor is then never so busy with the old that the new has to queue. With nothing
/// new the backlog goes at full speed. Lives on the loop thread, whose processor time it measures.
class Courtesy {
public:
    using Moment = std::chrono::steady_clock::time_point;

    /// A fresh delivery has found its place in a lane.
    void fresh_came() { fresh_ = true; }
    /// Before a claim: how long to leave the loop alone; at most 50 ms.
    [[nodiscard]] std::chrono::steady_clock::duration rest(Moment now);
    /// Whether the next claim is to be a bite. As of the last rest().
    [[nodiscard]] bool gives_way() const { return gives_way_; }

private:
    bool fresh_ = false;  ///< since the last look
    bool gives_way_ = false;
    Moment until_{};
    std::chrono::nanoseconds worked_{0};  ///< the thread's processor time at the last claim
};

}  // namespace herald
