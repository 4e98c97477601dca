#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "core/event.h"
#include "core/query.h"

namespace herald {

class EventColumns;
class TailColumns;

/// What the index keeps of one event. Names (type, branch, account) are numbers of the segment's
/// own dictionary; node ids are kept as 64-bit hashes, so a search may give a false hit that the
/// caller drops when it has read the event (`holds`).
///
/// An EventIndex answers the activity log's questions about one segment by scanning columns (1 to
/// 2 ns a row) and, where a node, parent or event id is asked for, by sorted pairs. It is derived
/// data: rebuilt from the segment whenever the file is missing or does not check out.
///
/// In memory it grows with the newest segment (append); for a sealed one it is a file that is
/// mapped, never changed. Not thread-safe; each reader has its own (mapped pages are shared).
class EventIndex {
public:
    EventIndex();
    ~EventIndex();
    EventIndex(EventIndex&&) noexcept;
    EventIndex& operator=(EventIndex&&) noexcept;

    /// `seq` is greater than that of every row before. Never for an opened (mapped) index.
    void append(EventSeq seq, const Event& event);

    [[nodiscard]] std::size_t size() const;
    [[nodiscard]] std::optional<EventSeq> first() const;
    [[nodiscard]] std::optional<EventSeq> last() const;
    /// Earliest and latest occurred_at; 1970 when there is no row.
    [[nodiscard]] Time earliest() const;
    [[nodiscard]] Time latest() const;

    /// Candidates for the query in its order, beginning behind `query.after` (or `resume`, the last
    /// one a former call gave), at most `limit`. Every true hit is found; a few may be false.
    [[nodiscard]] std::vector<EventSeq> search(const EventQuery& query, std::size_t limit,
                                               std::optional<EventSeq> resume = {}) const;
    /// How many rows hold, up to `cap`; exact but for 64-bit hash collisions.
    [[nodiscard]] std::uint64_t count(const EventQuery& query, std::uint64_t cap) const;

    /// The rows whose id hashes alike, usually none or one.
    [[nodiscard]] std::vector<EventSeq> find(const EventId& id) const;

    /// Walks all id hashes (for IdFilter).
    [[nodiscard]] std::vector<std::uint64_t> id_hashes() const;

    /// Writes the mapped form: magic, version, sizes, columns, CRC-32C; synced, renamed in place.
    Result<> save(const std::filesystem::path& path) const;
    /// Maps a saved index. Errc::invalid when it is missing or does not check out:
    /// rebuild it.
    static Result<EventIndex> open(const std::filesystem::path& path);

private:
    explicit EventIndex(std::unique_ptr<EventColumns> columns);

    std::unique_ptr<EventColumns> columns_;
    TailColumns* tail_ = nullptr;  // columns_ while it grows; null for a mapped file
};

/// Whether the event is what the query asks for (all filters, without cursor and limit).
[[nodiscard]] bool holds(const EventQuery& query, const Event& event);

[[nodiscard]] std::uint64_t id_hash(const EventId& id);

/// A stretch of the log.
struct EventRange {
    EventSeq first{};
    EventSeq last{};
};

/// Which event ids may be in the store, and where: a growing row of Bloom filters, each sized for a
/// million ids at 12 bits (false positives about 0.4 %). 10 million ids take about 15 MB and 10
/// cache misses to ask. A false positive costs a look at one filter's stretch of the log only, so
/// that asking for a new id does not become dearer with each segment.
class IdFilter {
public:
    /// `seq` is the event's, or of any event in the same segment.
    void add(std::uint64_t hash, EventSeq seq);
    /// The stretches that may hold it, the newest first.
    [[nodiscard]] std::vector<EventRange> may_hold(std::uint64_t hash) const;

private:
    static constexpr std::size_t ids_each = 1'000'000;
    static constexpr std::size_t bits_per_id = 12;
    struct Bloom {
        std::vector<std::uint64_t> words;
        std::size_t ids = 0;
        EventRange range;
    };
    static bool contains(const Bloom& bloom, std::uint64_t hash);

    std::vector<Bloom> blooms_;
};

}  // namespace herald
