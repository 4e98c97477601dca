#include "store/sqlite/open_deliveries.h"

#include <algorithm>
#include <functional>

namespace herald::sqlite {

namespace {

constexpr std::size_t void_turns_kept = 1'024;

}  // namespace

void OpenDeliveries::put(std::uint64_t seq, const OpenDelivery& delivery) {
    Lane& lane = lanes_[delivery.webhook];
    const auto [at, is_new] = open_.insert_or_assign(seq, delivery);
    if (is_new) ++lane.pending;
    push(lane, {delivery.next, seq});
    if (lane.turns.size() <= 2 * lane.pending + void_turns_kept) return;
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
        webhooks.push_back({webhook, lane.turns.front().next, lane.pending});
    }
    return webhooks;
}

std::vector<std::uint64_t> OpenDeliveries::due(WebhookId webhook, Time now, std::size_t room) {
    std::vector<std::uint64_t> found;
    const auto at = lanes_.find(webhook);
    if (at == lanes_.end()) return found;
    Lane& lane = at->second;
    std::vector<Turn> taken;
    for (drop_void(lane); found.size() < room && !lane.turns.empty(); drop_void(lane)) {
        const Turn turn = lane.turns.front();
        if (turn.next > now) break;
        pop(lane);
        if (std::ranges::find(found, turn.seq) == found.end()) found.push_back(turn.seq);
        taken.push_back(turn);
    }
    for (const Turn& turn : taken) push(lane, turn);
    return found;
}

std::vector<std::uint64_t> OpenDeliveries::idle(WebhookId webhook, Time now, std::size_t limit) {
    std::vector<std::uint64_t> found;
    const auto at = lanes_.find(webhook);
    if (at == lanes_.end()) return found;
    for (const Turn& turn : at->second.turns) {
        if (found.size() == limit) break;
        if (!holds(turn)) continue;
        const OpenDelivery& delivery = open_.at(turn.seq);
        if (!delivery.leased || delivery.next <= now) found.push_back(turn.seq);
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
}

void OpenDeliveries::push(Lane& lane, Turn turn) {
    lane.turns.push_back(turn);
    std::ranges::push_heap(lane.turns, std::greater{});
}

void OpenDeliveries::pop(Lane& lane) {
    std::ranges::pop_heap(lane.turns, std::greater{});
    lane.turns.pop_back();
}

}  // namespace herald::sqlite
