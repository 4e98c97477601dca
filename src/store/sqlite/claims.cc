#include "store/sqlite/claims.h"

#include <unordered_map>
#include <utility>

namespace herald::sqlite {

namespace {

using EventCache = std::unordered_map<EventSeq, std::shared_ptr<const Event>>;

[[noreturn]] void missing(std::string_view what) {
    throw Failure{Errc::internal, "the store lacks " + std::string(what) + " it should hold", true};
}

std::shared_ptr<const Event> read_event(LogState& log, EventSeq seq, EventCache& cache) {
    std::shared_ptr<const Event>& event = cache[seq];
    if (!event) {
        LogSegment* home = log.home_of(seq);
        if (home == nullptr) missing("an event");
        auto row = log.file(*home).event(seq, EventParts::whole);
        if (!row) missing("an event");
        event = std::make_shared<const Event>(std::move(row->event));
    }
    return event;
}

Claimed read_claimed(LogState& log, std::uint64_t seq, EventCache& cache) {
    LogSegment* home = log.home_of(seq);
    if (home == nullptr) missing("a delivery");
    auto row = log.file(*home).delivery(seq);
    if (!row) missing("a delivery");
    const OpenDelivery& open = *log.open.find(seq);
    row->standing.attempts = open.attempts;
    row->standing.last_failure = open.last_failure;
    row->standing.due_at = open.next;
    Claimed claimed;
    claimed.delivery = to_delivery(*row, log.ids);
    claimed.event = read_event(log, row->event_seq, cache);
    claimed.made = log.made.find(seq);
    return claimed;
}

}  // namespace

std::vector<Claimed> claim_due(LogState& log, Time now, Time lease_until,
                               std::span<const LaneRoom> lanes) {
    EventCache cache;
    std::vector<Claimed> claimed;
    const auto read_key = [&log](EventSeq seq) {
        LogSegment* home = log.home_of(seq);
        if (home == nullptr) missing("an event");
        const auto row = log.file(*home).event(seq, EventParts::list);
        if (!row) missing("an event");
        return order_key(Ordering::node, row->event.node.id);
    };
    for (const LaneRoom& lane : lanes) {
        log.open.arrange(lane.webhook, lane.order, read_key);
        for (const std::uint64_t seq : log.open.due(lane.webhook, now, lane.room)) {
            claimed.push_back(read_claimed(log, seq, cache));
        }
    }
    for (const Claimed& one : claimed) {
        OpenDelivery open = *log.open.find(one.delivery.id.seq);
        open.next = lease_until;
        open.leased = true;
        log.open.put(one.delivery.id.seq, open);
    }
    return claimed;
}

}  // namespace herald::sqlite
