#include "store/sqlite/batch_writer.h"

#include <algorithm>

#include "store/sqlite/job_table.h"

namespace herald::sqlite {

namespace {

/// One transaction in the making.
class BatchWriter {
public:
    BatchWriter(LogState& log, const Batch& batch)
        : log_(log),
          batch_(batch),
          next_event_(log.next_event),
          next_delivery_(log.next_delivery) {}

    /// All rows; memory is as before.
    Committed write();
    /// What is kept in memory, once the rows are on disk.
    void apply();

private:
    StoredEvent write_event(const NewEvent& event);
    StoredRedelivery write_redelivery(const Redelivery& redelivery);
    std::optional<DeliveryId> write_replay(const Replay& replay);
    void write_jobs();
    bool write_settlement(const Settlement& settlement);
    void add_attempt(std::uint64_t seq, const Attempt& attempt);
    void write_attempt(std::uint64_t seq, const Attempt& attempt);
    void write_standing(std::uint64_t seq, Standing standing);
    DeliveryId write_delivery(DeliveryRow row, const Event& event, bool leased);
    std::optional<OpenDelivery> standing_of(std::uint64_t delivery) const;

    LogState& log_;
    const Batch& batch_;
    std::uint64_t next_event_;
    std::uint64_t next_delivery_;
    std::uint64_t redeliveries_ = 0;
    std::uint64_t bytes_ = 0;
    std::unordered_map<EventId, EventSeq> new_ids_;
    std::vector<std::pair<EventSeq, const Event*>> new_events_;
    /// Deliveries that are born or changed; nullopt: final now.
    std::vector<std::pair<std::uint64_t, std::optional<OpenDelivery>>> changes_;
    /// The last change of those settled in this batch.
    std::unordered_map<std::uint64_t, std::size_t> settled_;
};

/// What a row takes on disk besides its texts, about.
constexpr std::uint64_t row_bytes = 200;

Committed BatchWriter::write() {
    Committed committed;
    for (const NewEvent& event : batch_.events) committed.events.push_back(write_event(event));
    for (const Redelivery& redelivery : batch_.redeliveries) {
        committed.redeliveries.push_back(write_redelivery(redelivery));
    }
    for (const Replay& replay : batch_.replays) {
        committed.replays.push_back(write_replay(replay));
    }
    for (const Settlement& settlement : batch_.settlements) {
        committed.settled.push_back(write_settlement(settlement));
    }
    write_jobs();
    return committed;
}

StoredEvent BatchWriter::write_event(const NewEvent& fresh) {
    StoredEvent stored;
    const Event& event = *fresh.event;
    const auto [earlier, is_new] = new_ids_.try_emplace(event.id, EventSeq{next_event_});
    const std::optional<EventSeq> known = is_new ? log_.find(event.id) : earlier->second;
    if (known) {
        earlier->second = *known;
        stored.duplicate = true;
        stored.seq = *known;
        return stored;
    }
    stored.seq = EventSeq{next_event_++};
    log_.writer->insert(stored.seq, event, next_delivery_, fresh.deliveries.size());
    new_events_.emplace_back(stored.seq, &event);
    bytes_ += row_bytes + event.body.size() + event.extra.size();
    for (const NewDelivery& delivery : fresh.deliveries) {
        DeliveryRow row;
        row.event_seq = stored.seq;
        row.event = event.id;
        row.event_type = event.type;
        row.webhook = delivery.webhook;
        row.cause = delivery.cause;
        stored.deliveries.push_back(write_delivery(std::move(row), event, delivery.leased));
    }
    return stored;
}

StoredRedelivery BatchWriter::write_redelivery(const Redelivery& redelivery) {
    StoredRedelivery stored;
    if (!log_.ids.made(redelivery.of)) return stored;
    LogSegment* home = log_.home_of(redelivery.of.seq);
    auto row = home != nullptr ? log_.file(*home).delivery(redelivery.of.seq) : std::nullopt;
    if (!row) return stored;
    LogSegment* event_home = log_.home_of(row->event_seq);
    auto event = event_home != nullptr
                     ? log_.file(*event_home).event(row->event_seq, EventParts::whole)
                     : std::nullopt;
    if (!event) return stored;
    stored.webhook = row->webhook;
    stored.event = std::make_shared<const Event>(std::move(event->event));
    row->cause = redelivery.cause;
    row->redelivers = redelivery.of.seq;
    stored.id = write_delivery(std::move(*row), *stored.event, redelivery.leased);
    ++redeliveries_;
    return stored;
}

std::optional<DeliveryId> BatchWriter::write_replay(const Replay& replay) {
    LogSegment* home = log_.home_of(replay.event);
    const auto event =
        home != nullptr ? log_.file(*home).event(replay.event, EventParts::list) : std::nullopt;
    if (!event) return std::nullopt;
    DeliveryRow row;
    row.event_seq = replay.event;
    row.event = event->event.id;
    row.event_type = event->event.type;
    row.webhook = replay.webhook;
    row.cause = replay.cause;
    row.redelivers = replay.redelivers ? replay.redelivers->seq : born_later;
    ++redeliveries_;
    return write_delivery(std::move(row), event->event, false);
}

void BatchWriter::write_jobs() {
    const Database& tail = log_.file(log_.tail()).db();
    for (const Job& job : batch_.jobs) put_job(tail, job);
    for (const Uuid& id : batch_.forgotten_jobs) forget_job(tail, id);
}

DeliveryId BatchWriter::write_delivery(DeliveryRow row, const Event& event, bool leased) {
    row.seq = next_delivery_++;
    row.created_at = batch_.now;
    row.standing = {};
    row.standing.due_at = batch_.now;
    row.standing.updated_at = batch_.now;
    log_.writer->insert(row);
    bytes_ += row_bytes;

    OpenDelivery open;
    open.event = row.event_seq;
    open.webhook = row.webhook;
    open.key = order_key(Ordering::node, event.node.id);
    open.leased = leased;
    open.next = leased ? batch_.lease_until : batch_.now;
    changes_.emplace_back(row.seq, open);
    return log_.ids.make(row.seq);
}

std::optional<OpenDelivery> BatchWriter::standing_of(std::uint64_t delivery) const {
    if (const auto changed = settled_.find(delivery); changed != settled_.end()) {
        return changes_[changed->second].second;
    }
    const OpenDelivery* open = log_.open.find(delivery);
    return open != nullptr ? std::optional(*open) : std::nullopt;
}

bool BatchWriter::write_settlement(const Settlement& settlement) {
    const std::uint64_t seq = settlement.delivery.seq;
    if (!log_.ids.made(settlement.delivery)) return false;
    std::optional<OpenDelivery> open = standing_of(seq);
    if (!open) {
        if (settlement.attempt) add_attempt(seq, *settlement.attempt);
        return false;
    }
    if (const auto& attempt = settlement.attempt) {
        open->attempts = static_cast<std::uint16_t>(attempt->number);
        open->last_failure = attempt->outcome.failure;
        write_attempt(seq, *attempt);
    }
    open->next = settlement.due_at;
    open->leased = false;

    Standing standing;
    standing.state = settlement.state;
    standing.attempts = open->attempts;
    standing.due_at = settlement.due_at;
    standing.last_failure = open->last_failure;
    write_standing(seq, standing);
    if (is_final(settlement.state)) open.reset();
    settled_[seq] = changes_.size();
    changes_.emplace_back(seq, open);
    return true;
}

/// A request that was on its way when its delivery was cancelled: the delivery stays cancelled, but
/// the attempt was made and is recorded.
void BatchWriter::add_attempt(std::uint64_t seq, const Attempt& attempt) {
    LogSegment* home = log_.home_of(seq);
    const auto row = home != nullptr ? log_.file(*home).delivery(seq) : std::nullopt;
    if (!row) return;
    LogSegment* late = log_.late_segment(seq);
    Standing standing = late != nullptr ? *log_.file(*late).late(seq) : row->standing;
    if (standing.state != DeliveryState::cancelled || attempt.number <= standing.attempts) return;
    standing.attempts = attempt.number;
    standing.last_failure = attempt.outcome.failure;
    LogSegment& holder = late != nullptr ? *late : *home;
    if (&holder == &log_.tail()) {
        write_attempt(seq, attempt);
        write_standing(seq, standing);
        return;
    }
    // A new segment was begun since. Beside the cancellation all the same: what is final in one
    // segment has no late row in a newer one.
    standing.updated_at = batch_.now;
    const Database& there = log_.file(holder).db();
    SegmentWriter writer(there);
    Transaction change(there);
    writer.insert(seq, attempt);
    if (late != nullptr) {
        writer.settle_late(seq, standing);
    } else {
        writer.settle(seq, standing);
    }
    change.commit();
}

void BatchWriter::write_attempt(std::uint64_t seq, const Attempt& attempt) {
    log_.writer->insert(seq, attempt);
    bytes_ += row_bytes + attempt.response_body.size();
}

void BatchWriter::write_standing(std::uint64_t seq, Standing standing) {
    standing.updated_at = batch_.now;
    if (seq >= log_.tail().info.first_delivery) {
        log_.writer->settle(seq, standing);
    } else {
        log_.writer->settle_late(seq, standing);
        bytes_ += row_bytes / 4;
    }
}

void BatchWriter::apply() {
    LogSegment& tail = log_.tail();
    for (const auto& [seq, event] : new_events_) {
        tail.index.append(seq, *event);
        log_.known_ids.add(id_hash(event->id), seq);
    }
    for (const auto& [seq, open] : changes_) {
        if (open) {
            log_.open.put(seq, *open);
        } else {
            log_.open.erase(seq);
        }
    }
    for (const Job& job : batch_.jobs) log_.jobs[job.id] = job;
    for (const Uuid& id : batch_.forgotten_jobs) log_.jobs.erase(id);
    log_.next_event = next_event_;
    log_.next_delivery = next_delivery_;
    log_.tail_bytes += bytes_;
    // An empty tail begins with its first commit. The clock may be set back: both ends stay true.
    if (tail.info.events() == 0 && tail.info.deliveries() == 0) {
        tail.info.begun_at = batch_.now;
        tail.info.ended_at = batch_.now;
    }
    tail.info.begun_at = std::min(tail.info.begun_at, batch_.now);
    tail.info.ended_at = std::max(tail.info.ended_at, batch_.now);
    tail.info.last_event = next_event_ - 1;
    tail.info.last_delivery = next_delivery_ - 1;
    tail.info.redeliveries += redeliveries_;
    log_.shared->pending = log_.open.size();
}

}  // namespace

Committed commit_batch(LogState& log, const Batch& batch) {
    if (log.tail_is_full(batch.now)) log.roll(batch.now);
    log.made.keep(batch.settlements);
    BatchWriter writer(log, batch);
    Transaction transaction(log.file(log.tail()).db());
    Committed committed = writer.write();
    transaction.commit();
    writer.apply();
    return committed;
}

}  // namespace herald::sqlite
