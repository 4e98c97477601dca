#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <unordered_set>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include "async/clock.h"
#include "async/signal.h"
#include "async/task_group.h"
#include "base/metrics.h"
#include "core/health.h"
#include "core/limits.h"
#include "delivery/catalog.h"
#include "delivery/committer.h"
#include "delivery/courtesy.h"
#include "delivery/gatherer.h"
#include "delivery/health_book.h"
#include "delivery/held.h"
#include "delivery/lane.h"
#include "delivery/sender.h"
#include "delivery/tally.h"
#include "store/store.h"

namespace herald {

/// Chooses what runs now. One lane a webhook: a bounded queue in memory with rules of its own; what
/// does not fit waits in the store and is claimed when there is room. Lanes take turns, so a slow
/// or failing webhook delays no other. A lane that has to wait stands aside until its time comes.
/// Lives on the loop thread.
class Dispatcher {
public:
    Dispatcher(boost::asio::any_io_executor executor, Store& store, Worker& writer,
               Catalog& catalog, Committer& committer, Gatherer& gatherer, Sender& sender,
               const Clock& clock, Metrics& metrics);
    ~Dispatcher();

    /// Reads how the webhooks did when the last process ended. Before start().
    boost::asio::awaitable<Result<>> load();
    /// Begins to claim and send, as tasks of the group.
    void start(TaskGroup& tasks);
    /// Takes nothing new, waits up to `grace` for requests in hand, releases the rest.
    boost::asio::awaitable<void> drain(std::chrono::steady_clock::duration grace);

    /// Ends when ingest may go on: at once, unless receivers that keep up are owed too much. Slow
    /// and failing ones do not count: theirs waits in the store.
    boost::asio::awaitable<void> wait_for_room();
    [[nodiscard]] bool owes_too_much() const { return debt_ >= limits::ingest_debt && !draining_; }
    /// Room for one more delivery of this webhook? True reserves it: offer() or unreserve() must
    /// follow. False: the delivery is to be born unleased.
    [[nodiscard]] bool reserve(WebhookId webhook);
    void unreserve(WebhookId webhook);
    /// Takes a delivery born leased under a reservation.
    void offer(Held held);
    /// Cancels what is pending; what waits in a lane is not sent then, and a request on its way is
    /// not called back. False: the delivery is final already, or unknown.
    boost::asio::awaitable<Result<bool>> cancel(DeliveryId id);
    /// A delivery that reserve() had no room for is in the store now.
    void overflowed(WebhookId webhook);
    /// A person has created, changed or removed a webhook: what held it up is over.
    void changed(const Webhook& webhook);
    /// Forgets what was cancelled by other hands: where it waits in a lane, it is not sent.
    void drop(DeliveryId id);
    /// Something in the store became due by other hands than ours (overflow, redelivery).
    void look();

    using HealthListener =
        std::function<void(const Webhook&, const Health& before, const Health& after)>;
    /// What to call when the state of a webhook's health has changed. Called on the loop thread
    /// before the outcome that changed it is on disk; must not block.
    void on_health(HealthListener listener) { health_listener_ = std::move(listener); }
    using ExhaustedListener =
        std::function<void(const Webhook&, DeliveryId, const Event&, const Attempt& last)>;
    /// What to call when a delivery has failed for good. As on_health().
    void on_exhausted(ExhaustedListener listener) { exhausted_listener_ = std::move(listener); }
    [[nodiscard]] Health health(WebhookId webhook) const;

    /// Whether this delivery's request is on its way now.
    [[nodiscard]] bool in_flight(DeliveryId id) const { return flying_.contains(id); }
    [[nodiscard]] std::size_t open() const { return open_; }
    [[nodiscard]] std::size_t flying() const { return flying_.size(); }

private:
    Lane& lane(WebhookId webhook);
    void look_at(Time due_at);
    void pump();
    void begin(Lane& lane);
    bool put_off(Lane& lane);
    void release_all(Lane& lane, const std::vector<Held>& released);
    boost::asio::awaitable<void> run_waits();
    void wake_lanes();
    void owe(Lane& lane, std::ptrdiff_t more);
    void set_brisk(Lane& lane, bool brisk);
    void doubt_lanes();
    boost::asio::awaitable<void> run_delivery(Lane& lane, Held held);
    boost::asio::awaitable<void> settle(Lane& lane, const Held& held, Settlement settlement);
    Settlement conclude(Lane& lane, const Webhook& webhook, const Held& held, Attempt attempt);
    void finish(Lane& lane, const Held& held);
    void take(std::vector<Claimed>& claimed);
    boost::asio::awaitable<void> run_claims();
    boost::asio::awaitable<std::optional<Time>> claim_round();
    std::size_t claim_room(Lane& lane, std::size_t left);
    Duration judge(Lane& lane, const Webhook& webhook, const Attempt& attempt);
    void tell_health(const Webhook& webhook, Lane& lane, const Health& before);
    void note_pace(Lane& lane, const Attempt& attempt);

    const boost::asio::any_io_executor executor_;
    Store& store_;
    Worker& writer_;
    Catalog& catalog_;
    Committer& committer_;
    Gatherer& gatherer_;
    Sender& sender_;
    const Clock& clock_;
    Tally tally_;
    HealthBook health_book_;
    Courtesy courtesy_;
    Gauge& in_flight_gauge_;
    HealthListener health_listener_;
    ExhaustedListener exhausted_listener_;
    TaskGroup* tasks_ = nullptr;
    Signal claims_;
    Signal idle_;
    Signal waits_;
    std::map<WebhookId, std::unique_ptr<Lane>> lanes_;
    std::deque<Lane*> ready_;  ///< lanes with something to send, in turn
    /// Lanes that may send again at a time: out of the ring until then.
    std::set<std::pair<Lane::Moment, Lane*>> waiting_;
    std::unordered_set<DeliveryId> held_;
    std::unordered_set<DeliveryId> flying_;
    boost::asio::steady_timer room_;  ///< cancelled to wake ingest; ends to doubt the lanes
    std::optional<Time> wake_at_;
    std::size_t open_ = 0;  ///< held or reserved, over all lanes
    std::size_t debt_ = 0;  ///< the fresh ones of brisk lanes
    bool in_debt_ = false;  ///< somebody may wait for room
    std::mt19937_64 random_;
    bool draining_ = false;
};

}  // namespace herald
