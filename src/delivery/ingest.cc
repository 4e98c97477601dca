#include "delivery/ingest.h"

#include <utility>

#include "core/event_types.h"

namespace herald {

Ingest::Ingest(Catalog& catalog, Committer& committer, Gatherer& gatherer, Dispatcher& dispatcher,
               Metrics& metrics)
    : catalog_(catalog),
      committer_(committer),
      gatherer_(gatherer),
      dispatcher_(dispatcher),
      metrics_(metrics) {}

boost::asio::awaitable<Result<std::vector<Submitted>>> Ingest::submit(
    std::vector<std::shared_ptr<const Event>> events) {
    if (dispatcher_.owes_too_much()) co_await dispatcher_.wait_for_room();
    std::vector<NewEvent> batch(events.size());
    std::vector<WebhookId> wanting;
    for (std::size_t i = 0; i < events.size(); ++i) {
        catalog_.match(*events[i], wanting);
        batch[i].event = std::move(events[i]);
        for (const WebhookId webhook : wanting) {
            const bool room = gatherer_.room(webhook) > 0 && dispatcher_.reserve(webhook);
            batch[i].deliveries.push_back({webhook, Cause::event, room});
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
            count(duplicates_, "herald_events_duplicate_total",
                  "Events whose id was stored before.", *events[i].event);
            give_back(events[i]);
        } else {
            count(received_, "herald_events_received_total", "Events brought in and stored.",
                  *events[i].event);
            gatherer_.note(*events[i].event);
            hand_over(events[i], one.deliveries);
        }
        submitted.push_back({one.duplicate, one.seq, std::move(one.deliveries)});
    }
    co_return submitted;
}

void Ingest::count(Series& series, std::string_view name, std::string_view help,
                   const Event& event) {
    const EventType* type = catalog_.types().find(event.type);
    Counter*& counter = series[{event.source, type}];
    if (counter == nullptr) {
        // Strangers may not make series: an unknown name is "other".
        const std::string labels = Metrics::label("source", event.source) + "," +
                                   Metrics::label("event", type != nullptr ? type->name : "other");
        counter = &metrics_.counter(name, help, labels);
    }
    counter->add();
}

void Ingest::give_back(const NewEvent& event) {
    for (const NewDelivery& delivery : event.deliveries) {
        if (delivery.leased) dispatcher_.unreserve(delivery.webhook);
    }
}

void Ingest::hand_over(const NewEvent& event, const std::vector<DeliveryId>& ids) {
    for (std::size_t i = 0; i < ids.size(); ++i) {
        const NewDelivery& delivery = event.deliveries[i];
        if (!delivery.leased) {
            dispatcher_.overflowed(delivery.webhook);
            continue;
        }
        Held held{ids[i], delivery.webhook, 0, delivery.cause, event.event, true};
        if (gatherer_.wants(held)) {
            dispatcher_.unreserve(held.webhook);
            gatherer_.add(std::move(held), Duration{0});
        } else {
            dispatcher_.offer(std::move(held));
        }
    }
}

}  // namespace herald
