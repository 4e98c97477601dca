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
#include "base/seal.h"
#include "base/time.h"
#include "core/attempt.h"
#include "core/delivery.h"
#include "core/event.h"
#include "core/health.h"
#include "core/job.h"
#include "core/made_request.h"
#include "core/pacing.h"
#include "core/query.h"
#include "core/transformation.h"
#include "core/webhook.h"

namespace herald {

/// A delivery to be born with an event, or alone as a redelivery.
struct NewDelivery {
    WebhookId webhook{};
    Cause cause = Cause::event;
    /// Born leased: the caller takes it in hand at once, so claim() does not give it out before
    /// `Batch::lease_until`. Otherwise it is due at once.
    bool leased = false;
};

struct NewEvent {
    /// Shared, because the lanes send from the same object that the writer stores.
    std::shared_ptr<const Event> event;
    std::vector<NewDelivery> deliveries;
};

struct Redelivery {
    DeliveryId of;
    Cause cause = Cause::retry;
    bool leased = false;
};

/// A delivery of a stored event that a job makes. Born unleased: due at once, claimed when its lane
/// has room.
struct Replay {
    EventSeq event{};
    WebhookId webhook{};
    Cause cause = Cause::replay;
    std::optional<DeliveryId> redelivers;
};

/// What an attempt, a cancellation or a release means for a delivery. Touches only what is still
/// pending: it can never revive a final delivery. An attempt that ends after its delivery was
/// cancelled is recorded, and changes nothing else.
struct Settlement {
    DeliveryId delivery;
    std::optional<Attempt> attempt;  ///< none for a cancellation or a release
    DeliveryState state = DeliveryState::pending;
    Time due_at;  ///< of the next attempt when still pending
    /// What a transformation made, for the attempts to come: kept until the delivery is final. May
    /// be on disk before the rest of its batch.
    std::shared_ptr<const MadeRequest> made = nullptr;
};

/// Everything that one transaction brings in.
struct Batch {
    std::vector<NewEvent> events;
    std::vector<Redelivery> redeliveries;
    std::vector<Replay> replays;
    std::vector<Settlement> settlements;
    std::vector<Job> jobs;  ///< as they are after this batch: kept under their ids
    std::vector<Uuid> forgotten_jobs;
    Time now;
    Time lease_until;
};

/// What became of one event of a batch.
struct StoredEvent {
    bool duplicate = false;  ///< its id was stored before, here or earlier in the batch
    EventSeq seq{};  ///< of the stored event, also for a duplicate
    std::vector<DeliveryId> deliveries;  ///< one for each NewDelivery; empty for a duplicate
};

struct StoredRedelivery {
    std::optional<DeliveryId> id;  ///< nullopt: the delivery to repeat is not in the store
    WebhookId webhook{};
    std::shared_ptr<const Event> event;
};

struct Committed {
    std::vector<StoredEvent> events;  ///< as Batch::events
    std::vector<StoredRedelivery> redeliveries;  ///< as Batch::redeliveries
    /// As Batch::replays; nullopt: the event is not in the store.
    std::vector<std::optional<DeliveryId>> replays;
    std::vector<bool> settled;  ///< as Batch::settlements; false: was final already, or unknown
};

/// In what order a lane wants its deliveries; the words are those of Pacing.
struct LaneOrder {
    Ordering ordering = Ordering::none;
    std::uint32_t set_aside_after = 0;  ///< with an ordering
    Backlog backlog = Backlog::oldest;  ///< without one

    bool operator==(const LaneOrder&) const = default;
};

/// How many more deliveries a lane can take.
struct LaneRoom {
    WebhookId webhook{};
    std::size_t room = 0;
    LaneOrder order = {};
};

struct WebhookHealth {
    WebhookId webhook{};
    Health health;

