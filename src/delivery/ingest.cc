#include "delivery/ingest.h"

#include <utility>

namespace herald {

Ingest::Ingest(Catalog& catalog, Committer& committer, Dispatcher& dispatcher, Metrics& metrics)
    : catalog_(catalog),
      committer_(committer),
      dispatcher_(dispatcher),
      received_(metrics.counter("herald_events_received_total", "Events brought in and stored.")),
      duplicates_(
          metrics.counter("herald_events_duplicate_total", "Events whose id was stored before.")) {}

boost::asio::awaitable<Result<std::vector<Submitted>>> Ingest::submit(
    std::vector<std::shared_ptr<const Event>> events) {
    co_await dispatcher_.wait_for_room();
    std::vector<NewEvent> batch(events.size());
    std::vector<WebhookId> wanting;
    for (std::size_t i = 0; i < events.size(); ++i) {
        catalog_.match(*events[i], wanting);
        batch[i].event = std::move(events[i]);
        for (const WebhookId webhook : wanting) {
            batch[i].deliveries.push_back({webhook, Cause::event, dispatcher_.reserve(webhook)});
        }
    }
    co_return co_await commit(std::move(batch));
}

boost::asio::awaitable<Result<Submitted>> Ingest::submit_to(std::shared_ptr<const Event> event,
                                                            WebhookId webhook) {
    std::vector<NewEvent> batch(1);
    batch[0].event = std::move(event);
    batch[0].deliveries.push_back({webhook, Cause::test, dispatcher_.reserve(webhook)});
    auto submitted = co_await commit(std::move(batch));
    if (!submitted) co_return fail(submitted.error());
    co_return std::move(submitted->front());
}

boost::asio::awaitable<Result<std::vector<Submitted>>> Ingest::commit(
    std::vector<NewEvent> events) {
    auto stored = co_await committer_.append(events);
    if (!stored) {
        for (const NewEvent& event : events) give_back(event);
        co_return fail(stored.error());
    }
    std::vector<Submitted> submitted;
    submitted.reserve(events.size());
    for (std::size_t i = 0; i < events.size(); ++i) {
        StoredEvent& one = (*stored)[i];
        if (one.duplicate) {
            duplicates_.add();
            give_back(events[i]);
        } else {
            received_.add();
            hand_over(events[i], one.deliveries);
        }
        submitted.push_back({one.duplicate, one.seq, std::move(one.deliveries)});
    }
    co_return submitted;
}

void Ingest::give_back(const NewEvent& event) {
    for (const NewDelivery& delivery : event.deliveries) {
        if (delivery.leased) dispatcher_.unreserve(delivery.webhook);
    }
}

void Ingest::hand_over(const NewEvent& event, const std::vector<DeliveryId>& ids) {
    bool spilled = false;
    for (std::size_t i = 0; i < ids.size(); ++i) {
        const NewDelivery& delivery = event.deliveries[i];
        if (delivery.leased) {
            dispatcher_.offer({ids[i], delivery.webhook, 0, event.event, true});
        } else {
            spilled = true;
        }
    }
    if (spilled) dispatcher_.look();
}

}  // namespace herald
