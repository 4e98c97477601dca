#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/job.h"
#include "store/store.h"

namespace herald {

/// One delivery or event in a job's scope, and what is to be done about it.
struct JobItem {
    std::uint64_t place = 0;  ///< what JobProgress::after is when it is dealt with
    WebhookId webhook{};
    EventSeq event{};
    EventId event_id;
    std::string event_type;
    std::optional<DeliveryId> delivery;  ///< the one to repeat or to cancel
    Cause cause = Cause::retry;          ///< of the new one
    bool skipped = false;  ///< nothing is to be done: it arrived, is on its way, or has a newer one
};

/// What a job looks at next, in its order.
struct JobItems {
    std::vector<JobItem> items;
    std::optional<std::uint64_t> last;  ///< the last place looked at
    bool more = false;  ///< there is something behind it
};

/// Whether the job's webhook wants an event. Called on a reader's thread.
using WantsEvent = std::function<bool(const Event&)>;

/// Looks at the next deliveries or events of a job, at most `limit` (and limits::page_max).
/// Blocking.
[[nodiscard]] Result<JobItems> read_job_items(StoreReader& reader, const Job& job,
                                              const WantsEvent& wants, std::size_t limit);

}  // namespace herald
