#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "base/metrics.h"
#include "base/result.h"
#include "core/event.h"
#include "delivery/catalog.h"
#include "delivery/committer.h"
#include "delivery/dispatcher.h"
#include "delivery/gatherer.h"

namespace herald {

/// What became of one submitted event.
struct Submitted {
    bool duplicate = false;
    EventSeq seq{};
    std::vector<DeliveryId> deliveries;  ///< created for it, in order of webhook id
};

/// Brings events in: matches, commits, hands the deliveries to the lanes or to who gathers them.
/// Every source and the HTTP API use it. Lives on the loop thread.
class Ingest {
public:
    Ingest(Catalog& catalog, Committer& committer, Gatherer& gatherer, Dispatcher& dispatcher,
           Metrics& metrics);

    /// Ends when the events are on disk; one answer each, in order. Errc::busy: the queue is full,
    /// try later; nothing was stored.
    boost::asio::awaitable<Result<std::vector<Submitted>>> submit(
        std::vector<std::shared_ptr<const Event>> events);

    /// One event to one webhook, whatever its filter says (webhook test). Stored as an event.
    boost::asio::awaitable<Result<Submitted>> submit_to(std::shared_ptr<const Event> event,
                                                        WebhookId webhook);

private:
    boost::asio::awaitable<Result<std::vector<Submitted>>> commit(std::vector<NewEvent> events);
    /// Counters by source and known type; looked up by name once.
    using Series = std::map<std::pair<std::string, const EventType*>, Counter*>;
    void count(Series& series, std::string_view name, std::string_view help, const Event& event);
    void give_back(const NewEvent& event);
    void hand_over(const NewEvent& event, const std::vector<DeliveryId>& ids);

    Catalog& catalog_;
    Committer& committer_;
    Gatherer& gatherer_;
    Dispatcher& dispatcher_;
    Metrics& metrics_;
    Series received_;
    Series duplicates_;
};

}  // namespace herald
