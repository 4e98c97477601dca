#include "store/sqlite/sqlite_reader.h"

#include <algorithm>
#include <map>
#include <utility>

#include "store/sqlite/delivery_query.h"
#include "store/sqlite/segment_view.h"

namespace herald::sqlite {

namespace {

class SqliteReader final : public StoreReader {
public:
    explicit SqliteReader(std::shared_ptr<const Shared> shared)
        : shared_(std::move(shared)), view_(shared_->layout), ids_(shared_->eras) {}

    Result<Page<LoggedEvent>> events(const EventQuery& query) override {
        return guard([&] { return read_events(query); });
    }
    Result<Count> count_events(const EventQuery& query) override {
        return guard([&] { return count(query); });
    }
    Result<std::optional<EventDetail>> event(EventId id) override {
        return guard([&] { return read_event(id); });
    }
    Result<Page<Delivery>> deliveries(const DeliveryQuery& query) override {
        return guard([&] { return read_deliveries(query); });
    }
    Result<std::optional<DeliveryDetail>> delivery(DeliveryId id) override {
        return guard([&] { return read_delivery_detail(id); });
    }
    Result<StoreStats> stats() override {
        return guard([&] { return read_stats(); });
    }

private:
    /// Runs `work` on a fresh view. A segment that retention removed meanwhile makes it fail once;
    /// the next view is without it.
    template <class Work>
    auto guard(Work work) -> Result<decltype(work())> {
        for (bool again = false;; again = true) {
            try {
                view_.refresh();
                return work();
            } catch (const Failure& failure) {
                if (again) return fail(failure.code, failure.message);
            } catch (const std::filesystem::filesystem_error& failure) {
                if (again) return fail(Errc::unavailable, failure.what());
            }
        }
    }

    Page<LoggedEvent> read_events(const EventQuery& query);
    bool add_events(ViewedSegment& segment, const EventQuery& query, std::size_t limit,
                    std::vector<LoggedEvent>& items);
    Count count(const EventQuery& query);
    std::optional<EventDetail> read_event(EventId id);
    std::vector<EventSeq> children_of(EventId id);
    std::vector<DeliveryRow> deliveries_of(const EventRow& event, std::size_t limit);

    Page<Delivery> read_deliveries(const DeliveryQuery& query);
    std::vector<DeliveryRow> find_deliveries(const DeliveryQuery& query, std::size_t limit);
    std::vector<DeliveryRow> find_of_event(const DeliveryQuery& query, std::size_t limit);
    std::optional<DeliveryDetail> read_delivery_detail(DeliveryId id);
    void bring_up_to_date(ViewedSegment& home, DeliveryRow& row);
    StoreStats read_stats();

