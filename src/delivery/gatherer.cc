#include "delivery/gatherer.h"

#include <algorithm>

#include "base/log.h"
#include "core/limits.h"
#include "delivery/dispatcher.h"

namespace herald {

namespace {

/// When the store failed.
constexpr auto try_again = std::chrono::milliseconds{500};
/// So many keys make room together, so that the store is not asked for every event.
constexpr std::size_t early_at_once = 64;

/// What the events of all have in common, or `otherwise`.
template <class T>
T common(const std::vector<Held>& members, T Event::* part, T otherwise) {
    const T& first = (*members.front().event).*part;
    const bool same = std::ranges::all_of(
        members, [&](const Held& held) { return (*held.event).*part == first; });
    return same ? first : std::move(otherwise);
}

std::size_t left(std::size_t bound, std::size_t used) { return bound - std::min(bound, used); }

Settlement settlement_of(const Held& held, DeliveryState state, Time now) {
    Settlement settlement;
    settlement.delivery = held.id;
    settlement.state = state;
    settlement.due_at = now;
    return settlement;
}

}  // namespace

/// Deliveries of one webhook and key that go together.
struct Gatherer::Group {
    Place place;
    Gathering rules;
    Gathered gathered;
    std::vector<Held> members;
    bool open = true;  ///< stands in open_
    bool sending = false;  ///< stands no more in turns_
    Turns::iterator turn;

