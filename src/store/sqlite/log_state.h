#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "store/sqlite/checkpointer.h"
#include "store/sqlite/delivery_ids.h"
#include "store/sqlite/event_index.h"
#include "store/sqlite/job_table.h"
#include "store/sqlite/made_requests.h"
#include "store/sqlite/main_db.h"
#include "store/sqlite/open_deliveries.h"
#include "store/sqlite/segment.h"
#include "store/sqlite/segment_list.h"
#include "store/store.h"

namespace herald::sqlite {

/// What the writer shares with its readers.
struct Shared {
    Layout layout;
    std::vector<Era> eras;  ///< constant once the store is open
    std::atomic<std::uint64_t> pending{0};
};

/// A segment as the writer holds it.
struct LogSegment {
    SegmentInfo info;
    EventIndex index;  ///< grows while the segment does; later the mapped file
    std::unique_ptr<Segment> file;  ///< open while it is used; the tail's always is
    std::uint64_t used_at = 0;
};

/// The log as the writer holds it: the segments, and in memory what every commit and claim asks
/// for. Functions over it: batch_writer.h (commit), claims.h, upkeep.h. Used by the writer's
/// thread.
class LogState {
public:
    /// Opens the log, making the first segment when there is none, and rebuilds what is kept in
    /// memory. Files that the list does not name are left from a crash, and go.
    LogState(const StoreOptions& options, MainDb& main, std::shared_ptr<Shared> shared, Time now);

    [[nodiscard]] LogSegment& tail() { return segments.back(); }
    /// nullptr: it is gone, or not yet there.
    [[nodiscard]] LogSegment* home_of(EventSeq event);
    [[nodiscard]] LogSegment* home_of(std::uint64_t delivery);
    /// The segment's file, opened when it is not; some others may be closed for it.
    Segment& file(LogSegment& segment);

    /// Where the newest late row of a delivery is, until upkeep brings it home; nullptr: nowhere.
    [[nodiscard]] LogSegment* late_segment(std::uint64_t delivery);
    /// Where the event with this id is stored.
    [[nodiscard]] std::optional<EventSeq> find(const EventId& id);

    [[nodiscard]] bool tail_is_full(Time now) const;
    /// Begins a new tail.
    void roll(Time now);

    const StoreOptions options;
    MainDb& main;
    const std::shared_ptr<Shared> shared;
    DeliveryIds ids;
    std::vector<LogSegment> segments;  ///< oldest first, never empty
    std::unique_ptr<SegmentWriter> writer;  ///< into the tail
    std::unique_ptr<Checkpointer> checkpointer;  ///< of the tail
    IdFilter known_ids;
    OpenDeliveries open;
    Jobs jobs;
    MadeRequests made;
    std::uint64_t next_event = 1;
    std::uint64_t next_delivery = 1;
    std::uint64_t tail_bytes = 0;  ///< about

private:
    void remove_stale_files() const;
    void begin_first(Time now);
    void open_segment(const SegmentInfo& info);
    void read_tail(Time now);
    void read_open_deliveries(Time now);

    std::uint64_t uses_ = 0;
};

/// The index of a segment's events, read from its rows.
[[nodiscard]] EventIndex index_rows(Segment& segment);

}  // namespace herald::sqlite
