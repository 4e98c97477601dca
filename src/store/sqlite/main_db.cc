#include "store/sqlite/main_db.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <utility>

#include "base/bytes.h"
#include "core/limits.h"
#include "core/webhook_options.h"
#include "store/sql.h"
#include "store/sqlite/job_table.h"
#include "store/sqlite/pack.h"

namespace herald::sqlite {

namespace {

constexpr std::int64_t schema_version = 4;
constexpr std::int64_t forgotten_at_once = 500;

constexpr std::string_view webhook_columns =
    "id, uuid, name, kind, event_types, branch_scope, node_kind, active, description, url,"
    " validate_certificates, shared_key, headers, timeout_ms, retry_delays, retry_jitter,"
    " signature_profile, accepted_profile, created_at, updated_at, version, removed,"
    " options";

/// What put_webhook() wrote is always there to be read: anything else is a broken store.
template <class T>
T known(std::optional<T> value) {
    if (!value) throw Failure{Errc::internal, "the store holds a webhook that is none", true};
    return std::move(*value);
}

std::vector<std::string> header_texts(const std::vector<WebhookHeader>& headers) {
    std::vector<std::string> texts;
    for (const WebhookHeader& header : headers) {
        texts.push_back(header.key);
        texts.push_back(header.value);
        texts.emplace_back(header.from_environment ? "environment" : "");
    }
    return texts;
}

std::vector<WebhookHeader> read_headers(std::string_view packed) {
    const std::vector<std::string> texts = unpack_texts(packed);
    std::vector<WebhookHeader> headers;
    for (std::size_t i = 0; i + 2 < texts.size(); i += 3) {
        headers.push_back({texts[i], texts[i + 1], !texts[i + 2].empty()});
    }
    return headers;
}

std::vector<std::string> delay_texts(const RetryPolicy& policy) {
    std::vector<std::string> texts;
    texts.reserve(policy.delays.size());
    for (const Duration delay : policy.delays) texts.push_back(std::to_string(delay.count()));
    return texts;
}

std::vector<Duration> read_delays(std::string_view packed) {
    std::vector<Duration> delays;
    for (const std::string& text : unpack_texts(packed)) {
        std::int64_t micros = 0;
        std::from_chars(text.data(), text.data() + text.size(), micros);
        delays.emplace_back(micros);
    }
    return delays;
}

Webhook read_webhook(const Statement& row, const Vault& vault) {
    Webhook webhook;
    webhook.id = row.as<WebhookId>(0);
    const std::string uuid(row.text(1));
    const auto opened = [&](int column, std::string_view name) {
        return vault.open(uuid, name, row.text(column));
    };
    std::memcpy(webhook.uuid.bytes.data(), uuid.data(),
                std::min(uuid.size(), webhook.uuid.bytes.size()));
    webhook.name = row.text(2);
    webhook.kind = known(parse_webhook_kind(row.text(3)));
    webhook.filter.event_types = unpack_texts(row.text(4));
    webhook.filter.branch_scope = known(parse_branch_scope(row.text(5)));
    webhook.filter.node_kind = row.text(6);
    webhook.active = row.integer(7) != 0;
    webhook.description = row.text(8);
    webhook.url = opened(9, "url");
    webhook.validate_certificates = row.integer(10) != 0;
    webhook.shared_key = opened(11, "shared_key");
    webhook.headers = read_headers(opened(12, "headers"));
    webhook.timeout = std::chrono::milliseconds{row.integer(13)};
    webhook.retry.delays = read_delays(row.text(14));
    webhook.retry.jitter = row.real(15);
    webhook.signature_profile = known(parse_signature_profile(row.text(16)));
    if (!row.is_null(17)) webhook.accepted_profile = parse_signature_profile(row.text(17));
    webhook.created_at = from_micros(row.integer(18));
    webhook.updated_at = from_micros(row.integer(19));
    webhook.version = row.as<std::uint64_t>(20);
    webhook.removed = row.integer(21) != 0;
    const std::string options = opened(22, "options");
    if (options.empty()) return webhook;  // as a removed one's are
    if (auto read = read_stored_options(webhook, options); !read) {
        throw Failure{Errc::internal, read.error().message, true};
    }
    return webhook;
}

/// What of a webhook's row is made for it: texts are borrowed until the row is written.
struct MadeColumns {
    std::string event_types;
    std::string url;
    std::string shared_key;
    std::string headers;
    std::string delays;
    std::string options;

