#include "store/sqlite/log_state.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <ranges>
#include <set>
#include <tuple>
#include <utility>

namespace herald::sqlite {

namespace {

/// Open files besides the tail's. Each takes three descriptors and some memory.
constexpr std::size_t open_files = 32;
constexpr std::size_t rows_at_once = 4'096;

void sync_directory(const std::filesystem::path& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool synced = fd >= 0 && ::fsync(fd) == 0;
    if (fd >= 0) ::close(fd);
    if (!synced) {
        throw Failure{Errc::internal, "cannot sync the directory " + path.string(), true};
    }
}

/// When a delivery is due that was settled at `updated_at`. That this is still to come means that
/// the clock was set back since: then how long it was to wait counts from now on.
Time due_by_clock(const Standing& standing, Time now) {
    if (standing.updated_at <= now) return standing.due_at;
    return now + std::max(standing.due_at - standing.updated_at, Duration{0});
}

OpenDelivery open_delivery(EventSeq event, WebhookId webhook, const Standing& standing, Time now) {
    OpenDelivery delivery;
    delivery.event = event;
    delivery.webhook = webhook;
    delivery.next = due_by_clock(standing, now);
    delivery.attempts = static_cast<std::uint16_t>(standing.attempts);
    delivery.last_failure = standing.last_failure;
    return delivery;
}

}  // namespace

EventIndex index_rows(Segment& segment) {
    EventIndex index;
    for (std::uint64_t after = 0;;) {
        const std::vector<EventRow> rows = segment.events_behind(after, rows_at_once);
        for (const EventRow& row : rows) index.append(row.seq, row.event);
        if (rows.size() < rows_at_once) return index;
        after = static_cast<std::uint64_t>(rows.back().seq);
    }
}

LogState::LogState(const StoreOptions& with, MainDb& main_db, std::shared_ptr<Shared> with_readers,
                   Time now)
    : options(with), main(main_db), shared(std::move(with_readers)), made(main_db) {
    std::filesystem::create_directories(shared->layout.segments());
    remove_stale_files();
    const std::vector<SegmentInfo> list = read_segments(main.db());
    if (list.empty()) {
        begin_first(now);
    } else {
        for (const SegmentInfo& info : list) open_segment(info);
        read_tail(now);
        read_open_deliveries(now);
    }
    main.begin_era(next_delivery);
    shared->eras = main.eras();
    ids = DeliveryIds(shared->eras);
}

void LogState::remove_stale_files() const {
    std::set<std::string> listed;
    for (const SegmentInfo& info : read_segments(main.db())) {
        const std::string name = shared->layout.segment(info.number).filename();
        listed.insert({name, name + "-wal", name + "-shm"});
        listed.insert(shared->layout.index(info.number).filename());
    }
    for (const auto& entry : std::filesystem::directory_iterator(shared->layout.segments())) {
        if (!listed.contains(entry.path().filename())) std::filesystem::remove(entry.path());
    }
}

void LogState::begin_first(Time now) {
    SegmentInfo info;
    info.begun_at = now;
    info.ended_at = now;
    create_segment(shared->layout.segment(info.number));
    sync_directory(shared->layout.segments());
    sync_directory(shared->layout.data_dir);
    put_segment(main.db(), info);
    open_segment(info);
    read_tail(now);
}

void LogState::open_segment(const SegmentInfo& info) {
    LogSegment segment;
    segment.info = info;
    segments.push_back(std::move(segment));
    LogSegment& opened = segments.back();
    auto saved = info.state == SegmentState::indexed
                     ? EventIndex::open(shared->layout.index(info.number))
                     : fail(Errc::not_found, "not saved yet");
    if (!saved) {
        opened.index = index_rows(file(opened));
        if (info.state == SegmentState::indexed) {
            // The file was lost or damaged: it is derived, so it is made again.
            std::ignore = opened.index.save(shared->layout.index(info.number));
        }
    } else {
        opened.index = std::move(*saved);
    }
    for (const std::uint64_t hash : opened.index.id_hashes()) {
        known_ids.add(hash, EventSeq{info.first_event});
    }
}

/// What the list does not say of the tail.
void LogState::read_tail(Time now) {
    SegmentInfo& info = tail().info;
    Segment& segment = file(tail());
    writer = std::make_unique<SegmentWriter>(segment.db());
    checkpointer =
        std::make_unique<Checkpointer>(shared->layout.segment(info.number), segment.db());
    // A tail that an older herald began has no such table.
    make_job_table(segment.db());
    read_jobs(main.db(), jobs);
    read_jobs(segment.db(), jobs);
    const auto last = [&](std::string_view sql, std::uint64_t first) {
        const auto found = static_cast<std::uint64_t>(segment.db().number(sql));
        return std::max(found, first - 1);
    };
    info.last_event = last("SELECT max(seq) FROM event", info.first_event);
    info.last_delivery = last("SELECT max(seq) FROM delivery", info.first_delivery);
    info.redeliveries = static_cast<std::uint64_t>(segment.db().number(
        "SELECT count(*) FROM delivery INDEXED BY delivery_again WHERE redelivers IS NOT NULL"));
    if (info.events() > 0 || info.deliveries() > 0) info.ended_at = std::max(info.ended_at, now);
    if (info.deliveries() > 0) {
        // The clock may have been set back since: what the tail holds is what counts.
        const Database& db = segment.db();
        const Time oldest = from_micros(db.number("SELECT min(created_at) FROM delivery"));
        const Time newest = from_micros(db.number("SELECT max(created_at) FROM delivery"));
        info.begun_at = std::min(info.begun_at, oldest);
        info.ended_at = std::max(info.ended_at, newest);
    }
    next_event = info.last_event + 1;
    next_delivery = info.last_delivery + 1;
    tail_bytes = static_cast<std::uint64_t>(segment.db().number("PRAGMA page_count") *
                                            segment.db().number("PRAGMA page_size"));
}

/// Every pending row at home, but for what late rows say otherwise: the newest one counts.
void LogState::read_open_deliveries(Time now) {
    for (LogSegment& segment : segments) {
        Statement rows = file(segment).db().prepare(
            "SELECT seq, event_seq, webhook, attempts, due_at, last_failure, updated_at FROM "
            "delivery"
            " WHERE state = 0");
        while (rows.step()) {
            Standing standing;
            standing.attempts = rows.as<std::uint32_t>(3);
            standing.due_at = from_micros(rows.integer(4));
            standing.last_failure = rows.as<FailureClass>(5);
            standing.updated_at = from_micros(rows.integer(6));
            open.put(rows.as<std::uint64_t>(0),
                     open_delivery(rows.as<EventSeq>(1), rows.as<WebhookId>(2), standing, now));
        }
    }
    for (LogSegment& segment : segments) {
        if (segment.info.state == SegmentState::indexed) continue;
        Statement rows = file(segment).db().prepare(
            "SELECT delivery, state, attempts, due_at, last_failure, updated_at FROM late");
        while (rows.step()) {
            const auto seq = rows.as<std::uint64_t>(0);
            const OpenDelivery* known = open.find(seq);
            if (known == nullptr) continue;
            if (is_final(rows.as<DeliveryState>(1))) {
                open.erase(seq);
                continue;
            }
            Standing standing;
            standing.attempts = rows.as<std::uint32_t>(2);
            standing.due_at = from_micros(rows.integer(3));
            standing.last_failure = rows.as<FailureClass>(4);
            standing.updated_at = from_micros(rows.integer(5));
            open.put(seq, open_delivery(known->event, known->webhook, standing, now));
        }
    }
    shared->pending = open.size();
}

LogSegment* LogState::home_of(EventSeq event) {
    const auto seq = static_cast<std::uint64_t>(event);
    auto behind = std::ranges::upper_bound(
        segments, seq, {}, [](const LogSegment& segment) { return segment.info.first_event; });
    if (behind == segments.begin()) return nullptr;
    LogSegment& home = *--behind;
    return seq <= home.info.last_event ? &home : nullptr;
}

LogSegment* LogState::home_of(std::uint64_t delivery) {
    auto behind = std::ranges::upper_bound(segments, delivery, {}, [](const LogSegment& segment) {
        return segment.info.first_delivery;
    });
    if (behind == segments.begin()) return nullptr;
    LogSegment& home = *--behind;
    return delivery <= home.info.last_delivery ? &home : nullptr;
}

Segment& LogState::file(LogSegment& segment) {
    segment.used_at = ++uses_;
    if (!segment.file) {
        segment.file = std::make_unique<Segment>(shared->layout.segment(segment.info.number),
                                                 Access::read_write);
        std::vector<LogSegment*> closable;
        for (LogSegment& other : segments) {
            if (other.file && &other != &segment && &other != &tail()) closable.push_back(&other);
        }
        if (closable.size() >= open_files) {
            (*std::ranges::min_element(closable, {}, &LogSegment::used_at))->file.reset();
        }
    }
    return *segment.file;
}

LogSegment* LogState::late_segment(std::uint64_t delivery) {
    for (LogSegment& segment : std::views::reverse(segments)) {
        if (segment.info.state == SegmentState::indexed) break;
        if (file(segment).late(delivery)) return &segment;
    }
    return nullptr;
}

std::optional<EventSeq> LogState::find(const EventId& id) {
    for (const EventRange& range : known_ids.may_hold(id_hash(id))) {
        for (LogSegment& segment : segments) {
            const SegmentInfo& info = segment.info;
            if (EventSeq{info.last_event} < range.first) continue;
            if (range.last < EventSeq{info.first_event}) break;
            for (const EventSeq seq : segment.index.find(id)) {
                const auto row = file(segment).event(seq, EventParts::list);
                if (row && row->event.id == id) return seq;
            }
        }
    }
    return std::nullopt;
}

bool LogState::tail_is_full(Time now) const {
    const SegmentInfo& info = segments.back().info;
    const bool is_empty = info.events() == 0 && info.deliveries() == 0;
    return !is_empty &&
           (info.events() >= options.segment_events ||
            info.deliveries() >= 2 * options.segment_events ||
            tail_bytes >= options.segment_bytes || now - info.begun_at >= options.segment_age);
}

void LogState::roll(Time now) {
    SegmentInfo next;
    next.number = tail().info.number + 1;
    next.first_event = next_event;
    next.last_event = next_event - 1;
    next.first_delivery = next_delivery;
    next.last_delivery = next_delivery - 1;
    next.begun_at = now;
    next.ended_at = now;
    const std::filesystem::path path = shared->layout.segment(next.number);
    // A roll that failed half way, for want of space, may have left something.
    for (const std::string ending : {"", "-wal", "-shm"}) {
        std::filesystem::remove(path.string() + ending);
    }
    create_segment(path);
    sync_directory(shared->layout.segments());
    LogSegment begun;
    begun.info = next;
    begun.file = std::make_unique<Segment>(path, Access::read_write);
    auto next_writer = std::make_unique<SegmentWriter>(begun.file->db());
    auto next_checkpointer = std::make_unique<Checkpointer>(path, begun.file->db());

    SegmentInfo full = tail().info;
    full.state = SegmentState::sealed;
    Transaction change(main.db());
    put_segment(main.db(), full);
    put_segment(main.db(), next);
    replace_jobs(main.db(), jobs);
    change.commit();

    tail().info = full;
    segments.push_back(std::move(begun));
    writer = std::move(next_writer);
    checkpointer = std::move(next_checkpointer);
    tail_bytes = 0;
}

}  // namespace herald::sqlite
