#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/query.h"
#include "store/sqlite/event_index.h"
#include "store/sqlite/segment.h"
#include "store/sqlite/segment_list.h"

namespace herald::sqlite {

/// A segment as a reader holds it.
struct ViewedSegment {
    SegmentInfo info;
    std::unique_ptr<Segment> file;  ///< open while it is used
    std::optional<EventIndex> index;
    bool index_is_mapped = false;
    std::uint64_t used_at = 0;
};

/// The log as a reader sees it: what was committed when refresh() was called. Used by one thread.
class LogView {
public:
    explicit LogView(const Layout& layout);

    void refresh();
    [[nodiscard]] std::vector<ViewedSegment*> in_order(Order order);
    /// nullptr: it is gone, or not yet there.
    [[nodiscard]] ViewedSegment* home_of(std::uint64_t delivery);
    [[nodiscard]] std::optional<EventRow> find(const EventId& id, EventParts parts);

    /// Opened when it is not; some other may be closed for it.
    Segment& file(ViewedSegment& segment);
    const EventIndex& index(ViewedSegment& segment);

private:
    void take_list();
    void catch_up(ViewedSegment& segment);

    Layout layout_;
    Database main_;
    Statement data_version_;
    std::int64_t seen_version_ = -1;
    std::vector<ViewedSegment> segments_;  ///< oldest first
    std::uint64_t uses_ = 0;
};

}  // namespace herald::sqlite