    bool operator==(const WebhookHealth&) const = default;
};

/// A delivery taken in hand, with what is needed to send it.
struct Claimed {
    Delivery delivery;
    std::shared_ptr<const Event> event;
    std::shared_ptr<const MadeRequest> made = nullptr;  ///< as it was settled with
};

/// A webhook that has unleased pending deliveries, and when the first is due.
struct DueWebhook {
    WebhookId webhook{};
    Time due_at;
    std::uint64_t pending = 0;  ///< all pending ones, leased or not
};

/// An event with what the log knows around it.
struct EventDetail {
    EventSeq seq{};
    Event event;
    std::vector<EventSeq> children;  ///< stored events whose parent this is, at most page_max
    std::vector<Delivery> deliveries;  ///< that it caused, at most page_max
};

struct LoggedEvent {
    EventSeq seq{};
    Event event;
};

struct DeliveryDetail {
    Delivery delivery;
    std::vector<Attempt> attempts;  ///< by number
};

/// Finished things older than these may go. An event with a pending delivery stays.
struct Retention {
    Duration events{};  ///< activity log; 0: for ever
    Duration deliveries{};  ///< finished deliveries with their attempts; 0: as long as the event
};

struct StoreStats {
    std::uint64_t events = 0;
    std::uint64_t pending = 0;
    std::uint64_t segments = 0;
    std::uint64_t bytes = 0;  ///< on disk
    std::optional<Time> oldest_event;
};

/// A stored answer to a request with an Idempotency-Key.
struct RememberedAnswer {
    std::string key;
    std::string request_digest;  ///< hex SHA-256 over method, path and body
    int status = 0;
    std::string body;
    std::string location;
    Time created_at;
};

/// Reads the store. Blocking; one a thread, owned by it. Sees what was committed when the call
/// began. Every list is ordered and paged by sequence, so pages stay correct while events arrive.
class StoreReader {
public:
    virtual ~StoreReader() = default;

    /// Without body and extra, unless the query asks for whole events.
    virtual Result<Page<LoggedEvent>> events(const EventQuery& query) = 0;
    /// How many events the query holds, without its cursor and limit; stops at count_max.
    virtual Result<Count> count_events(const EventQuery& query) = 0;
    virtual Result<std::optional<EventDetail>> event(EventId id) = 0;
    virtual Result<Page<Delivery>> deliveries(const DeliveryQuery& query) = 0;
    virtual Result<std::optional<DeliveryDetail>> delivery(DeliveryId id) = 0;
    virtual Result<StoreStats> stats() = 0;
};

/// Where everything durable lives. The first of the five doors (docs/architecture.md).
///
/// A Store is used by one thread, the writer; its calls block. Readers are made by reader() and
/// live on threads of their own. Functions follow the moments of the flow, not tables.
///
/// Durability: when commit(), put_webhook() or any other that changes the store returns a
/// value, its effect survives power loss. When one returns an Error, nothing of it happened, and
/// the store is as before; Errc::out_of_space and Errc::unavailable may pass, so the caller may try
/// again. After a failed sync to disk the store answers Errc::internal for ever: the process has to
/// end, and a restart reads what is really there.
///
/// Done when tests/conformance passes.
class Store {
public:
    virtual ~Store() = default;

    /// One transaction: new events with their deliveries, redeliveries, replays, settlements, jobs.
    /// An event id that is stored already is a duplicate: not stored again, gives no deliveries.
    virtual Result<Committed> commit(const Batch& batch) = 0;

    /// Takes in hand what is pending, due at `now` and unleased, at most as many for each webhook
    /// as it has room, and leases them until `lease_until`. Without an ordering those due first
    /// come first, or the newest of those due. With one, a delivery is held up by every earlier one
    /// (by sequence) of its key (order_key) that is pending, unless that one is set aside or given
    /// out by the same call; those of one key come in their order, at most limits::ordered_run. A
    /// delivery is set aside once it has made `set_aside_after` attempts. Leases are by time
    /// alone: what a dead process held is due again when they run out (for an embedded store:
    /// at the next open).
    virtual Result<std::vector<Claimed>> claim(Time now, Time lease_until,
                                               std::span<const LaneRoom> lanes) = 0;

