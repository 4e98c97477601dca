#pragma once

#include <span>
#include <vector>

#include "store/sqlite/sqlite.h"
#include "store/store.h"

namespace herald::sqlite {

// The table `webhook_health` of herald.db.

[[nodiscard]] std::vector<WebhookHealth> read_health(const Database& db);
/// One transaction.
void put_health(const Database& db, std::span<const WebhookHealth> news);

}  // namespace herald::sqlite
