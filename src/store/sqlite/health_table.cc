#include "store/sqlite/health_table.h"

#include <optional>
#include <string>

namespace herald::sqlite {

namespace {

void bind_time(Statement& put, int at, const std::optional<Time>& time) {
    if (time) {
        put.bind_one(at, to_micros(*time));
    } else {
        put.bind_one(at, nullptr);
    }
}

std::optional<Time> read_time(const Statement& row, int column) {
    return row.is_null(column) ? std::nullopt : std::optional(from_micros(row.integer(column)));
}

}  // namespace

std::vector<WebhookHealth> read_health(const Database& db) {
    Statement rows = db.prepare(
        "SELECT webhook, state, since, last_success, last_failure, failure_streak, last_class,"
        " failing_for, reason, held_until FROM webhook_health ORDER BY webhook");
    std::vector<WebhookHealth> all;
    while (rows.step()) {
        WebhookHealth one;
        one.webhook = rows.as<WebhookId>(0);
        one.health.state = rows.as<HealthState>(1);
        one.health.since = read_time(rows, 2);
        one.health.last_success = read_time(rows, 3);
        one.health.last_failure = read_time(rows, 4);
        one.health.failure_streak = rows.as<std::uint32_t>(5);
        one.health.last_class = rows.as<FailureClass>(6);
        one.health.failing_for = Duration{rows.integer(7)};
        one.health.reason = rows.text(8);
        one.health.held_until = read_time(rows, 9);
        all.push_back(std::move(one));
    }
    return all;
}

void put_health(const Database& db, std::span<const WebhookHealth> news) {
    Transaction change(db);
    Statement put = db.prepare(
        "INSERT OR REPLACE INTO webhook_health (webhook, state, since, last_success, last_failure,"
        " failure_streak, last_class, failing_for, reason, held_until)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)");
    for (const auto& [webhook, health] : news) {
        put.bind_one(1, static_cast<std::int64_t>(webhook));
        put.bind_one(2, static_cast<std::int64_t>(health.state));
        bind_time(put, 3, health.since);
        bind_time(put, 4, health.last_success);
        bind_time(put, 5, health.last_failure);
        put.bind_one(6, static_cast<std::int64_t>(health.failure_streak));
        put.bind_one(7, static_cast<std::int64_t>(health.last_class));
        put.bind_one(8, std::int64_t{health.failing_for.count()});
        put.bind_one(9, health.reason);
        bind_time(put, 10, health.held_until);
        put.run();
    }
    change.commit();
}

}  // namespace herald::sqlite
