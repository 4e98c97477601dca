#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/seal.h"
#include "store/sqlite/segment_list.h"
#include "store/sqlite/sqlite.h"

namespace herald::sqlite {

/// Seals what is secret in herald.db, so that a copy of the file tells none of it: URLs, shared
/// keys, headers and options of webhooks, transformations and what they made, and the digests of
/// remembered requests. Each value is bound to its row and column. An empty value stays empty.
class Vault {
public:
    /// Finds the keys: those given, and the one in the data directory, which is made when there is
    /// none at all. Throws Failure when what the file is sealed with is not among them. Changes
    /// nothing in the file.
    Vault(const Database& db, const Layout& layout, const std::vector<SealKey>& given);

    /// Seals what an older herald has stored in plain, or what is sealed with an older key, and
    /// wipes what it was before from the file.
    void renew(const Database& db) const;

    /// `row` is the uuid of a webhook or a transformation, the number of a delivery, or the key of
    /// a remembered answer.
    [[nodiscard]] std::string seal(std::string_view row, std::string_view column,
                                   std::string_view text) const;
    [[nodiscard]] std::string open(std::string_view row, std::string_view column,
                                   std::string_view sealed) const;

private:
    struct Column;
    /// Whether there was something to seal.
    bool renew(const Database& db, const Column& column) const;
    [[nodiscard]] std::string renewed(std::string_view row, std::string_view column,
                                      std::string_view stored) const;

    std::string sealed_with_;  ///< id of the key when it was opened; empty: nothing was sealed
    std::vector<SealKey> keys_;  ///< never empty
    Sealer sealer_;
};

}  // namespace herald::sqlite
