#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string_view>

#include <boost/asio/awaitable.hpp>

#include "async/clock.h"
#include "async/signal.h"
#include "async/task_group.h"
#include "core/operator_events.h"
#include "delivery/ingest.h"

namespace herald {

/// Tells operators what became of webhooks, as events that are stored and delivered like all
/// others (docs/operator-events.md). Who calls it never waits: what is told stands in a bounded
/// queue until it is stored. Lives on the loop thread.
class Announcer {
public:
    Announcer(boost::asio::any_io_executor executor, Ingest& ingest, const Clock& clock,
              MakeEvent make_event);

    /// Begins to store, as a task of the group.
    void start(TaskGroup& tasks);
    /// Stores what is left, once; before the committer drains.
    boost::asio::awaitable<void> drain();

    /// As Dispatcher::on_health() and on_exhausted() call it.
    void health_changed(const Webhook& webhook, const Health& before, const Health& after);
    void exhausted(const Webhook& webhook, DeliveryId delivery, const Event& event,
                   const Attempt& last);
    /// A source cannot be read. Nothing calls it yet: there are no sources.
    void source_lost(std::string_view source, std::string_view reason);

private:
    /// What is untold of one webhook.
    struct Untold {
        Webhook about;  ///< its id, uuid and name
        ExhaustionWindow window;
    };

    void tell(OwnEvent own);
    void end_windows(std::chrono::steady_clock::time_point by);
    boost::asio::awaitable<void> run();
    boost::asio::awaitable<bool> store_all();

    Ingest& ingest_;
    const Clock& clock_;
    MakeEvent make_event_;
    Signal work_;
    std::deque<std::shared_ptr<const Event>> queue_;
    std::map<WebhookId, Untold> untold_;
};

}  // namespace herald
