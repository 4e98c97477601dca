#include "delivery/backtest.h"

#include <algorithm>
#include <utility>

#include "core/matching.h"

namespace herald {

namespace {

/// What the store can sort out by its index.
EventQuery query_of(const Webhook& webhook, const BacktestRange& range, const Catalog& catalog) {
    EventQuery query;
    for (const std::string& entry : webhook.filter.event_types) {
        query.types.push_back(entry == "all" ? std::string(catalog.types().prefix()) + "*" : entry);
    }
    if (webhook.filter.branch_scope == BranchScope::default_branch) {
        query.branches.push_back(catalog.default_branch());
    }
    query.since = range.since;
    query.until = range.until;
    query.after = range.after;
    query.limit = limits::backtest_step;
    query.whole = true;
    return query;
}

/// What one look at the log gave.
struct Step {
    std::uint64_t examined = 0;
    std::uint64_t matched = 0;
    std::vector<LoggedEvent> found;
    std::size_t bytes = 0;  ///< of their bodies
    std::optional<EventSeq> next;
};

/// How much more a page can take.
struct Room {
    bool counts_only = false;
    std::size_t items = 0;
    std::size_t bytes = 0;

    [[nodiscard]] bool is_full() const { return !counts_only && (items == 0 || bytes == 0); }
};

/// Looks at a few events, on a reader's thread. Stops behind the match that fills the page.
Result<Step> look(StoreReader& reader, const EventQuery& query, const Webhook& webhook,
                  const EventTypes& types, std::string_view default_branch, Room room) {
    auto page = reader.events(query);
    if (!page) return fail(page.error());
    Step step;
    for (LoggedEvent& logged : page->items) {
        const EventSeq seq = logged.seq;
        const bool last = &logged == &page->items.back();
        ++step.examined;
        EventFacts facts(logged.event, types);
        if (wants(webhook, facts, types, default_branch)) {
            ++step.matched;
            const std::size_t bytes = logged.event.body.size();
            if (!room.counts_only) {
                step.bytes += bytes;
                room.bytes -= std::min(room.bytes, bytes);
                --room.items;
                step.found.push_back(std::move(logged));
            }
        }
        const bool full = room.is_full();
        if (full && (!last || page->more)) step.next = seq;
        if (full) return step;
    }
    if (page->more) step.next = page->items.back().seq;
    return step;
}

}  // namespace

boost::asio::awaitable<Result<BacktestPage>> Backtest::run(std::shared_ptr<const Webhook> webhook,
                                                           BacktestRange range) const {
    const auto began = clock_.steady();
    EventQuery query = query_of(*webhook, range, catalog_);
    Room room{range.limit == 0, range.limit, limits::backtest_bytes};
    BacktestPage page;
    for (;;) {
        auto job = [query, webhook, room, &types = catalog_.types(),
                    &branch = catalog_.default_branch()](StoreReader& reader) {
            return look(reader, query, *webhook, types, branch, room);
        };
        auto step = co_await readers_.run(std::move(job));
        if (!step) co_return fail(step.error());
        page.examined += step->examined;
        page.matched += step->matched;
        for (LoggedEvent& logged : step->found) {
            auto request = co_await sender_.preview(logged.event, webhook);
            page.items.push_back({logged.seq, std::move(logged.event), std::move(request)});
        }
        room.items -= step->found.size();
        room.bytes -= std::min(room.bytes, step->bytes);
        page.next = step->next;
        const bool late = clock_.steady() - began >= limits::long_request;
        if (!page.next || room.is_full() || late) co_return page;
        query.after = page.next;
    }
}

}  // namespace herald
