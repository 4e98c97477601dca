#pragma once

#include <span>
#include <vector>

#include "store/sqlite/sqlite.h"
#include "store/store.h"

namespace herald::sqlite {

/// Makes the table when it is missing (health.sql).
void make_health_table(const Database& db);
[[nodiscard]] std::vector<WebhookHealth> read_health(const Database& db);
/// One transaction.
void put_health(const Database& db, std::span<const WebhookHealth> news);

}  // namespace herald::sqlite