    MadeColumns(const Webhook& webhook, const Vault& vault)
        : event_types(pack(webhook.filter.event_types)), delays(pack(delay_texts(webhook.retry))) {
        const auto& id = webhook.uuid.bytes;
        const std::string uuid(id.begin(), id.end());
        url = vault.seal(uuid, "url", webhook.url);
        shared_key = vault.seal(uuid, "shared_key", webhook.shared_key);
        headers = vault.seal(uuid, "headers", pack(header_texts(webhook.headers)));
        options = vault.seal(uuid, "options", stored_options(webhook));
    }
};

/// Parameters 2 to 23; the first is the id.
void bind_webhook(Statement& put, const Webhook& webhook, const MadeColumns& made) {
    put.bind_one(2, webhook.uuid.bytes);
    put.bind_one(3, webhook.name);
    put.bind_one(4, to_text(webhook.kind));
    put.bind_one(5, as_bytes(made.event_types));
    put.bind_one(6, to_text(webhook.filter.branch_scope));
    put.bind_one(7, webhook.filter.node_kind);
    put.bind_one(8, std::int64_t{webhook.active});
    put.bind_one(9, webhook.description);
    put.bind_one(10, made.url);
    put.bind_one(11, std::int64_t{webhook.validate_certificates});
    put.bind_one(12, made.shared_key);
    put.bind_one(13, as_bytes(made.headers));
    put.bind_one(14, std::int64_t{webhook.timeout.count()});
    put.bind_one(15, as_bytes(made.delays));
    put.bind_one(16, webhook.retry.jitter);
    put.bind_one(17, to_text(webhook.signature_profile));
    if (webhook.accepted_profile) {
        put.bind_one(18, to_text(*webhook.accepted_profile));
    } else {
        put.bind_one(18, nullptr);
    }
    put.bind_one(19, to_micros(webhook.created_at));
    put.bind_one(20, to_micros(webhook.updated_at));
    put.bind_one(21, static_cast<std::int64_t>(webhook.version));
    put.bind_one(22, std::int64_t{webhook.removed});
    put.bind_one(23, made.options);
}

/// The file, unless it is lost: a new one would take the segments for leftovers of a crash.
std::filesystem::path whole_or_new(const Layout& layout) {
    const std::filesystem::path path = layout.main();
    std::error_code error;
    const bool is_there = std::filesystem::file_size(path, error) > 0 && !error;
    if (is_there || !std::filesystem::exists(layout.segments(), error)) return path;
    for (const auto& entry : std::filesystem::directory_iterator(layout.segments())) {
        if (entry.path().extension() != ".db") continue;
        throw Failure{Errc::unavailable,
                      path.string() +
                          " is missing or empty, and there are segments of a log: "
                          "restore it from a backup, or choose an empty data_dir"};
    }
    return path;
}

}  // namespace

MainDb::MainDb(const Layout& layout, const std::vector<SealKey>& keys)
    : db_(whole_or_new(layout), Access::create), vault_(db_, layout, keys) {
    const std::int64_t version = db_.number("PRAGMA user_version");
    if (version > schema_version) {
        throw Failure{Errc::unavailable,
                      layout.main().string() +
                          " was written by a newer herald: run that one, or restore"
                          " an older copy"};
    }
    if (version != schema_version) {
        Transaction creation(db_);
        if (version == 0) db_.run(std::string(sql::sqlite_main));
        if (version == 1) db_.run(std::string(sql::sqlite_main_2));
        if (version < 3) db_.run(std::string(sql::sqlite_main_3));
        db_.run(std::string(sql::sqlite_main_4));
        creation.commit();
    }
    make_job_table(db_);
    vault_.renew(db_);
}

std::vector<Era> MainDb::eras() const {
    Statement rows = db_.prepare("SELECT first_delivery, secret FROM era ORDER BY first_delivery");
    std::vector<Era> eras;
    while (rows.step()) eras.push_back({rows.as<std::uint64_t>(0), std::string(rows.text(1))});
    return eras;
}

void MainDb::begin_era(std::uint64_t first_delivery) {
    std::array<std::uint8_t, 16> secret{};
    fill_random(secret);
    Statement put = db_.prepare("INSERT OR REPLACE INTO era VALUES (?, ?)");
    put.bind(first_delivery, secret);
    put.run();
}

std::vector<Webhook> MainDb::webhooks() const {
    Statement rows =
        db_.prepare("SELECT " + std::string(webhook_columns) + " FROM webhook ORDER BY id");
    std::vector<Webhook> webhooks;
    while (rows.step()) webhooks.push_back(read_webhook(rows, vault_));
    return webhooks;
}

Result<> MainDb::check_version(WebhookId id, std::optional<std::uint64_t> expected) const {
    Statement row = db_.prepare("SELECT version FROM webhook WHERE id = ? AND removed = 0");
    row.bind(static_cast<std::int64_t>(id));
    if (!row.step()) return fail(Errc::not_found, "no such webhook");
    if (expected && row.as<std::uint64_t>(0) != *expected) {
        return fail(Errc::precondition_failed,
                    "the webhook was changed since it was read: read it again");
    }
    return {};
}

bool MainDb::name_is_taken(const Webhook& webhook) const {
    Statement row = db_.prepare("SELECT 1 FROM webhook WHERE name = ? AND removed = 0 AND id <> ?");
    row.bind(webhook.name, static_cast<std::int64_t>(webhook.id));
    return !webhook.removed && row.step();
}

Result<Webhook> MainDb::put_webhook(Webhook webhook, std::optional<std::uint64_t> expected) {
    Transaction change(db_);
    const bool is_new = webhook.id == WebhookId{};
    if (!is_new) {
        if (auto same = check_version(webhook.id, expected); !same) return fail(same.error());
    }
    if (name_is_taken(webhook)) {
        return fail(Error{Errc::conflict,
                          "there is a webhook with this name",
                          {{"/name", "is taken by another webhook: choose another"}}});
    }
    Statement put = db_.prepare("INSERT OR REPLACE INTO webhook (" + std::string(webhook_columns) +
                                ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12,"
                                " ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23)");
    if (is_new) {
        put.bind_one(1, nullptr);
    } else {
        put.bind_one(1, static_cast<std::int64_t>(webhook.id));
    }
    const MadeColumns made(webhook, vault_);
    bind_webhook(put, webhook, made);
    put.run();
    if (is_new) webhook.id = static_cast<WebhookId>(db_.number("SELECT last_insert_rowid()"));
    change.commit();
    return webhook;
}

Result<> MainDb::remove_webhook(WebhookId id, std::optional<std::uint64_t> expected, Time now) {
    Transaction change(db_);
    if (auto same = check_version(id, expected); !same) return same;
    Statement remove = db_.prepare(
        "UPDATE webhook SET removed = 1, active = 0, shared_key = '', headers = x'',"
        " options = '',"
        " updated_at = ?2 WHERE id = ?1");
    remove.bind(static_cast<std::int64_t>(id), to_micros(now));
    remove.run();
    change.commit();
    return {};
}

std::optional<RememberedAnswer> MainDb::remembered(std::string_view key, Time now) const {
    Statement row = db_.prepare(
        "SELECT key, request_digest, status, body, location, created_at FROM remembered"
        " WHERE key = ? AND created_at > ?");
    row.bind(key, to_micros(now - limits::idempotency_keeps));
    if (!row.step()) return std::nullopt;
    RememberedAnswer answer;
    answer.key = row.text(0);
    answer.request_digest = vault_.open(key, "request_digest", row.text(1));
    answer.status = row.as<int>(2);
    answer.body = row.text(3);
    answer.location = row.text(4);
    answer.created_at = from_micros(row.integer(5));
    return answer;
}

void MainDb::remember(const RememberedAnswer& answer) {
    Statement put = db_.prepare("INSERT OR REPLACE INTO remembered VALUES (?, ?, ?, ?, ?, ?)");
    const std::string digest = vault_.seal(answer.key, "request_digest", answer.request_digest);
    put.bind(answer.key, digest, answer.status, answer.body, answer.location,
             to_micros(answer.created_at));
    put.run();
}

bool MainDb::forget_old_answers(Time now) {
    Statement forget = db_.prepare(
        "DELETE FROM remembered WHERE key IN"
        " (SELECT key FROM remembered WHERE created_at <= ? LIMIT ?)");
    forget.bind(to_micros(now - limits::idempotency_keeps), forgotten_at_once);
    forget.run();
    return db_.changes() == forgotten_at_once;
}

std::string MainDb::cursor(std::string_view source) const {
    Statement row = db_.prepare("SELECT cursor FROM source_cursor WHERE source = ?");
    row.bind(source);
    return row.step() ? std::string(row.text(0)) : std::string();
}

void MainDb::set_cursor(std::string_view source, std::string_view cursor) {
    Statement put = db_.prepare("INSERT OR REPLACE INTO source_cursor VALUES (?, ?)");
    put.bind(source, cursor);
    put.run();
}

}  // namespace herald::sqlite
