#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "async/clock.h"
#include "core/query.h"
#include "core/webhook.h"
#include "delivery/catalog.h"
#include "delivery/readers.h"
#include "delivery/sender.h"

namespace herald {

/// Which part of the activity log a backtest goes over, newest event first.
struct BacktestRange {
    std::optional<Time> since;      ///< occurred_at >= since
    std::optional<Time> until;      ///< occurred_at < until
    std::optional<EventSeq> after;  ///< where the last page ended
    std::size_t limit = limits::page_default;  ///< matches to give back; 0: counts only
};

struct BacktestMatch {
    EventSeq seq{};
    Event event;
    Result<Sender::Preview> request;  ///< or why no request could be made
};

struct BacktestPage {
    std::uint64_t examined = 0;  ///< events of its types and branches that were looked at
    std::uint64_t matched = 0;
    std::vector<BacktestMatch> items;
    std::optional<EventSeq> next;  ///< where to go on; nullopt: the range is done
};

/// Runs a webhook, which need not be stored, over the activity log: what would it have sent? Sends
/// nothing and stores nothing. Reads limits::backtest_step events at a time on a reader's thread,
/// so that deliveries and other readers have their turns, and ends a page when it has `limit`
/// matches, limits::backtest_bytes of bodies, or has taken limits::long_request.
class Backtest {
public:
    Backtest(Readers& readers, Sender& sender, const Catalog& catalog, const Clock& clock)
        : readers_(readers), sender_(sender), catalog_(catalog), clock_(clock) {}

    boost::asio::awaitable<Result<BacktestPage>> run(std::shared_ptr<const Webhook> webhook,
                                                     BacktestRange range) const;

private:
    Readers& readers_;
    Sender& sender_;
    const Catalog& catalog_;
    const Clock& clock_;
};

}  // namespace herald
