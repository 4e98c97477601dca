#include "store/sqlite/segment.h"

#include <cstring>
#include <string>
#include <utility>

#include "base/bytes.h"
#include "store/sql.h"
#include "store/sqlite/job_table.h"
#include "store/sqlite/pack.h"

namespace herald::sqlite {

namespace {

constexpr std::int64_t schema_version = 1;
constexpr std::string_view event_columns =
    "seq, id, type, occurred_at, received_at, source, branch, account_id, node_id, node_kind, "
    "level, has_children, parent, origin, related, ancestors, first_delivery, deliveries";

std::string select(std::string_view columns, std::string_view rest) {
    return "SELECT " + std::string(columns) + " " + std::string(rest);
}

EventId event_id(std::string_view blob) {
    EventId id;
    if (blob.size() != id.bytes.size()) {
        throw Failure{Errc::internal, "the store holds an event id that is none", true};
    }
    std::memcpy(id.bytes.data(), blob.data(), blob.size());
    return id;
}

std::optional<std::string> optional_text(const Statement& row, int column) {
    if (row.is_null(column)) return std::nullopt;
    return std::string(row.text(column));
}

Database open_known(const std::filesystem::path& path, Access access) {
    Database db(path, access);
    if (db.number("PRAGMA user_version") > schema_version) {
        throw Failure{Errc::unavailable, path.string() + " was written by a newer herald"};
    }
    return db;
}

EventRow read_event(const Statement& row, EventParts parts) {
    EventRow read;
    Event& event = read.event;
    read.seq = row.as<EventSeq>(0);
    event.id = event_id(row.text(1));
    event.type = row.text(2);
    event.occurred_at = from_micros(row.integer(3));
    event.received_at = from_micros(row.integer(4));
    event.source = row.text(5);
    event.branch = optional_text(row, 6);
    event.account_id = optional_text(row, 7);
    event.node.id = row.text(8);
    event.node.kind = row.text(9);
    event.level = row.as<std::uint32_t>(10);
    event.has_children = row.integer(11) != 0;
    if (!row.is_null(12)) event.parent = event_id(row.text(12));
    event.origin = row.text(13);
    event.related = unpack_nodes(row.text(14));
    event.ancestors = unpack_ancestors(row.text(15));
    read.first_delivery = row.as<std::uint64_t>(16);
    read.deliveries = row.as<std::uint64_t>(17);
    if (parts == EventParts::whole) {
        event.extra = row.text(18);
        event.body = row.text(19);
    }
    return read;
}

Attempt read_attempt(const Statement& row) {
    Attempt attempt;
    attempt.number = row.as<std::uint32_t>(0) & 0xFF;
    attempt.started_at = from_micros(row.integer(1));
    attempt.took = Duration{row.integer(2)};
    attempt.url = row.text(3);
    attempt.signature_profile = row.text(4);
    attempt.refused_profiles = unpack_refused(row.text(5));
    attempt.request_headers = unpack_headers(row.text(6));
    attempt.status = row.as<int>(7);
    attempt.response_headers = unpack_headers(row.text(8));
    attempt.response_body = row.text(9);
    attempt.response_cut = row.integer(10) != 0;
    attempt.outcome.failure = row.as<FailureClass>(11);
    attempt.outcome.message = row.text(12);
    return attempt;
}

Standing read_standing(const Statement& row, int column) {
    Standing standing;
    standing.state = row.as<DeliveryState>(column);
    standing.attempts = row.as<std::uint32_t>(column + 1);
    standing.due_at = from_micros(row.integer(column + 2));
    standing.last_failure = row.as<FailureClass>(column + 3);
    standing.updated_at = from_micros(row.integer(column + 4));
    return standing;
}

void bind_optional(Statement& statement, int at, const std::optional<std::string>& text) {
    if (text) {
        statement.bind_one(at, std::string_view(*text));
    } else {
        statement.bind_one(at, nullptr);
    }
}

}  // namespace

DeliveryRow read_delivery(const Statement& row) {
    DeliveryRow read;
    read.seq = row.as<std::uint64_t>(0);
    read.event_seq = row.as<EventSeq>(1);
    read.event = event_id(row.text(2));
    read.event_type = row.text(3);
    read.webhook = row.as<WebhookId>(4);
    read.cause = row.as<Cause>(5);
    if (!row.is_null(6)) read.redelivers = row.as<std::uint64_t>(6);
    read.created_at = from_micros(row.integer(7));
    read.standing = read_standing(row, 8);
    return read;
}

Segment::Segment(const std::filesystem::path& path, Access access)
    : db_(open_known(path, access)),
      event_(db_.prepare(select(event_columns, ", extra, body FROM event WHERE seq = ?"))),
      event_list_(db_.prepare(select(event_columns, "FROM event WHERE seq = ?"))),
      events_behind_(
          db_.prepare(select(event_columns, "FROM event WHERE seq > ? ORDER BY seq LIMIT ?"))),
      delivery_(db_.prepare(select(delivery_columns, "FROM delivery WHERE seq = ?"))),
      attempts_(db_.prepare("SELECT key, started_at, took, url, profile, refused, request_headers,"
                            " status, response_headers, response_body, response_cut, failure,"
                            " message FROM attempt WHERE key BETWEEN ? AND ? ORDER BY key")),
      late_(db_.prepare("SELECT state, attempts, due_at, last_failure, updated_at FROM late"
                        " WHERE delivery = ?")) {}

std::optional<EventRow> Segment::event(EventSeq seq, EventParts parts) {
    Statement& query = parts == EventParts::whole ? event_ : event_list_;
    query.bind(static_cast<std::int64_t>(seq));
    std::optional<EventRow> found;
    if (query.step()) found = read_event(query, parts);
    query.reset();
    return found;
}

std::vector<EventRow> Segment::events_behind(std::uint64_t after, std::size_t limit) {
    std::vector<EventRow> rows;
    events_behind_.bind(after, limit);
    while (events_behind_.step()) rows.push_back(read_event(events_behind_, EventParts::list));
    events_behind_.reset();
    return rows;
}

std::optional<DeliveryRow> Segment::delivery(std::uint64_t seq) {
    delivery_.bind(seq);
    std::optional<DeliveryRow> found;
    if (delivery_.step()) found = read_delivery(delivery_);
    delivery_.reset();
    return found;
}

std::vector<Attempt> Segment::attempts(std::uint64_t delivery) {
    std::vector<Attempt> found;
    attempts_.bind(attempt_key(delivery, 0), attempt_key(delivery, 0xFF));
    while (attempts_.step()) found.push_back(read_attempt(attempts_));
    attempts_.reset();
    return found;
}

std::optional<Standing> Segment::late(std::uint64_t delivery) {
    late_.bind(delivery);
    std::optional<Standing> found;
    if (late_.step()) found = read_standing(late_, 0);
    late_.reset();
    return found;
}

SegmentWriter::SegmentWriter(const Database& db)
    : event_(db.prepare("INSERT INTO event VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11,"
                        " ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)")),
      delivery_(db.prepare("INSERT INTO delivery VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,"
                           " ?11, ?12, ?13)")),
      attempt_(db.prepare("INSERT OR REPLACE INTO attempt VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8,"
                          " ?9, ?10, ?11, ?12, ?13)")),
      settle_(db.prepare("UPDATE delivery SET state = ?2, attempts = ?3, due_at = ?4,"
                         " last_failure = ?5, updated_at = ?6 WHERE seq = ?1")),
      settle_late_(db.prepare("INSERT OR REPLACE INTO late VALUES (?1, ?2, ?3, ?4, ?5, ?6)")) {}

void SegmentWriter::insert(EventSeq seq, const Event& event, std::uint64_t first_delivery,
                           std::uint64_t deliveries) {
    const std::string related = pack(event.related);
    const std::string ancestors = pack(event.ancestors);
    event_.bind(static_cast<std::int64_t>(seq), event.id.bytes, event.type,
                to_micros(event.occurred_at), to_micros(event.received_at), event.source);
    bind_optional(event_, 7, event.branch);
    bind_optional(event_, 8, event.account_id);
    event_.bind_one(9, std::string_view(event.node.id));
    event_.bind_one(10, std::string_view(event.node.kind));
    event_.bind_one(11, static_cast<std::int64_t>(event.level));
    event_.bind_one(12, static_cast<std::int64_t>(event.has_children));
    if (event.parent) {
        event_.bind_one(13, std::span(event.parent->bytes));
    } else {
        event_.bind_one(13, nullptr);
    }
    event_.bind_one(14, std::string_view(event.origin));
    event_.bind_one(15, as_bytes(related));
    event_.bind_one(16, as_bytes(ancestors));
    event_.bind_one(17, static_cast<std::int64_t>(first_delivery));
    event_.bind_one(18, static_cast<std::int64_t>(deliveries));
    event_.bind_one(19, std::string_view(event.extra));
    event_.bind_one(20, std::string_view(event.body));
    event_.run();
}

void SegmentWriter::insert(const DeliveryRow& row) {
    delivery_.bind(row.seq, static_cast<std::int64_t>(row.event_seq), row.event.bytes,
                   row.event_type, static_cast<std::int64_t>(row.webhook),
                   static_cast<std::int64_t>(row.cause));
    if (row.redelivers) {
        delivery_.bind_one(7, static_cast<std::int64_t>(*row.redelivers));
    } else {
        delivery_.bind_one(7, nullptr);
    }
    const Standing& standing = row.standing;
    delivery_.bind_one(8, to_micros(row.created_at));
    delivery_.bind_one(9, static_cast<std::int64_t>(standing.state));
    delivery_.bind_one(10, static_cast<std::int64_t>(standing.attempts));
    delivery_.bind_one(11, to_micros(standing.due_at));
    delivery_.bind_one(12, static_cast<std::int64_t>(standing.last_failure));
    delivery_.bind_one(13, to_micros(standing.updated_at));
    delivery_.run();
}

void SegmentWriter::insert(std::uint64_t delivery, const Attempt& attempt) {
    const std::string refused = pack(attempt.refused_profiles);
    const std::string request = pack(attempt.request_headers);
    const std::string response = pack(attempt.response_headers);
    attempt_.bind(attempt_key(delivery, attempt.number), to_micros(attempt.started_at),
                  attempt.took.count(), attempt.url, attempt.signature_profile, as_bytes(refused),
                  as_bytes(request), attempt.status, as_bytes(response),
                  as_bytes(attempt.response_body), attempt.response_cut,
                  static_cast<std::int64_t>(attempt.outcome.failure), attempt.outcome.message);
    attempt_.run();
}

void SegmentWriter::settle(std::uint64_t delivery, const Standing& standing) {
    settle_.bind(delivery, static_cast<std::int64_t>(standing.state), standing.attempts,
                 to_micros(standing.due_at), static_cast<std::int64_t>(standing.last_failure),
                 to_micros(standing.updated_at));
    settle_.run();
}

void SegmentWriter::settle_late(std::uint64_t delivery, const Standing& standing) {
    settle_late_.bind(delivery, static_cast<std::int64_t>(standing.state), standing.attempts,
                      to_micros(standing.due_at), static_cast<std::int64_t>(standing.last_failure),
                      to_micros(standing.updated_at));
    settle_late_.run();
}

void create_segment(const std::filesystem::path& path) {
    const Database db(path, Access::create);
    Transaction creation(db);
    db.run(std::string(sql::sqlite_segment));
    make_job_table(db);
    creation.commit();
}

}  // namespace herald::sqlite