    [[nodiscard]] WebhookId webhook() const { return place.second; }
};

Gatherer::Gatherer(boost::asio::any_io_executor executor, Catalog& catalog, Committer& committer,
                   const Clock& clock, Metrics& metrics, MakeEvent make_event)
    : catalog_(catalog),
      committer_(committer),
      clock_(clock),
      metrics_(metrics),
      make_event_(std::move(make_event)),
      waiting_(metrics.gauge("herald_deliveries_gathering",
                             "Deliveries that wait in memory until their key is quiet.")),
      work_(executor) {}

Gatherer::~Gatherer() = default;

void Gatherer::start(TaskGroup& tasks, Dispatcher& dispatcher) {
    tasks_ = &tasks;
    dispatcher_ = &dispatcher;
    for (const auto& webhook : catalog_.all()) look(*webhook);
    tasks.start(run());
}

void Gatherer::look(const Webhook& webhook) {
    if (webhook.gathering.on() && !webhook.removed) {
        gathering_.insert(webhook.id);
    } else {
        gathering_.erase(webhook.id);
    }
    if (!count_of_.contains(webhook.id)) return;
    std::vector<Group*> changed;
    for (const auto& [due, group] : turns_) {
        const bool same = webhook.active && group->rules == webhook.gathering;
        if (group->webhook() == webhook.id && !same) changed.push_back(group.get());
    }
    for (Group* group : changed) {
        close(*group);
        schedule(*group, clock_.steady());
    }
    work_.wake();
}

bool Gatherer::wants(const Held& held) const {
    return gathering_.contains(held.webhook) && held.cause == Cause::event && held.attempts == 0 &&
           held.event->type != gathered_type;
}

std::size_t Gatherer::room(WebhookId webhook) const {
    if (!gathering_.contains(webhook)) return limits::gathered_events;
    if (bytes_ >= limits::gathered_memory) return 0;
    const auto found = count_of_.find(webhook);
    const std::size_t mine = found == count_of_.end() ? 0 : found->second;
    return std::min(left(limits::gathered_of_webhook, mine),
                    left(limits::gathered_events, group_of_.size()));
}

void Gatherer::add(Held held, Duration age) {
    const Gathering rules = catalog_.find(held.webhook)->gathering;
    const WebhookId webhook = held.webhook;
    const Steady now = clock_.steady();
    Group& group = group_for(held, rules, began(rules, age, now));
    group.gathered.last = now;
    ++group.gathered.events;
    group.gathered.bytes += held.event->body.size();
    bytes_ += held.event->body.size();
    ++count_of_[webhook];
    group_of_[held.id] = &group;
    group.members.push_back(std::move(held));
    waiting_.set(static_cast<std::int64_t>(group_of_.size()));
    if (is_full(rules, group.gathered, 0)) close(group);
    schedule(group, group.open ? due_at(rules, group.gathered) : now);
    if (room(webhook) == 0) hurry(webhook);
}

/// Too much at once: those that would be due next go early.
void Gatherer::hurry(WebhookId webhook) {
    const bool mine = count_of_[webhook] >= limits::gathered_of_webhook;
    std::vector<Group*> next;
    for (const auto& [due, group] : turns_) {
        if (group->open && (!mine || group->webhook() == webhook)) next.push_back(group.get());
        if (next.size() == early_at_once) break;
    }
    for (Group* group : next) {
        close(*group);
        schedule(*group, clock_.steady());
    }
}

/// The group that takes this one. One that is too full for it is sent, and a new one begins.
Gatherer::Group& Gatherer::group_for(const Held& held, const Gathering& rules, Steady began_at) {
    Place place{gather_key(rules.by(), *held.event), held.webhook};
    if (const auto found = open_.find(place); found != open_.end()) {
        Group& group = *found->second;
        if (!is_full(rules, group.gathered, held.event->body.size())) return group;
        close(group);
        schedule(group, clock_.steady());
    }
    auto group = std::make_shared<Group>();
    group->place = place;
    group->rules = rules;
    group->gathered.first = began_at;
    group->turn = turns_.emplace(Steady::max(), group);
    if (rules.mode == GatherMode::settle) ++settling_;
    return *(open_[std::move(place)] = group.get());
}

void Gatherer::schedule(Group& group, Steady due) {
    auto turn = turns_.extract(group.turn);
    turn.key() = due;
    group.turn = turns_.insert(std::move(turn));
    if (due < wakes_at_) work_.wake();
}

/// It takes no more events; the next of its key begins a new group.
void Gatherer::close(Group& group) {
    if (!group.open) return;
    group.open = false;
    open_.erase(group.place);
    if (group.rules.mode == GatherMode::settle) --settling_;
}

/// Its deliveries are in other hands now.
void Gatherer::drop(Group& group) {
    for (const Held& held : group.members) {
        group_of_.erase(held.id);
        bytes_ -= held.event->body.size();
    }
    const auto count = count_of_.find(group.webhook());
    count->second -= group.members.size();
    if (count->second == 0) count_of_.erase(count);
    waiting_.set(static_cast<std::int64_t>(group_of_.size()));
}

void Gatherer::forget(DeliveryId id) {
    const auto found = group_of_.find(id);
    if (found == group_of_.end()) return;
    Group& group = *found->second;
    if (group.sending) return;
    const auto at = std::ranges::find(group.members, id, &Held::id);
    const std::size_t bytes = at->event->body.size();
    --group.gathered.events;
    group.gathered.bytes -= bytes;
    bytes_ -= bytes;
    group.members.erase(at);
    group_of_.erase(found);
    if (--count_of_[group.webhook()] == 0) count_of_.erase(group.webhook());
    waiting_.set(static_cast<std::int64_t>(group_of_.size()));
    if (!group.members.empty()) return;
    close(group);
    turns_.erase(group.turn);
}

void Gatherer::note(const Event& event) {
    if (settling_ == 0) return;
    const std::string key = root_key(root_of(event));
    for (auto at = open_.lower_bound({key, WebhookId{}});
         at != open_.end() && at->first.first == key; ++at) {
        Group& group = *at->second;
        if (group.rules.mode != GatherMode::settle) continue;
        group.gathered.last = clock_.steady();
        schedule(group, due_at(group.rules, group.gathered));
    }
}

boost::asio::awaitable<void> Gatherer::run() {
    for (;;) {
        const auto state = co_await boost::asio::this_coro::cancellation_state;
        if (state.cancelled() != boost::asio::cancellation_type::none) co_return;
        wakes_at_ = turns_.empty() ? Steady::max() : turns_.begin()->first;
        if (wakes_at_ > clock_.steady()) {
            co_await work_.wait_until(wakes_at_);
            continue;
        }
        send(turns_.begin()->second);
    }
}

/// Its time has come.
void Gatherer::send(const std::shared_ptr<Group>& due) {
    const std::shared_ptr<Group> group = due;
    if (give_back(*group)) return;
    close(*group);
    turns_.erase(group->turn);
    group->sending = true;
    tasks_->start(flush(group));
}

/// What must not be sent as it is: a removed webhook's is cancelled; a paused one's, and what was
/// gathered by rules of yesterday, waits in the store and is claimed in its time.
bool Gatherer::give_back(Group& group) {
    const auto webhook = catalog_.find(group.webhook());
    const bool removed = !webhook || webhook->removed;
    if (!removed && webhook->active && webhook->gathering == group.rules) return false;
    const auto state = removed ? DeliveryState::cancelled : DeliveryState::pending;
    for (const Held& held : group.members) {
        committer_.settle(settlement_of(held, state, clock_.now()));
    }
    close(group);
    drop(group);
    turns_.erase(group.turn);
    return true;
}

/// One delivery for all of the group, which are merged into it by one commit.
boost::asio::awaitable<void> Gatherer::flush(std::shared_ptr<Group> group) {
    const WebhookId webhook = group->webhook();
    std::ranges::sort(group->members, {}, [](const Held& held) { return held.id.seq; });
    const bool leased = dispatcher_->reserve(webhook);
    Held result{{}, webhook, 0, Cause::event, group->members.back().event, true};
    Merge merge;
    if (group->rules.send == GatherSend::list) {
        result.event = std::make_shared<const Event>(bundle(*group));
        merge.event.emplace();
        merge.event->event = result.event;
        merge.event->deliveries.push_back({webhook, Cause::event, leased});
    } else {
        merge.redelivery = Redelivery{group->members.back().id, Cause::event, leased};
    }
    for (const Held& held : group->members) {
        merge.members.push_back(settlement_of(held, DeliveryState::merged, clock_.now()));
    }
    auto merged = co_await committer_.merge(std::move(merge));
    if (!merged) {
        if (leased) dispatcher_->unreserve(webhook);
        log::warn("gathering.commit_failed", {{"error", merged.error().message}});
        group->sending = false;
        group->turn = turns_.emplace(Steady::max(), group);
        schedule(*group, clock_.steady() + try_again);
        co_return;
    }
    count(*group);
    drop(*group);
    result.id = *merged;
    if (leased) {
        dispatcher_->offer(std::move(result));
    } else {
        dispatcher_->overflowed(webhook);
    }
    dispatcher_->look();  // there is room here again
}

void Gatherer::count(const Group& group) {
    const auto webhook = catalog_.find(group.webhook());
    const std::string labels = Metrics::label("webhook", webhook ? webhook->name : "") + "," +
                               Metrics::label("outcome", "merged");
    metrics_.counter("herald_deliveries_total", "Deliveries by how they ended.", labels)
        .add(group.members.size());
}

/// The event that lists those of the group. Of the parts of an event it has what all have.
Event Gatherer::bundle(const Group& group) const {
    std::vector<const Event*> events;
    for (const Held& held : group.members) events.push_back(held.event.get());
    OwnEvent own;
    own.type = gathered_type;
    own.data = gathered_data(group.rules, events);
    own.at = clock_.now();
    own.branch = common(group.members, &Event::branch, own.branch);
    own.account_id = common(group.members, &Event::account_id, own.account_id);
    own.node = common(group.members, &Event::node, own.node);
    own.origin = common(group.members, &Event::origin, own.origin);
    return make_event_(std::move(own));
}

}  // namespace herald
