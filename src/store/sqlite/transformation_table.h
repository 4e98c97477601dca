#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/transformation.h"
#include "store/sqlite/sqlite.h"
#include "store/sqlite/vault.h"

namespace herald::sqlite {

// The table `transformation` of herald.db. Expected failures are as in Store; throws Failure.

[[nodiscard]] std::vector<Transformation> read_transformations(const Database& db,
                                                               const Vault& vault);
Result<> put_transformation(const Database& db, const Vault& vault,
                            const Transformation& transformation,
                            std::optional<std::uint64_t> expected_version);
Result<> remove_transformation(const Database& db, const Uuid& uuid,
                               std::optional<std::uint64_t> expected_version);

}  // namespace herald::sqlite
