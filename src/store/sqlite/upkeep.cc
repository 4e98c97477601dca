#include "store/sqlite/upkeep.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

namespace herald::sqlite {

namespace {

// Commits wait behind a step: each takes one or two milliseconds.
constexpr std::int64_t late_at_once = 48;
constexpr std::int64_t pruned_at_once = 256;

struct LateRow {
    std::uint64_t delivery = 0;
    Standing standing;
};

std::vector<LateRow> read_late(Segment& segment) {
    Statement rows = segment.db().prepare(
        "SELECT delivery, state, attempts, due_at, last_failure, updated_at FROM late"
        " ORDER BY delivery LIMIT ?");
    rows.bind(late_at_once);
    std::vector<LateRow> late;
    while (rows.step()) {
        LateRow row;
        row.delivery = rows.as<std::uint64_t>(0);
        row.standing.state = rows.as<DeliveryState>(1);
        row.standing.attempts = rows.as<std::uint32_t>(2);
        row.standing.due_at = from_micros(rows.integer(3));
        row.standing.last_failure = rows.as<FailureClass>(4);
        row.standing.updated_at = from_micros(rows.integer(5));
        late.push_back(row);
    }
    return late;
}

/// Writes the late rows, all of one home, where they belong.
void write_home(Segment& from, Segment& home, const std::vector<LateRow>& late) {
    SegmentWriter writer(home.db());
    Transaction change(home.db());
    for (const LateRow& row : late) {
        writer.settle(row.delivery, row.standing);
        if (home.db().changes() == 0) continue;  // retention has taken it
        for (const Attempt& attempt : from.attempts(row.delivery)) {
            writer.insert(row.delivery, attempt);
        }
    }
    change.commit();
}

void forget_late(Segment& from, const std::vector<LateRow>& late) {
    Transaction change(from.db());
    Statement row = from.db().prepare("DELETE FROM late WHERE delivery = ?");
    Statement attempts = from.db().prepare("DELETE FROM attempt WHERE key BETWEEN ? AND ?");
    for (const LateRow& one : late) {
        row.bind(one.delivery);
        row.run();
        attempts.bind(attempt_key(one.delivery, 0), attempt_key(one.delivery, 0xFF));
        attempts.run();
    }
    change.commit();
}

/// Brings some late rows home; false: there are none. Home first: until they are forgotten here
/// they say the same as there.
bool bring_home(LogState& log, LogSegment& segment) {
    std::vector<LateRow> late = read_late(log.file(segment));
    if (late.empty()) return false;
    LogSegment* home = log.home_of(late.front().delivery);
    const auto elsewhere = std::ranges::find_if(
        late, [&](const LateRow& row) { return log.home_of(row.delivery) != home; });
    late.erase(elsewhere, late.end());
    if (home != nullptr) {
        Segment& there = log.file(*home);
        write_home(log.file(segment), there, late);
        there.db().checkpoint();
    }
    forget_late(log.file(segment), late);
    return true;
}

struct Index {
    std::string_view name;
    std::string_view definition;
};

/// What lists of deliveries are asked for; the tail does without, so that appending stays fast.
constexpr std::array<Index, 3> indexes{{
    {"delivery_by_webhook", "(webhook, seq)"},
    {"delivery_by_state", "(state, seq)"},
    {"delivery_by_failure", "(last_failure, seq) WHERE last_failure <> 0"},
}};

/// Builds one index that is missing; false: all are there.
bool build_index(const Database& db) {
    for (const Index& index : indexes) {
        Statement known =
            db.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'index' AND name = ?");
        known.bind(index.name);
        if (known.step()) continue;
        known.reset();
        db.run("CREATE INDEX " + std::string(index.name) + " ON delivery " +
               std::string(index.definition));
        return true;
    }
    return false;
}

void finish(LogState& log, LogSegment& segment) {
    const std::filesystem::path path = log.shared->layout.index(segment.info.number);
    if (auto saved = segment.index.save(path); !saved) {
        throw Failure{saved.error().code, saved.error().message};
    }
    log.file(segment).db().checkpoint();
    SegmentInfo finished = segment.info;
    finished.state = SegmentState::indexed;
    put_segment(log.main.db(), finished);
    segment.info = finished;
    if (auto mapped = EventIndex::open(path)) segment.index = std::move(*mapped);
    segment.file.reset();
}

bool tend_sealed(LogState& log) {
    const auto sealed = std::ranges::find_if(log.segments, [](const LogSegment& segment) {
        return segment.info.state == SegmentState::sealed;
    });
    if (sealed == log.segments.end()) return false;
    if (bring_home(log, *sealed) || build_index(log.file(*sealed).db())) return true;
    finish(log, *sealed);
    return true;
}

bool is_older(const SegmentInfo& info, Duration kept, Time now) {
    return kept > Duration{0} && info.ended_at < now - kept;
}

bool remove_oldest(LogState& log, Duration kept, Time now) {
    const SegmentInfo info = log.segments.front().info;
    if (info.state != SegmentState::indexed || !is_older(info, kept, now)) return false;
    if (log.open.any_in(info.first_delivery, info.last_delivery, info.first_event,
                        info.last_event)) {
        return false;
    }
    // The list first: files that it does not name go at the next start anyway.
    remove_segment(log.main.db(), info.number);
    log.segments.erase(log.segments.begin());
    const std::filesystem::path path = log.shared->layout.segment(info.number);
    for (const std::string ending : {"", "-wal", "-shm"}) {
        std::filesystem::remove(path.string() + ending);
    }
    std::filesystem::remove(log.shared->layout.index(info.number));
    return true;
}

/// Removes some finished deliveries with their attempts; false: none is left to remove.
bool prune_some(Segment& segment) {
    Statement rows = segment.db().prepare("SELECT seq FROM delivery WHERE state <> 0 LIMIT ?");
    rows.bind(pruned_at_once);
    std::vector<std::uint64_t> finished;
    while (rows.step()) finished.push_back(rows.as<std::uint64_t>(0));
    rows.reset();
    if (finished.empty()) return false;
    Transaction change(segment.db());
    Statement delivery = segment.db().prepare("DELETE FROM delivery WHERE seq = ?");
    Statement attempts = segment.db().prepare("DELETE FROM attempt WHERE key BETWEEN ? AND ?");
    for (const std::uint64_t seq : finished) {
        delivery.bind(seq);
        delivery.run();
        attempts.bind(attempt_key(seq, 0), attempt_key(seq, 0xFF));
        attempts.run();
    }
    change.commit();
    return true;
}

bool prune(LogState& log, Duration kept, Time now) {
    for (LogSegment& segment : log.segments) {
        const SegmentInfo& info = segment.info;
        if (info.pruned || info.state != SegmentState::indexed) continue;
        if (!is_older(info, kept, now)) return false;
        Segment& file = log.file(segment);
        if (prune_some(file)) return true;
        if (file.db().number("SELECT EXISTS (SELECT 1 FROM delivery)") != 0) continue;
        file.db().run("PRAGMA incremental_vacuum");
        file.db().checkpoint();
        SegmentInfo pruned = info;
        pruned.pruned = true;
        put_segment(log.main.db(), pruned);
        segment.info = pruned;
        return true;
    }
    return false;
}

}  // namespace

bool tend_log(LogState& log, const Retention& retention, Time now) {
    const SegmentInfo& tail = log.tail().info;
    if (log.tail_is_full(now) && now - tail.begun_at >= log.options.segment_age) {
        log.roll(now);
        return true;
    }
    const auto is_open = [&log](std::uint64_t seq) { return log.open.find(seq) != nullptr; };
    return tend_sealed(log) || remove_oldest(log, retention.events, now) ||
           prune(log, retention.deliveries, now) || log.main.forget_old_answers(now) ||
           log.made.forget_final(is_open);
}

}  // namespace herald::sqlite
