// Secrets in herald.db are sealed: a copy of the file tells none of them.
#include <fstream>
#include <iterator>

#include <gmock/gmock.h>

#include "base/bytes.h"
#include "store/sqlite/pack.h"
#include "store/sqlite/sqlite.h"
#include "store/store.h"
#include "support/builders.h"
#include "support/temp_dir.h"

namespace herald::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

const std::vector<std::string> secrets{"url-password-2f9b4e", "shared-key-5d2b8e6f",
                                       "header-value-3b7f2a", "digest-of-9c1e8b"};

Webhook secret_webhook() {
    Webhook webhook = make_webhook("secret");
    webhook.url = "http://user:" + secrets[0] + "@receiver/hook";
    webhook.shared_key = secrets[1];
    webhook.headers = {{"X-Deploy", secrets[2]}, {"X-Outside", "VARIABLE", true}};
    return webhook;
}

std::string bytes_of(const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

struct Sealing : testing::Test {
    TempDir dir;
    fs::path data = dir.path() / "data";
    std::vector<SealKey> keys;

    Result<std::unique_ptr<Store>> try_open() {
        StoreOptions options;
        options.data_dir = data;
        options.seal_keys = keys;
        return open_sqlite_store(options);
    }
    std::unique_ptr<Store> open() {
        auto opened = try_open();
        if (!opened) throw std::runtime_error(opened.error().message);
        return std::move(*opened);
    }
    /// Puts the webhook with secrets and a remembered answer.
    Webhook fill() {
        auto store = open();
        const auto put = store->put_webhook(secret_webhook(), std::nullopt);
        EXPECT_TRUE(store->remember({"key", secrets[3], 201, "{}", "", noon}));
        return *put;
    }
    void expect_filled() {
        auto store = open();
        const auto webhooks = store->webhooks();
        ASSERT_TRUE(webhooks) << webhooks.error().message;
        ASSERT_EQ(webhooks->size(), 1U);
        EXPECT_EQ(webhooks->front().url, secret_webhook().url);
        EXPECT_EQ(webhooks->front().shared_key, secret_webhook().shared_key);
        EXPECT_EQ(webhooks->front().headers, secret_webhook().headers);
        EXPECT_EQ((*store->remembered("key", noon))->request_digest, secrets[3]);
    }
    /// The secrets that can be read in any file of the data directory.
    std::vector<std::string> found() const {
        std::vector<std::string> seen;
        for (const auto& entry : fs::recursive_directory_iterator(data)) {
            if (!entry.is_regular_file()) continue;
            const std::string bytes = bytes_of(entry.path());
            for (const std::string& secret : secrets) {
                if (bytes.contains(secret)) seen.push_back(entry.path().string() + ": " + secret);
            }
        }
        return seen;
    }
    void refuses_to_open(const std::string& why) {
        const std::string before = bytes_of(data / "herald.db");
        const auto opened = try_open();
        ASSERT_FALSE(opened);
        EXPECT_EQ(opened.error().code, Errc::unavailable);
        EXPECT_THAT(opened.error().message, HasSubstr(why));
        EXPECT_TRUE(bytes_of(data / "herald.db") == before) << "nothing was changed";
    }
    /// As a herald before 2 left it: everything in plain, and something in free pages.
    void make_older() const {
        fs::create_directories(data);
        const sqlite::Database db(data / "herald.db", sqlite::Access::create);
        db.run(
            "CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;"
            "CREATE TABLE era (first_delivery INTEGER PRIMARY KEY, secret BLOB NOT NULL) STRICT;"
            "CREATE TABLE segment (number INTEGER PRIMARY KEY, state INTEGER NOT NULL,"
            " first_event INTEGER NOT NULL, last_event INTEGER NOT NULL,"
            " first_delivery INTEGER NOT NULL, last_delivery INTEGER NOT NULL,"
            " redeliveries INTEGER NOT NULL, begun_at INTEGER NOT NULL,"
            " ended_at INTEGER NOT NULL, pruned INTEGER NOT NULL) STRICT;"
            "CREATE TABLE webhook (id INTEGER PRIMARY KEY AUTOINCREMENT, uuid BLOB NOT NULL UNIQUE,"
            " name TEXT NOT NULL, kind TEXT NOT NULL, event_types BLOB NOT NULL,"
            " branch_scope TEXT NOT NULL, node_kind TEXT NOT NULL, active INTEGER NOT NULL,"
            " description TEXT NOT NULL, url TEXT NOT NULL,"
            " validate_certificates INTEGER NOT NULL, shared_key TEXT NOT NULL,"
            " headers BLOB NOT NULL, timeout_ms INTEGER NOT NULL, retry_delays BLOB NOT NULL,"
            " retry_jitter REAL NOT NULL, signature_profile TEXT NOT NULL, accepted_profile TEXT,"
            " created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, version INTEGER NOT NULL,"
            " removed INTEGER NOT NULL) STRICT;"
            "CREATE UNIQUE INDEX webhook_name ON webhook (name) WHERE removed = 0;"
            "CREATE TABLE source_cursor (source TEXT PRIMARY KEY, cursor TEXT NOT NULL) STRICT;"
            "CREATE TABLE remembered (key TEXT PRIMARY KEY, request_digest TEXT NOT NULL,"
            " status INTEGER NOT NULL, body TEXT NOT NULL, location TEXT NOT NULL,"
            " created_at INTEGER NOT NULL) STRICT;"
            "CREATE INDEX remembered_age ON remembered (created_at);"
            "PRAGMA user_version = 1");
        put_older(db, "a", secrets[1], secrets[2]);
        put_older(db, "b", "env:prod", "file:/is/meant/so");
        put_older(db, "c", secrets[1] + "removed", secrets[2]);
        db.run("PRAGMA secure_delete=0; DELETE FROM webhook WHERE name = 'c'");
    }
    static void put_older(const sqlite::Database& db, const std::string& name,
                          const std::string& key, const std::string& header) {
        const std::string uuid = name + "123456789012345";
        const std::string url = "http://user:" + secrets[0] + "@receiver/hook";
        const std::string types = sqlite::pack(std::vector<std::string>{"all"});
        const std::string headers = sqlite::pack(std::vector<std::string>{"X-Deploy", header, ""});
        sqlite::Statement put = db.prepare(
            "INSERT INTO webhook VALUES (NULL, ?, ?, 'standard', ?, 'all_branches', '', 1, '', ?,"
            " 1, ?, ?, 15000, x'', 0.0, 'auto', NULL, 0, 0, 1, 0)");
        put.bind(as_bytes(uuid), name, as_bytes(types), url, key, as_bytes(headers));
        put.run();
    }
};

TEST_F(Sealing, NoSecretIsInAFileWhetherOpenOrClosed) {
    auto store = open();
    auto webhook = *store->put_webhook(secret_webhook(), std::nullopt);
    ASSERT_TRUE(store->remember({"key", secrets[3], 201, "{}", "", noon}));
    EXPECT_TRUE(found().empty()) << testing::PrintToString(found());
    webhook.description = "changed";
    ASSERT_TRUE(store->put_webhook(webhook, std::nullopt));
    EXPECT_TRUE(found().empty()) << testing::PrintToString(found());
    store.reset();
    EXPECT_TRUE(found().empty()) << testing::PrintToString(found());
    expect_filled();
}

TEST_F(Sealing, WhatATransformationMadeIsSealedAndOpensWithANewKeyToo) {
    const std::string key = "routing-key-7d1c4e";
    const MadeRequest made{"{\"key\":\"" + key + "\"}", "application/json", ""};
    Transformation code;
    code.uuid = event_id(1);
    code.name = "made";
    code.source = ".";
    code.environment = {{"KEY", key}};
    {
        auto store = open();
        ASSERT_TRUE(store->put_transformation(code, std::nullopt));
        Batch batch;
        batch.now = batch.lease_until = noon;
        batch.events.push_back(new_event(make_event(1), {for_webhook(1)}));
        const DeliveryId id = store->commit(batch)->events.at(0).deliveries.at(0);
        batch.events.clear();
        Settlement settlement{id, make_attempt(1, 500), DeliveryState::pending, noon};
        settlement.made = std::make_shared<const MadeRequest>(made);
        batch.settlements.push_back(std::move(settlement));
        ASSERT_TRUE(store->commit(batch));
    }
    const auto seen_in_a_file = [&] {
        return std::ranges::any_of(fs::recursive_directory_iterator(data), [&](const auto& entry) {
            return entry.is_regular_file() && bytes_of(entry.path()).contains(key);
        });
    };
    EXPECT_FALSE(seen_in_a_file());
    keys = {SealKey::random()};
    for (int start = 0; start < 2; ++start) {
        auto store = open();
        EXPECT_EQ(store->transformations()->front().environment, code.environment);
        const LaneRoom lane{WebhookId{1}, 1};
        const auto claimed = store->claim(noon, noon, {&lane, 1});
        ASSERT_EQ(claimed->size(), 1U);
        EXPECT_EQ(*claimed->front().made, made);
    }
    EXPECT_FALSE(seen_in_a_file());
}

TEST_F(Sealing, ARemovedWebhookLeavesNothingSealedBehindButItsUrl) {
    const Webhook webhook = fill();
    auto store = open();
    ASSERT_TRUE(store->remove_webhook(webhook.id, std::nullopt, noon));
    const Webhook removed = store->webhooks()->front();
    EXPECT_EQ(removed.shared_key, "");
    EXPECT_TRUE(removed.headers.empty());
    EXPECT_TRUE(removed.removed);
}

TEST_F(Sealing, WithoutAKeyOneIsMadeForTheOwnerAlone) {
    fill();
    const fs::path key = data / "secrets.key";
    EXPECT_EQ(fs::status(key).permissions(), fs::perms(0600));
    EXPECT_TRUE(SealKey::parse(bytes_of(key).substr(0, 64)));
    const std::string before = bytes_of(key);
    expect_filled();
    EXPECT_EQ(bytes_of(key), before) << "it is made once";
}

TEST_F(Sealing, WithAKeyNoneIsMade) {
    keys = {SealKey::random()};
    fill();
    EXPECT_FALSE(fs::exists(data / "secrets.key"));
    expect_filled();
}

TEST_F(Sealing, WithoutItsKeyTheStoreIsNotOpenedAndNotChanged) {
    keys = {SealKey::random()};
    fill();
    const std::string id = keys[0].id();
    keys = {SealKey::random()};
    refuses_to_open(id);
    keys = {};
    refuses_to_open(id);
    EXPECT_FALSE(fs::exists(data / "secrets.key")) << "a new key would hide that one is missing";
}

TEST_F(Sealing, AKeyFileThatIsLostDamagedOrOpenToOthersIsSaid) {
    fill();
    const fs::path key = data / "secrets.key";
    fs::permissions(key, fs::perms(0644));
    refuses_to_open("chmod 600");
    fs::permissions(key, fs::perms(0600));
    fs::rename(key, data / "away");
    refuses_to_open(key.string());
    std::ofstream(key) << "no key\n";
    fs::permissions(key, fs::perms(0600));
    refuses_to_open("openssl rand -hex 32");
    fs::rename(data / "away", key);
    expect_filled();
}

TEST_F(Sealing, ANewKeyReplacesTheOldOneAtTheStart) {
    keys = {SealKey::random()};
    fill();
    const SealKey old = keys[0];
    const std::string sealed_with_old = "sealed:v1:" + old.id();
    EXPECT_THAT(bytes_of(data / "herald.db"), HasSubstr(sealed_with_old));
    keys = {SealKey::random(), old};
    expect_filled();
    EXPECT_FALSE(bytes_of(data / "herald.db").contains(sealed_with_old));
    keys = {keys[0]};
    expect_filled();
    keys = {old};
    refuses_to_open("not given");
}

TEST_F(Sealing, AGivenKeyReplacesTheOneInTheDataDirectory) {
    fill();
    keys = {SealKey::random()};
    expect_filled();
    fs::remove(data / "secrets.key");
    expect_filled();
}

TEST_F(Sealing, WhatIsMovedToAnotherRowOrColumnIsNotOpened) {
    fill();
    {
        const sqlite::Database db(data / "herald.db", sqlite::Access::read_write);
        db.run("UPDATE webhook SET url = shared_key");
    }
    auto store = open();
    const auto webhooks = store->webhooks();
    ASSERT_FALSE(webhooks);
    EXPECT_THAT(webhooks.error().message, HasSubstr("damaged, or was moved"));
}

TEST_F(Sealing, AnOlderStoreIsSealedAndWiped) {
    make_older();
    ASSERT_FALSE(found().empty()) << "the test proves nothing otherwise";
    auto store = open();
    EXPECT_TRUE(found().empty()) << testing::PrintToString(found());
    const auto webhooks = *store->webhooks();
    ASSERT_EQ(webhooks.size(), 2U);
    EXPECT_EQ(webhooks[0].shared_key, secrets[1]);
    EXPECT_EQ(webhooks[0].url, secret_webhook().url);
    // What looks like a reference was none then.
    EXPECT_EQ(webhooks[1].shared_key, "plain:env:prod");
    EXPECT_EQ(webhooks[1].headers.at(0).value, "plain:file:/is/meant/so");
    store.reset();
    EXPECT_TRUE(found().empty()) << testing::PrintToString(found());
}

TEST_F(Sealing, ACrashBetweenSealingAndWipingLeavesNothing) {
    make_older();
    open().reset();
    {
        // What a crash after the seal, before the wipe leaves: the mark, and old bytes.
        const sqlite::Database db(data / "herald.db", sqlite::Access::read_write);
        db.run("PRAGMA secure_delete=0; CREATE TABLE old (text TEXT); INSERT INTO old VALUES ('" +
               secrets[0] + "'); DROP TABLE old; INSERT INTO meta VALUES ('wipe', x'31')");
    }
    ASSERT_FALSE(found().empty()) << "the test proves nothing otherwise";
    auto store = open();
    EXPECT_TRUE(found().empty()) << testing::PrintToString(found());
}

}  // namespace
}  // namespace herald::test