    std::shared_ptr<const Shared> shared_;
    LogView view_;
    DeliveryIds ids_;
};

Page<LoggedEvent> SqliteReader::read_events(const EventQuery& query) {
    Page<LoggedEvent> page;
    const std::size_t limit = std::clamp<std::size_t>(query.limit, 1, limits::page_max);
    for (ViewedSegment* segment : view_.in_order(query.order)) {
        if (add_events(*segment, query, limit + 1, page.items)) break;
    }
    page.more = page.items.size() > limit;
    if (page.more) page.items.pop_back();
    return page;
}

/// True when `items` are `limit`.
bool SqliteReader::add_events(ViewedSegment& segment, const EventQuery& query, std::size_t limit,
                              std::vector<LoggedEvent>& items) {
    const EventParts parts = query.whole ? EventParts::whole : EventParts::list;
    std::optional<EventSeq> resume;
    for (;;) {
        const std::size_t wanted = limit - items.size();
        const auto found = view_.index(segment).search(query, wanted, resume);
        for (const EventSeq seq : found) {
            auto row = view_.file(segment).event(seq, parts);
            // The index knows ids by their hash: a few rows are not what was asked for.
            if (row && holds(query, row->event)) items.push_back({seq, std::move(row->event)});
        }
        if (items.size() == limit) return true;
        if (found.size() < wanted) return false;
        resume = found.back();
    }
}

Count SqliteReader::count(const EventQuery& query) {
    Count total;
    for (ViewedSegment* segment : view_.in_order(Order::newest_first)) {
        total.value += view_.index(*segment).count(query, limits::count_max - total.value);
        total.capped = total.value >= limits::count_max;
        if (total.capped) break;
    }
    return total;
}

std::optional<EventDetail> SqliteReader::read_event(EventId id) {
    auto row = view_.find(id, EventParts::whole);
    if (!row) return std::nullopt;
    EventDetail detail;
    detail.seq = row->seq;
    for (const DeliveryRow& delivery : deliveries_of(*row, limits::page_max)) {
        detail.deliveries.push_back(to_delivery(delivery, ids_));
    }
    detail.children = children_of(id);
    detail.event = std::move(row->event);
    return detail;
}

std::vector<EventSeq> SqliteReader::children_of(EventId id) {
    EventQuery query;
    query.parents = {id};
    query.order = Order::oldest_first;
    query.limit = limits::page_max;
    std::vector<EventSeq> children;
    for (const LoggedEvent& child : read_events(query).items) children.push_back(child.seq);
    return children;
}

/// Those born with the event lie together in its segment; redeliveries anywhere behind.
std::vector<DeliveryRow> SqliteReader::deliveries_of(const EventRow& event, std::size_t limit) {
    std::vector<DeliveryRow> found;
    for (ViewedSegment* segment : view_.in_order(Order::oldest_first)) {
        if (segment->info.last_event < static_cast<std::uint64_t>(event.seq)) continue;
        const bool is_home = segment->info.first_event <= static_cast<std::uint64_t>(event.seq);
        const bool is_tail = segment->info.state == SegmentState::tail;
        if (!is_home && !is_tail && segment->info.redeliveries == 0) continue;
        const std::size_t before = found.size();
        add_deliveries_of(view_.file(*segment).db(), event, limit, found);
        for (std::size_t i = before; i < found.size(); ++i) bring_up_to_date(*segment, found[i]);
    }
    return found;
}

Page<Delivery> SqliteReader::read_deliveries(const DeliveryQuery& query) {
    const std::size_t limit = std::clamp<std::size_t>(query.limit, 1, limits::page_max);
    const std::vector<DeliveryRow> rows =
        query.event ? find_of_event(query, limit + 1) : find_deliveries(query, limit + 1);
    Page<Delivery> page;
    page.more = rows.size() > limit;
    for (std::size_t i = 0; i < std::min(limit, rows.size()); ++i) {
        page.items.push_back(to_delivery(rows[i], ids_));
    }
    return page;
}

std::vector<DeliveryRow> SqliteReader::find_deliveries(const DeliveryQuery& query,
                                                       std::size_t limit) {
    std::vector<DeliveryRow> found;
    for (ViewedSegment* segment : view_.in_order(query.order)) {
        if (!may_hold(query, segment->info)) continue;
        for (std::optional<std::uint64_t> after = query.after;;) {
            const std::size_t wanted = limit - found.size();
            auto rows = select_deliveries(view_.file(*segment).db(), query, after, wanted);
            for (DeliveryRow& row : rows) {
                after = row.seq;
                bring_up_to_date(*segment, row);
                if (holds(query, row)) found.push_back(std::move(row));
            }
            if (found.size() == limit) return found;
            if (rows.size() < wanted) break;
        }
    }
    return found;
}

/// An event has few deliveries: all are read, then chosen from.
std::vector<DeliveryRow> SqliteReader::find_of_event(const DeliveryQuery& query,
                                                     std::size_t limit) {
    const auto event = view_.find(*query.event, EventParts::list);
    if (!event) return {};
    std::vector<DeliveryRow> rows = deliveries_of(*event, limits::webhooks);
    if (query.order == Order::newest_first) std::ranges::reverse(rows);
    std::erase_if(rows, [&](const DeliveryRow& row) {
        return !holds(query, row) || !is_behind(query, row.seq);
    });
    if (rows.size() > limit) rows.resize(limit);
    return rows;
}

/// Finds out what became of a delivery after its home was sealed: late rows first, then home again,
/// since upkeep may bring them home in between.
void SqliteReader::bring_up_to_date(ViewedSegment& home, DeliveryRow& row) {
    if (is_final(row.standing.state) || home.info.state == SegmentState::tail) return;
    for (ViewedSegment* segment : view_.in_order(Order::newest_first)) {
        if (segment->info.number <= home.info.number) break;
        if (segment->info.state == SegmentState::indexed) continue;
        if (const auto late = view_.file(*segment).late(row.seq)) {
            row.standing = *late;
            return;
        }
    }
    if (const auto again = view_.file(home).delivery(row.seq)) row.standing = again->standing;
}

std::optional<DeliveryDetail> SqliteReader::read_delivery_detail(DeliveryId id) {
    ViewedSegment* home = ids_.made(id) ? view_.home_of(id.seq) : nullptr;
    if (home == nullptr) return std::nullopt;
    auto row = view_.file(*home).delivery(id.seq);
    if (!row) return std::nullopt;
    bring_up_to_date(*home, *row);

    std::map<std::uint32_t, Attempt> attempts;
    for (ViewedSegment* segment : view_.in_order(Order::newest_first)) {
        if (segment->info.number < home->info.number) break;
        if (segment != home && segment->info.state == SegmentState::indexed) continue;
        for (Attempt& attempt : view_.file(*segment).attempts(id.seq)) {
            attempts.try_emplace(attempt.number, std::move(attempt));
        }
    }
    DeliveryDetail detail;
    detail.delivery = to_delivery(*row, ids_);
    for (auto& [number, attempt] : attempts) detail.attempts.push_back(std::move(attempt));
    return detail;
}

StoreStats SqliteReader::read_stats() {
    StoreStats stats;
    for (ViewedSegment* segment : view_.in_order(Order::oldest_first)) {
        ++stats.segments;
        stats.events += segment->info.events();
        const EventIndex& index = view_.index(*segment);
        if (!stats.oldest_event && index.size() > 0) stats.oldest_event = index.earliest();
    }
    stats.pending = shared_->pending;
    std::error_code gone;
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(shared_->layout.data_dir)) {
        const auto size = entry.is_regular_file(gone) ? entry.file_size(gone) : 0;
        if (!gone) stats.bytes += size;
    }
    return stats;
}

}  // namespace

std::unique_ptr<StoreReader> make_reader(std::shared_ptr<const Shared> shared) {
    return std::make_unique<SqliteReader>(std::move(shared));
}

}  // namespace herald::sqlite
