#include "delivery/courtesy.h"

#include <algorithm>
#include <ctime>
#include <utility>

namespace herald {

namespace {

/// Events that come now and then keep the backlog courteous for so long.
constexpr auto remembered = std::chrono::seconds{1};
/// Leaves the backlog a quarter of the time. With half of it the p99 of the new was 2 to 3 times
/// what it is without a backlog (bench/README.md).
constexpr int rest_for_work = 3;
constexpr auto longest_rest = std::chrono::milliseconds{50};

std::chrono::nanoseconds thread_time() {
    timespec used{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return std::chrono::seconds{used.tv_sec} + std::chrono::nanoseconds{used.tv_nsec};
}

}  // namespace

std::chrono::steady_clock::duration Courtesy::rest(Moment now) {
    if (fresh_) until_ = now + remembered;
    fresh_ = false;
    gives_way_ = now < until_;
    const auto worked = thread_time();
    const auto since = worked - std::exchange(worked_, worked);
    if (!gives_way_) return {};
    return std::min<std::chrono::steady_clock::duration>(since * rest_for_work, longest_rest);
}

}  // namespace herald
