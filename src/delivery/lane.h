#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>
#include <vector>

#include "core/breaker.h"
#include "core/health.h"
#include "core/pacing.h"
#include "core/webhook.h"
#include "core/window.h"
#include "delivery/health_book.h"
#include "delivery/held.h"
#include "delivery/tally.h"
#include "store/store.h"

namespace herald {

/// The queue of one webhook, and the rules by which it is served: how many at once, how fast, in
/// what order, and whether at all. Decides; the dispatcher drives. Lives on the loop thread.
class Lane {
public:
    using Moment = std::chrono::steady_clock::time_point;

    explicit Lane(WebhookId webhook) { record.webhook = webhook; }

    [[nodiscard]] WebhookId webhook() const { return record.webhook; }
    [[nodiscard]] const Health& health() const { return record.health; }
    [[nodiscard]] LaneOrder order() const;
    [[nodiscard]] bool ordered() const { return pacing_.ordering != Ordering::none; }

    /// The webhook's options as they are now.
    void configure(const Webhook& webhook);
    /// What an earlier process knew. A failing receiver is probed at once; one that asked to be
    /// left alone still is, for a day at most: the clock may have been set back since.
    void restore(Health health, Time now, Moment steady);
    /// A person has changed the webhook: what held it up is over. One that was stopped is resumed.
    void give_chance(Time now, Moment steady);

    // Room

    /// Held or reserved, with the requests on their way.
    [[nodiscard]] std::size_t load() const { return queued() + reserved + flying; }
    /// Room for one more from ingest. What is new and what comes from the store each find a quarter
    /// of the lane, however much there is of the other. What has an order comes from the store.
    [[nodiscard]] bool has_room() const;
    /// Room for what is claimed from the store; in bites: no more than the receiver takes in about
    /// a millisecond.
    [[nodiscard]] std::size_t claim_room(bool in_bites = false) const;

    // Queue

    void push(Held held);
    /// Whether something may be sent, as far as time does not forbid it.
    [[nodiscard]] bool can_send() const;
    /// What goes next: the new and the retried take turns; of each key one at a time.
    Held take(Moment now);
    /// A request that take() has begun is over.
    void landed(const Held& held);
    /// Takes out all that is queued.
    std::vector<Held> take_all();
    /// Takes out what is queued of this key.
    std::vector<Held> take_key(std::uint32_t key);
    [[nodiscard]] bool queues_key(std::uint32_t key) const;

    // Time

    /// Whether time may forbid to send: otherwise opens_at() need not be asked.
    [[nodiscard]] bool gated() const;
    /// From when on something may be sent; Moment::max(): not before a person says so.
    [[nodiscard]] Moment opens_at() const;
    /// Closed for so long that nothing should be kept in memory for it.
    [[nodiscard]] bool shut(Moment now) const;
    /// Whether the receiver, at this pace of an attempt, takes as much as comes.
    [[nodiscard]] bool keeps_up(Duration attempt) const;

    /// What an attempt means for all this. Returns how long the receiver asks to be left alone; 0:
    /// it does not. `random` is in [0, 1).
    Duration judge(const Attempt& attempt, Time now, Moment steady, double random);

    /// For an attempt that failed: whether those behind it wait for its next one.
    [[nodiscard]] bool holds_up(const Held& held, const Attempt& attempt) const;

    // Marks of the dispatcher's

    HealthRecord record;
    std::size_t reserved = 0;
    std::size_t flying = 0;
    std::size_t fresh = 0;  ///< of those held or reserved, the ones from ingest
    Duration pace{};  ///< what an attempt takes, smoothed
    Moment answered_at{};
    bool brisk = false;  ///< the receiver keeps up: ingest waits for it
    bool turning = false;  ///< stands among those with something to send
    bool spilled = false;  ///< more is in the store than there was room for
    std::optional<Moment> wakes_at;  ///< stands among those that wait for a time

    Tally::Series series;

private:
    [[nodiscard]] std::size_t queued() const { return new_.size() + again_.size(); }
    [[nodiscard]] std::size_t most() const;
    [[nodiscard]] std::size_t most_at_once() const;
    [[nodiscard]] std::deque<Held>::const_iterator next_in_order() const;
    void note_window(const Attempt& attempt, bool asked_to_wait);
    void open(Moment now, Duration first_wait);

    Pacing pacing_;
    BreakerPolicy policy_;
    Window window_;
    Pacer pacer_;
    Breaker breaker_;
    std::optional<Moment> held_until_;  ///< as the receiver asked
    std::deque<Held> new_;  ///< never tried yet; with an ordering all are here
    std::deque<Held> again_;
    bool again_next_ = false;
    std::vector<std::uint32_t> busy_keys_;  ///< of the requests on their way
};

}  // namespace herald
