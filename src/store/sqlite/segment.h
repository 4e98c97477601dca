#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "core/attempt.h"
#include "core/delivery.h"
#include "core/event.h"
#include "store/sqlite/sqlite.h"

namespace herald::sqlite {

/// What changes of a delivery.
struct Standing {
    DeliveryState state = DeliveryState::pending;
    std::uint32_t attempts = 0;
    Time due_at;
    FailureClass last_failure = FailureClass::none;
    Time updated_at;
};

/// As DeliveryRow::redelivers: it repeats none, but was not born with its event either.
inline constexpr std::uint64_t born_later = 0;

/// A Delivery as a segment holds it: everything but the salt of its ids (delivery_ids.h).
struct DeliveryRow {
    std::uint64_t seq = 0;
    EventSeq event_seq{};
    EventId event;
    std::string event_type;
    WebhookId webhook{};
    Cause cause = Cause::event;
    /// The delivery that it repeats, or born_later; nullopt: born with its event. What is set here
    /// is found by its event through an index.
    std::optional<std::uint64_t> redelivers;
    Time created_at;
    Standing standing;
};

struct EventRow {
    EventSeq seq{};
    Event event;
    std::uint64_t first_delivery = 0;
    std::uint64_t deliveries = 0;
};

/// Attempts of one delivery lie side by side under these keys.
[[nodiscard]] constexpr std::uint64_t attempt_key(std::uint64_t delivery, std::uint32_t number) {
    return (delivery << 8) | number;
}

/// The columns of a DeliveryRow, for queries that read_delivery() is to read.
inline constexpr std::string_view delivery_columns =
    "seq, event_seq, event_id, event_type, webhook, cause, redelivers, created_at, state, "
    "attempts, due_at, last_failure, updated_at";
[[nodiscard]] DeliveryRow read_delivery(const Statement& row);

/// How much of an event is read: lists do without its body and extra.
enum class EventParts { list, whole };

/// One file of the log: reads its rows. Used by one thread.
class Segment {
public:
    Segment(const std::filesystem::path& path, Access access);

    [[nodiscard]] const Database& db() const { return db_; }
    [[nodiscard]] Database& db() { return db_; }

    [[nodiscard]] std::optional<EventRow> event(EventSeq seq, EventParts parts);
    /// The events behind `after`, at most `limit`, in order, without body and extra.
    [[nodiscard]] std::vector<EventRow> events_behind(std::uint64_t after, std::size_t limit);
    [[nodiscard]] std::optional<DeliveryRow> delivery(std::uint64_t seq);
    /// By number.
    [[nodiscard]] std::vector<Attempt> attempts(std::uint64_t delivery);
    [[nodiscard]] std::optional<Standing> late(std::uint64_t delivery);

private:
    Database db_;
    Statement event_;
    Statement event_list_;
    Statement events_behind_;
    Statement delivery_;
    Statement attempts_;
    Statement late_;
};

/// Writes rows into the newest segment, within a transaction of the caller's.
class SegmentWriter {
public:
    explicit SegmentWriter(const Database& db);

    /// With the deliveries born with it: so many, from `first_delivery` on.
    void insert(EventSeq seq, const Event& event, std::uint64_t first_delivery,
                std::uint64_t deliveries);
    void insert(const DeliveryRow& row);
    void insert(std::uint64_t delivery, const Attempt& attempt);
    /// Of a delivery that was born in this segment.
    void settle(std::uint64_t delivery, const Standing& standing);
    /// Of a delivery that was born in an older one.
    void settle_late(std::uint64_t delivery, const Standing& standing);

private:
    Statement event_;
    Statement delivery_;
    Statement attempt_;
    Statement settle_;
    Statement settle_late_;
};

/// A new, empty segment, on disk when this returns.
void create_segment(const std::filesystem::path& path);

}  // namespace herald::sqlite
