#include "store/sqlite/delivery_query.h"

#include <algorithm>
#include <string>

#include "base/bytes.h"
#include "core/event_types.h"

namespace herald::sqlite {

namespace {

template <class Values, class Value>
bool admits(const Values& wanted, const Value& value) {
    return wanted.empty() || std::ranges::find(wanted, value) != wanted.end();
}

/// "column IN (1, 2)": numbers only, so they go into the text.
template <class Values>
std::string is_one_of(std::string_view column, const Values& values) {
    std::string sql = std::string(column) + " IN (";
    for (const auto value : values) {
        if (sql.back() != '(') sql += ", ";
        sql += std::to_string(static_cast<std::uint64_t>(value));
    }
    return sql + ")";
}

/// A text that strangers gave, as SQL.
std::string literal(std::string_view text) {
    return "CAST(x'" + to_hex(as_bytes(text)) + "' AS TEXT)";
}

/// Rows whose type may be one of these names or globs. SQLite's globs know sets of characters and
/// count "?" otherwise: holds() decides.
std::string may_be_of_type(const std::vector<std::string>& types) {
    std::string sql = "(0";
    for (const std::string& type : types) {
        if (!is_glob(type)) {
            sql += " OR event_type = " + literal(type);
            continue;
        }
        std::string glob;
        for (const char c : type) glob += c == '[' ? "[[]" : std::string(1, c == '?' ? '*' : c);
        sql += " OR event_type GLOB " + literal(glob);
    }
    return sql + ")";
}

bool is_of_type(const std::vector<std::string>& wanted, const std::string& type) {
    return wanted.empty() || std::ranges::any_of(wanted, [&](const std::string& pattern) {
               return glob_match(pattern, type);
           });
}

std::string conditions(const DeliveryQuery& query, std::optional<std::uint64_t> after) {
    std::string sql = "1";
    const auto also = [&sql](const std::string& condition) { sql += " AND " + condition; };
    if (after) {
        also((query.order == Order::newest_first ? "seq < " : "seq > ") + std::to_string(*after));
    }
    if (!query.webhooks.empty()) also(is_one_of("webhook", query.webhooks));
    if (!query.states.empty()) {
        std::vector<DeliveryState> states = query.states;
        states.push_back(DeliveryState::pending);
        // Most are delivered: an index over states would only make SQLite sort them. "+" says so.
        const bool most = std::ranges::count(states, DeliveryState::delivered) > 0;
        also(is_one_of(most ? "+state" : "state", states));
    }
    if (!query.classes.empty()) {
        also("(" + is_one_of("last_failure", query.classes) + " OR state = 0)");
    }
    if (!query.event_types.empty()) also(may_be_of_type(query.event_types));
    if (query.since) also("created_at >= " + std::to_string(to_micros(*query.since)));
    if (query.until) also("created_at < " + std::to_string(to_micros(*query.until)));
    return sql;
}

}  // namespace

bool may_hold(const DeliveryQuery& query, const SegmentInfo& segment) {
    if (segment.deliveries() == 0) return false;
    if (query.after) {
        const bool behind = query.order == Order::newest_first
                                ? segment.first_delivery < *query.after
                                : segment.last_delivery > *query.after;
        if (!behind) return false;
    }
    if (segment.state == SegmentState::tail) return true;
    return (!query.since || *query.since <= segment.ended_at) &&
           (!query.until || *query.until > segment.begun_at);
}

bool holds(const DeliveryQuery& query, const DeliveryRow& row) {
    return admits(query.webhooks, row.webhook) && admits(query.states, row.standing.state) &&
           admits(query.classes, row.standing.last_failure) &&
           is_of_type(query.event_types, row.event_type) &&
           (!query.since || row.created_at >= *query.since) &&
           (!query.until || row.created_at < *query.until);
}

bool is_behind(const DeliveryQuery& query, std::uint64_t seq) {
    if (!query.after) return true;
    return query.order == Order::newest_first ? seq < *query.after : seq > *query.after;
}

std::vector<DeliveryRow> select_deliveries(const Database& segment, const DeliveryQuery& query,
                                           std::optional<std::uint64_t> after, std::size_t limit) {
    Statement rows =
        segment.prepare("SELECT " + std::string(delivery_columns) + " FROM delivery WHERE " +
                        conditions(query, after) + " ORDER BY seq " +
                        (query.order == Order::newest_first ? "DESC" : "ASC") + " LIMIT ?");
    rows.bind(limit);
    std::vector<DeliveryRow> found;
    while (rows.step()) found.push_back(read_delivery(rows));
    return found;
}

void add_deliveries_of(const Database& segment, const EventRow& event, std::size_t limit,
                       std::vector<DeliveryRow>& found) {
    const std::string select = "SELECT " + std::string(delivery_columns) + " FROM delivery WHERE ";
    const auto add = [&](Statement& rows) {
        while (found.size() < limit && rows.step()) found.push_back(read_delivery(rows));
    };
    Statement born = segment.prepare(select + "seq BETWEEN ? AND ? AND event_seq = ?");
    born.bind(event.first_delivery, event.first_delivery + event.deliveries - 1,
              static_cast<std::int64_t>(event.seq));
    if (event.deliveries > 0) add(born);
    Statement again =
        segment.prepare(select + "event_seq = ? AND redelivers IS NOT NULL ORDER BY seq");
    again.bind(static_cast<std::int64_t>(event.seq));
    add(again);
}

}  // namespace herald::sqlite
