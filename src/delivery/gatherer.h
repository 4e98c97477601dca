#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "async/clock.h"
#include "async/signal.h"
#include "async/task_group.h"
#include "base/metrics.h"
#include "core/gathering.h"
#include "core/own_event.h"
#include "delivery/catalog.h"
#include "delivery/committer.h"
#include "delivery/held.h"

namespace herald {

class Dispatcher;

/// Holds the deliveries of webhooks that gather (docs/gathering.md) until their key is quiet.
/// Then one commit creates one delivery, of a new event that lists them all or of the last one, and
/// settles those here as merged. Every delivery here
/// is pending in the store, so a crash loses nothing: the next process claims and gathers them
/// anew. Waits by the steady clock. Lives on the loop thread.
class Gatherer {
public:
    Gatherer(boost::asio::any_io_executor executor, Catalog& catalog, Committer& committer,
             const Clock& clock, Metrics& metrics, MakeEvent make_event);
    ~Gatherer();

    /// Begins to send what is quiet through `dispatcher`, as tasks of the group. The catalog is
    /// loaded.
    void start(TaskGroup& tasks, Dispatcher& dispatcher);
    /// The webhook was created, changed or removed. What was gathered by other rules than it has
    /// now, or must not be sent now, goes back to the store.
    void look(const Webhook& webhook);

    /// Whether this delivery is to wait here: its webhook gathers, and it is the first way of an
    /// event to it. A repeat, a test and what was gathered already are not.
    [[nodiscard]] bool wants(const Held& held) const;
    /// Takes what it wants. `age`: how long ago the event came.
    void add(Held held, Duration age);
    /// How many more of this webhook it takes now. Only a bound for a webhook that gathers.
    [[nodiscard]] std::size_t room(WebhookId webhook) const;
    [[nodiscard]] bool holds(DeliveryId id) const { return group_of_.contains(id); }
    /// The delivery was cancelled: it is not sent, unless that is under way.
    void forget(DeliveryId id);
    /// An event was stored: the tree that it belongs to is not quiet, whoever wants it.
    void note(const Event& event);

    [[nodiscard]] std::size_t size() const { return group_of_.size(); }

private:
    struct Group;
    using Steady = Gathered::Steady;
    using Turns = std::multimap<Steady, std::shared_ptr<Group>>;
    /// Key first, so that all webhooks that wait for one root are neighbours.
    using Place = std::pair<std::string, WebhookId>;

    Group& group_for(const Held& held, const Gathering& rules, Steady began_at);
    void schedule(Group& group, Steady due);
    void close(Group& group);
    void hurry(WebhookId webhook);
    void drop(Group& group);
    boost::asio::awaitable<void> run();
    void send(const std::shared_ptr<Group>& group);
    bool give_back(Group& group);
    boost::asio::awaitable<void> flush(std::shared_ptr<Group> group);
    void count(const Group& group);
    [[nodiscard]] Event bundle(const Group& group) const;

    Catalog& catalog_;
    Committer& committer_;
    const Clock& clock_;
    Metrics& metrics_;
    MakeEvent make_event_;
    Gauge& waiting_;
    Dispatcher* dispatcher_ = nullptr;
    TaskGroup* tasks_ = nullptr;
    Signal work_;
    Steady wakes_at_ = Steady::max();
    std::unordered_set<WebhookId> gathering_;  ///< webhooks that gather
    std::map<Place, Group*> open_;  ///< groups that take more events
    Turns turns_;  ///< all groups but those being sent, by when they are due
    std::unordered_map<DeliveryId, Group*> group_of_;
    std::unordered_map<WebhookId, std::size_t> count_of_;
    std::size_t bytes_ = 0;  ///< of the bodies
    std::size_t settling_ = 0;  ///< open groups of mode settle
};

}  // namespace herald
