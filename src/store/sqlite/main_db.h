#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/sqlite/delivery_ids.h"
#include "store/sqlite/segment_list.h"
#include "store/sqlite/sqlite.h"
#include "store/sqlite/vault.h"
#include "store/store.h"

namespace herald::sqlite {

/// herald.db: what people configure, and what is small. Each change is one transaction, on disk
/// when the call returns. Throws Failure; expected failures are as in Store.
class MainDb {
public:
    /// Opens it, creating or migrating it. A file of a newer herald is refused, and one that is
    /// sealed with a key that is not there: nothing was changed then.
    MainDb(const Layout& layout, const std::vector<SealKey>& keys);

    [[nodiscard]] const Database& db() const { return db_; }
    [[nodiscard]] const Vault& vault() const { return vault_; }
    /// What delivery ids are salted with, the oldest era first.
    [[nodiscard]] std::vector<Era> eras() const;
    /// Begins a new one; it takes the place of one that gave no id.
    void begin_era(std::uint64_t first_delivery);

    [[nodiscard]] std::vector<Webhook> webhooks() const;
    Result<Webhook> put_webhook(Webhook webhook, std::optional<std::uint64_t> expected_version);
    Result<> remove_webhook(WebhookId id, std::optional<std::uint64_t> expected_version, Time now);

    [[nodiscard]] std::optional<RememberedAnswer> remembered(std::string_view key, Time now) const;
    void remember(const RememberedAnswer& answer);
    /// Removes some answers that are too old; whether there may be more.
    bool forget_old_answers(Time now);

    [[nodiscard]] std::string cursor(std::string_view source) const;
    void set_cursor(std::string_view source, std::string_view cursor);

private:
    Result<> check_version(WebhookId id, std::optional<std::uint64_t> expected_version) const;
    [[nodiscard]] bool name_is_taken(const Webhook& webhook) const;

    Database db_;
    Vault vault_;
};

}  // namespace herald::sqlite
