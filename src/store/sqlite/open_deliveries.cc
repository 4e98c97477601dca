#include "store/sqlite/open_deliveries.h"

#include <algorithm>
#include <functional>
#include <iterator>

#include "core/limits.h"

namespace herald::sqlite {

namespace {

constexpr std::size_t void_turns_kept = 1'024;

constexpr auto newest_on_top = [](const auto& one, const auto& other) {
    return one.seq < other.seq;
};

}  // namespace

void OpenDeliveries::put(std::uint64_t seq, const OpenDelivery& delivery) {
    Lane& lane = lanes_[delivery.webhook];
    const auto [at, is_new] = open_.insert_or_assign(seq, delivery);
    if (is_new) ++lane.pending;
    if (lane.order.ordering != Ordering::none) {
        // Out of the line first: the one behind gets its turn.
        if (delivery.attempts >= lane.order.set_aside_after) {
            leave_line(lane, place(lane, seq, delivery));
        }
        if (!has_turn(lane, seq, delivery)) return;
    }
    push(lane, {delivery.next, seq});
    if (lane.turns.size() > 2 * lane.pending + void_turns_kept) compact(lane);
}

void OpenDeliveries::compact(Lane& lane) const {
    std::erase_if(lane.turns, [this](const Turn& turn) { return !holds(turn); });
    std::ranges::sort(lane.turns);
    // A delivery that was changed back to a former time is there twice.
    lane.turns.erase(std::ranges::unique(lane.turns).begin(), lane.turns.end());
    std::ranges::make_heap(lane.turns, std::greater{});
}

void OpenDeliveries::erase(std::uint64_t seq) {
    const auto found = open_.find(seq);
    if (found == open_.end()) return;
    const auto lane = lanes_.find(found->second.webhook);
    leave_line(lane->second, place(lane->second, seq, found->second));
    open_.erase(found);
    if (--lane->second.pending == 0) lanes_.erase(lane);
}

const OpenDelivery* OpenDeliveries::find(std::uint64_t seq) const {
    const auto found = open_.find(seq);
    return found == open_.end() ? nullptr : &found->second;
}

std::vector<DueWebhook> OpenDeliveries::due() {
    std::vector<DueWebhook> webhooks;
    for (auto& [webhook, lane] : lanes_) {
        drop_void(lane);
        Time first = lane.turns.empty() ? Time::max() : lane.turns.front().next;
        if (!lane.ripe.empty()) first = std::min(first, lane.ripe.front().next);
        webhooks.push_back({webhook, first, lane.pending});
    }
    return webhooks;
}

void OpenDeliveries::arrange(WebhookId webhook, const LaneOrder& order, const ReadKey& read_key) {
    const auto at = lanes_.find(webhook);
    if (at == lanes_.end() || at->second.order == order) return;
    Lane& lane = at->second;
    const std::vector<std::uint64_t> all = all_of(lane);
    if (order.ordering == Ordering::node) {
        for (const std::uint64_t seq : all) {
            OpenDelivery& delivery = open_.at(seq);
            if (delivery.key == 0) delivery.key = read_key(delivery.event);
        }
    }
    lane.order = order;
    lane.turns.clear();
    lane.ripe.clear();
    lane.line.clear();
    for (const std::uint64_t seq : all) {
        const OpenDelivery& delivery = open_.at(seq);
        if (has_turn(lane, seq, delivery)) lane.turns.push_back({delivery.next, seq});
    }
    std::ranges::make_heap(lane.turns, std::greater{});
}

/// Every pending one, in sequence.
std::vector<std::uint64_t> OpenDeliveries::all_of(const Lane& lane) const {
    std::vector<std::uint64_t> all;
    for (const std::vector<Turn>* turns : {&lane.turns, &lane.ripe}) {
        for (const Turn& turn : *turns) {
            if (holds(turn)) all.push_back(turn.seq);
        }
    }
    for (const Place& one : lane.line) all.push_back(one.seq);
    std::ranges::sort(all);
    all.erase(std::ranges::unique(all).begin(), all.end());
    return all;
}

std::vector<std::uint64_t> OpenDeliveries::due(WebhookId webhook, Time now, std::size_t room) {
    std::vector<std::uint64_t> found;
    const auto at = lanes_.find(webhook);
    if (at == lanes_.end()) return found;
    Lane& lane = at->second;
    const LaneOrder& order = lane.order;
    if (order.ordering == Ordering::none && order.backlog == Backlog::newest) {
        take_newest(lane, now, room, found);
    } else {
        take_oldest(lane, now, room, found);
    }
    return found;
}

void OpenDeliveries::take_oldest(Lane& lane, Time now, std::size_t room,
                                 std::vector<std::uint64_t>& found) {
    std::vector<Turn> taken;
    for (drop_void(lane); found.size() < room && !lane.turns.empty(); drop_void(lane)) {
        const Turn turn = lane.turns.front();
        if (turn.next > now) break;
        pop(lane);
        taken.push_back(turn);
        if (std::ranges::find(found, turn.seq) != found.end()) continue;
        found.push_back(turn.seq);
        add_run(lane, turn.seq, now, room, found);
    }
    for (const Turn& turn : taken) push(lane, turn);
}

/// With the first of a key go those behind it, as far as they are due.
void OpenDeliveries::add_run(const Lane& lane, std::uint64_t seq, Time now, std::size_t room,
                             std::vector<std::uint64_t>& found) const {
    const auto first = lane.line.find(place(lane, seq, open_.at(seq)));
    if (first == lane.line.end()) return;
    std::size_t run = 1;
    for (auto next = std::next(first); next != lane.line.end() && next->key == first->key; ++next) {
        if (found.size() == room || run++ == limits::ordered_run) return;
        if (open_.at(next->seq).next > now) return;
        found.push_back(next->seq);
    }
}

void OpenDeliveries::take_newest(Lane& lane, Time now, std::size_t room,
                                 std::vector<std::uint64_t>& found) {
    ripen(lane, now);
    std::vector<Turn> taken;
    while (found.size() < room && !lane.ripe.empty()) {
        std::ranges::pop_heap(lane.ripe, newest_on_top);
        const Turn turn = lane.ripe.back();
        lane.ripe.pop_back();
        if (!holds(turn)) continue;
        taken.push_back(turn);
        // The clock was set back: not due any more.
        if (turn.next > now) continue;
        if (std::ranges::find(found, turn.seq) == found.end()) found.push_back(turn.seq);
    }
    for (const Turn& turn : taken) push(lane, turn);
}

void OpenDeliveries::ripen(Lane& lane, Time now) {
    while (!lane.turns.empty() && lane.turns.front().next <= now) {
        lane.ripe.push_back(lane.turns.front());
        std::ranges::push_heap(lane.ripe, newest_on_top);
        pop(lane);
    }
}

std::vector<std::uint64_t> OpenDeliveries::idle(WebhookId webhook, Time now, std::size_t limit) {
    std::vector<std::uint64_t> found;
    const auto at = lanes_.find(webhook);
    if (at == lanes_.end()) return found;
    const Lane& lane = at->second;
    const auto consider = [&](std::uint64_t seq) {
        const OpenDelivery& delivery = open_.at(seq);
        if (!delivery.leased || delivery.next <= now) found.push_back(seq);
    };
    for (const std::vector<Turn>* turns : {&lane.turns, &lane.ripe}) {
        for (const Turn& turn : *turns) {
            if (found.size() == limit) break;
            if (!holds(turn)) continue;
            if (!lane.line.contains(place(lane, turn.seq, open_.at(turn.seq)))) consider(turn.seq);
        }
    }
    for (const Place& one : lane.line) {
        if (found.size() == limit) break;
        consider(one.seq);
    }
    std::ranges::sort(found);
    found.erase(std::ranges::unique(found).begin(), found.end());
    return found;
}

bool OpenDeliveries::any_in(std::uint64_t first, std::uint64_t last, std::uint64_t first_event,
                            std::uint64_t last_event) const {
    return std::ranges::any_of(open_, [&](const auto& entry) {
        const auto event = static_cast<std::uint64_t>(entry.second.event);
        return (first <= entry.first && entry.first <= last) ||
               (first_event <= event && event <= last_event);
    });
}

bool OpenDeliveries::holds(const Turn& turn) const {
    const auto found = open_.find(turn.seq);
    return found != open_.end() && found->second.next == turn.next;
}

void OpenDeliveries::drop_void(Lane& lane) const {
    while (!lane.turns.empty() && !holds(lane.turns.front())) pop(lane);
    while (!lane.ripe.empty() && !holds(lane.ripe.front())) {
        std::ranges::pop_heap(lane.ripe, newest_on_top);
        lane.ripe.pop_back();
    }
}

void OpenDeliveries::push(Lane& lane, Turn turn) {
    lane.turns.push_back(turn);
    std::ranges::push_heap(lane.turns, std::greater{});
}

void OpenDeliveries::pop(Lane& lane) {
    std::ranges::pop_heap(lane.turns, std::greater{});
    lane.turns.pop_back();
}

bool OpenDeliveries::is_first(const Line& line, Line::const_iterator at) {
    return at == line.begin() || std::prev(at)->key != at->key;
}

OpenDeliveries::Place OpenDeliveries::place(const Lane& lane, std::uint64_t seq,
                                            const OpenDelivery& delivery) {
    // One key for all where all of the webhook are in order.
    return {lane.order.ordering == Ordering::node ? delivery.key : 0, seq};
}

/// Whether it is not held up by another; puts it into the line.
bool OpenDeliveries::has_turn(Lane& lane, std::uint64_t seq, const OpenDelivery& delivery) {
    if (lane.order.ordering == Ordering::none) return true;
    if (delivery.attempts >= lane.order.set_aside_after) return true;
    return is_first(lane.line, lane.line.insert(place(lane, seq, delivery)).first);
}

/// Takes it out of the line, if it stands there; the one behind it gets its turn.
void OpenDeliveries::leave_line(Lane& lane, const Place& left) const {
    const auto at = lane.line.find(left);
    if (at == lane.line.end()) return;
    const bool first = is_first(lane.line, at);
    const auto next = lane.line.erase(at);
    if (!first || next == lane.line.end() || next->key != left.key) return;
    push(lane, {open_.at(next->seq).next, next->seq});
}

}  // namespace herald::sqlite
