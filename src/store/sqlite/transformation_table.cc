#include "store/sqlite/transformation_table.h"

#include <algorithm>
#include <cstring>
#include <string>

namespace herald::sqlite {

namespace {

std::string row_name(const Uuid& uuid) { return {uuid.bytes.begin(), uuid.bytes.end()}; }

Result<> check_version(const Database& db, const Uuid& uuid,
                       std::optional<std::uint64_t> expected) {
    Statement row = db.prepare("SELECT version FROM transformation WHERE uuid = ?");
    row.bind(uuid.bytes);
    if (!row.step()) return fail(Errc::not_found, "no such transformation");
    if (expected && row.as<std::uint64_t>(0) != *expected) {
        return fail(Errc::precondition_failed,
                    "the transformation was changed since it was read: read it again");
    }
    return {};
}

}  // namespace

std::vector<Transformation> read_transformations(const Database& db, const Vault& vault) {
    Statement rows = db.prepare(
        "SELECT uuid, body, created_at, updated_at, version FROM transformation ORDER BY name");
    std::vector<Transformation> all;
    while (rows.step()) {
        const std::string row(rows.text(0));
        auto read = read_stored_transformation(vault.open(row, "body", rows.text(1)));
        if (!read) throw Failure{Errc::internal, read.error().message, true};
        Transformation& one = all.emplace_back(std::move(*read));
        std::memcpy(one.uuid.bytes.data(), row.data(), std::min(row.size(), one.uuid.bytes.size()));
        one.created_at = from_micros(rows.integer(2));
        one.updated_at = from_micros(rows.integer(3));
        one.version = rows.as<std::uint64_t>(4);
    }
    return all;
}

Result<> put_transformation(const Database& db, const Vault& vault,
                            const Transformation& transformation,
                            std::optional<std::uint64_t> expected) {
    Transaction change(db);
    const Uuid& uuid = transformation.uuid;
    if (expected) {
        if (auto same = check_version(db, uuid, expected); !same) return same;
    }
    Statement other = db.prepare("SELECT 1 FROM transformation WHERE name = ? AND uuid <> ?");
    other.bind(transformation.name, uuid.bytes);
    if (other.step()) {
        return fail(Error{Errc::conflict,
                          "there is a transformation with this name",
                          {{"/name", "is taken by another transformation: choose another"}}});
    }
    Statement put = db.prepare("INSERT OR REPLACE INTO transformation VALUES (?, ?, ?, ?, ?, ?)");
    const std::string sealed = vault.seal(row_name(uuid), "body", stored_text(transformation));
    put.bind(uuid.bytes, transformation.name, sealed, to_micros(transformation.created_at),
             to_micros(transformation.updated_at), transformation.version);
    put.run();
    change.commit();
    return {};
}

Result<> remove_transformation(const Database& db, const Uuid& uuid,
                               std::optional<std::uint64_t> expected) {
    Transaction change(db);
    if (auto same = check_version(db, uuid, expected); !same) return same;
    Statement remove = db.prepare("DELETE FROM transformation WHERE uuid = ?");
    remove.bind(uuid.bytes);
    remove.run();
    change.commit();
    return {};
}

}  // namespace herald::sqlite
