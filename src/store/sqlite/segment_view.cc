#include "store/sqlite/segment_view.h"

#include <algorithm>
#include <ranges>
#include <utility>

namespace herald::sqlite {

namespace {

/// Of one reader; each takes three descriptors.
constexpr std::size_t open_files = 64;
constexpr std::size_t rows_at_once = 4'096;

}  // namespace

LogView::LogView(const Layout& layout)
    : layout_(layout),
      main_(layout.main(), Access::read_only),
      data_version_(main_.prepare("PRAGMA data_version")) {}

void LogView::refresh() {
    data_version_.step();
    const std::int64_t version = data_version_.integer(0);
    data_version_.reset();
    // The version first: a change in between is then seen again, not missed.
    if (version != seen_version_) take_list();
    seen_version_ = version;
    if (segments_.empty()) return;
    ViewedSegment& tail = segments_.back();
    catch_up(tail);
    const auto last = file(tail).db().number("SELECT max(seq) FROM delivery");
    tail.info.last_delivery =
        std::max(static_cast<std::uint64_t>(last), tail.info.first_delivery - 1);
}

void LogView::take_list() {
    std::vector<ViewedSegment> fresh;
    for (const SegmentInfo& info : read_segments(main_)) {
        ViewedSegment segment;
        const auto known = std::ranges::find(
            segments_, info.number, [](const ViewedSegment& old) { return old.info.number; });
        if (known != segments_.end()) segment = std::move(*known);
        segment.info = info;
        // The mapped file takes the place of what was read from rows.
        if (info.state == SegmentState::indexed && !segment.index_is_mapped) segment.index.reset();
        fresh.push_back(std::move(segment));
    }
    segments_ = std::move(fresh);
}

/// Reads the rows that the segment's index lacks.
void LogView::catch_up(ViewedSegment& segment) {
    if (!segment.index) segment.index.emplace();
    std::uint64_t last = segment.info.first_event - 1;
    if (const auto seen = segment.index->last()) last = static_cast<std::uint64_t>(*seen);
    for (;;) {
        const std::vector<EventRow> rows = file(segment).events_behind(last, rows_at_once);
        for (const EventRow& row : rows) segment.index->append(row.seq, row.event);
        if (!rows.empty()) last = static_cast<std::uint64_t>(rows.back().seq);
        if (rows.size() < rows_at_once) break;
    }
    if (segment.info.state == SegmentState::tail) segment.info.last_event = last;
}

std::vector<ViewedSegment*> LogView::in_order(Order order) {
    std::vector<ViewedSegment*> ordered;
    ordered.reserve(segments_.size());
    for (ViewedSegment& segment : segments_) ordered.push_back(&segment);
    if (order == Order::newest_first) std::ranges::reverse(ordered);
    return ordered;
}

ViewedSegment* LogView::home_of(std::uint64_t delivery) {
    auto behind = std::ranges::upper_bound(
        segments_, delivery, {},
        [](const ViewedSegment& segment) { return segment.info.first_delivery; });
    if (behind == segments_.begin()) return nullptr;
    ViewedSegment& home = *--behind;
    return delivery <= home.info.last_delivery ? &home : nullptr;
}

std::optional<EventRow> LogView::find(const EventId& id, EventParts parts) {
    for (ViewedSegment& segment : std::views::reverse(segments_)) {
        for (const EventSeq seq : index(segment).find(id)) {
            auto row = file(segment).event(seq, parts);
            if (row && row->event.id == id) return row;
        }
    }
    return std::nullopt;
}

Segment& LogView::file(ViewedSegment& segment) {
    segment.used_at = ++uses_;
    if (!segment.file) {
        segment.file =
            std::make_unique<Segment>(layout_.segment(segment.info.number), Access::read_only);
        std::vector<ViewedSegment*> open;
        for (ViewedSegment& other : segments_) {
            if (other.file && &other != &segment) open.push_back(&other);
        }
        if (open.size() >= open_files) {
            (*std::ranges::min_element(open, {}, &ViewedSegment::used_at))->file.reset();
        }
    }
    return *segment.file;
}

const EventIndex& LogView::index(ViewedSegment& segment) {
    if (segment.index && (segment.index_is_mapped || segment.info.state == SegmentState::tail)) {
        return *segment.index;
    }
    if (segment.info.state == SegmentState::indexed && !segment.index) {
        if (auto mapped = EventIndex::open(layout_.index(segment.info.number))) {
            segment.index = std::move(*mapped);
            segment.index_is_mapped = true;
            return *segment.index;
        }
    }
    // Sealed, but its file is not there yet: the rows tell.
    catch_up(segment);
    return *segment.index;
}

}  // namespace herald::sqlite
