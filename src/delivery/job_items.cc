#include "delivery/job_items.h"

#include <algorithm>
#include <utility>

namespace herald {

namespace {

/// What a webhook got of an event so far, the newest first.
Result<std::vector<Delivery>> deliveries_to(StoreReader& reader, EventId event, WebhookId webhook) {
    DeliveryQuery query;
    query.event = event;
    query.webhooks = {webhook};
    query.limit = limits::page_max;
    auto page = reader.deliveries(query);
    if (!page) return fail(page.error());
    return std::move(page->items);
}

/// What was merged into another delivery arrives, or fails and is repeated, with that one.
bool arrived_or_on_its_way(const Delivery& delivery) {
    return delivery.state == DeliveryState::delivered || delivery.state == DeliveryState::pending ||
           delivery.state == DeliveryState::merged;
}

JobItem item_of(const Delivery& delivery) {
    JobItem item;
    item.place = delivery.id.seq;
    item.webhook = delivery.webhook;
    item.event = delivery.event_seq;
    item.event_id = delivery.event;
    item.event_type = delivery.event_type;
    item.delivery = delivery.id;
    return item;
}

/// Of several deliveries of one event to one webhook only the newest is repeated, so that a job
/// that is run twice does not send everything twice.
Result<JobItems> read_deliveries(StoreReader& reader, const Job& job, std::size_t limit) {
    const auto page = reader.deliveries(next_deliveries(job, limit));
    if (!page) return fail(page.error());
    JobItems found;
    found.more = page->more;
    for (const Delivery& delivery : page->items) {
        JobItem item = item_of(delivery);
        found.last = item.place;
        if (job.kind == JobKind::redeliver) {
            const auto all = deliveries_to(reader, delivery.event, delivery.webhook);
            if (!all) return fail(all.error());
            item.skipped = all->empty() || all->front().id != delivery.id;
        }
        found.items.push_back(std::move(item));
    }
    return found;
}

Result<JobItem> item_of(StoreReader& reader, const Job& job, const LoggedEvent& logged) {
    JobItem item;
    item.place = static_cast<std::uint64_t>(logged.seq);
    item.webhook = job.scope.webhooks.at(0);
    item.event = logged.seq;
    item.event_id = logged.event.id;
    item.event_type = logged.event.type;
    item.cause = Cause::replay;
    if (job.kind == JobKind::replay) return item;
    const auto all = deliveries_to(reader, item.event_id, item.webhook);
    if (!all) return fail(all.error());
    item.skipped = std::ranges::any_of(*all, arrived_or_on_its_way);
    if (all->empty()) return item;
    item.delivery = all->front().id;
    item.cause = Cause::retry;
    return item;
}

Result<JobItems> read_events(StoreReader& reader, const Job& job, const WantsEvent& wants,
                             std::size_t limit) {
    EventQuery query = next_events(job, limit);
    query.whole = !job.scope.all;  // conditions look at bodies
    const auto page = reader.events(query);
    if (!page) return fail(page.error());
    JobItems found;
    found.more = page->more;
    for (const LoggedEvent& logged : page->items) {
        found.last = static_cast<std::uint64_t>(logged.seq);
        if (!job.scope.all && !wants(logged.event)) continue;
        auto item = item_of(reader, job, logged);
        if (!item) return fail(item.error());
        found.items.push_back(std::move(*item));
    }
    return found;
}

}  // namespace

Result<JobItems> read_job_items(StoreReader& reader, const Job& job, const WantsEvent& wants,
                                std::size_t limit) {
    return walks_events(job) ? read_events(reader, job, wants, limit)
                             : read_deliveries(reader, job, limit);
}

}  // namespace herald