    /// The webhooks with pending deliveries; due_at is the earliest unleased one's or the end of
    /// the earliest lease, of those that the order of the last claim does not hold up. When one is
    /// due, it may be any moment that has passed. Memory only on the embedded store.
    virtual Result<std::vector<DueWebhook>> due() = 0;

    /// Cancels at most `limit` pending, unleased deliveries of one webhook; how many it were.
    /// For webhooks that were removed.
    virtual Result<std::size_t> cancel_some(WebhookId webhook, std::size_t limit, Time now) = 0;

    /// All webhooks, removed ones too.
    virtual Result<std::vector<Webhook>> webhooks() = 0;
    /// Creates (id 0: gives one and returns it) or replaces. Errc::conflict: the name is taken by
    /// another that is not removed. Errc::precondition_failed: `expected_version` is given and is
    /// not the stored version.
    virtual Result<Webhook> put_webhook(Webhook webhook,
                                        std::optional<std::uint64_t> expected_version) = 0;
    /// Marks as removed and forgets its key and headers. Errc::not_found.
    virtual Result<> remove_webhook(WebhookId id, std::optional<std::uint64_t> expected_version,
                                    Time now) = 0;

    /// All transformations.
    virtual Result<std::vector<Transformation>> transformations() = 0;
    /// Creates (expected_version empty) or replaces the one with this uuid. Errc::conflict: the
    /// name is taken by another. Errc::precondition_failed: it is not the stored version.
    /// Errc::not_found: there is none to replace.
    virtual Result<> put_transformation(const Transformation& transformation,
                                        std::optional<std::uint64_t> expected_version) = 0;
    /// Errc::not_found, Errc::precondition_failed.
    virtual Result<> remove_transformation(const Uuid& uuid,
                                           std::optional<std::uint64_t> expected_version) = 0;

    /// What put_health() was told last of each webhook.
    virtual Result<std::vector<WebhookHealth>> health() = 0;
    /// Remembers how webhooks do. All of it or nothing.
    virtual Result<> put_health(std::span<const WebhookHealth> news) = 0;
    /// All jobs that are kept, in no order.
    virtual Result<std::vector<Job>> jobs() = 0;

    /// The answer stored under an Idempotency-Key, if it is younger than idempotency_keeps.
    virtual Result<std::optional<RememberedAnswer>> remembered(std::string_view key, Time now) = 0;
    virtual Result<> remember(const RememberedAnswer& answer) = 0;

    /// How far a source was read (empty: not at all), and moving it on.
    virtual Result<std::string> cursor(std::string_view source) = 0;
    virtual Result<> set_cursor(std::string_view source, std::string_view cursor) = 0;

    /// One small step of upkeep (sealing, retention), bounded to about 50 ms and mostly two; true
    /// when there is more to do at once.
    virtual Result<bool> tend(const Retention& retention, Time now) = 0;

    virtual std::unique_ptr<StoreReader> reader() = 0;
};

struct StoreOptions {
    std::filesystem::path data_dir;
    std::uint64_t segment_events = 65'536;  ///< a segment is full with that many events,
    std::uint64_t segment_bytes = 256 << 20;  ///< or at that size,
    Duration segment_age = std::chrono::hours{24};  ///< or age
    /// What secrets are sealed with: the first seals, all open. None: the key in the file
    /// secrets.key of data_dir, which is made when there is none.
    std::vector<SealKey> seal_keys = {};
};

/// Opens the embedded store, creating or migrating it; every lease of an earlier process is void.
/// Errc::conflict: another process has it open. Errc::unavailable: not a directory we can write,
/// or its secrets are sealed with a key that is not given; then nothing was changed.
[[nodiscard]] Result<std::unique_ptr<Store>> open_sqlite_store(const StoreOptions& options);

}  // namespace herald
