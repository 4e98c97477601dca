#include "store/sqlite/vault.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <optional>
#include <system_error>
#include <utility>

#include "base/bytes.h"
#include "core/reference.h"
#include "store/sqlite/pack.h"

namespace herald::sqlite {

/// A column that is sealed, and the one that names its row.
struct Vault::Column {
    std::string_view table;
    std::string_view row;
    std::string_view name;
    std::string_view type;
};

namespace {

std::string place(std::string_view row, std::string_view column) {
    return std::string(row) + "/" + std::string(column);
}

Failure cannot(const std::string& what, const std::filesystem::path& path) {
    const Errc code = errno == ENOSPC ? Errc::out_of_space : Errc::unavailable;
    return {code,
            "cannot " + what + " " + path.string() + ": " + std::generic_category().message(errno)};
}

/// The id of the key that everything is sealed with; empty: nothing is.
std::string stored_key_id(const Database& db) {
    if (db.number("SELECT count(*) FROM sqlite_schema WHERE name = 'meta'") == 0) return {};
    Statement row = db.prepare("SELECT value FROM meta WHERE key = 'seal_key'");
    return row.step() ? std::string(row.text(0)) : std::string();
}

/// The key in the data directory; nullopt: there is none.
std::optional<SealKey> read_key(const std::filesystem::path& path) {
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0) {
        if (errno == ENOENT) return std::nullopt;
        throw cannot("read", path);
    }
    if ((status.st_mode & 0077) != 0) {
        throw Failure{Errc::unavailable,
                      path.string() + " can be read by others than its owner: chmod 600 it"};
    }
    std::ifstream file(path);
    std::string text;
    if (!std::getline(file, text)) throw cannot("read", path);
    auto key = SealKey::parse(text);
    if (!key) throw Failure{Errc::unavailable, path.string() + " " + key.error().message};
    return std::move(*key);
}

class File {
public:
    File(const std::filesystem::path& path, int flags)
        : path_(path), fd_(::open(path.c_str(), flags | O_CLOEXEC, 0600)) {
        if (fd_ < 0) throw cannot("write", path_);
    }
    ~File() { ::close(fd_); }
    File(const File&) = delete;
    File& operator=(const File&) = delete;

    void write(std::string_view text) const {
        const auto size = static_cast<ssize_t>(text.size());
        if (::write(fd_, text.data(), text.size()) != size) throw cannot("write", path_);
    }
    void sync() const {
        if (::fsync(fd_) != 0) throw cannot("write", path_);
    }

private:
    std::filesystem::path path_;
    int fd_;
};

/// On disk as a whole before anything is sealed with it: a lost key loses every secret.
SealKey make_key(const std::filesystem::path& path) {
    SealKey key = SealKey::random();
    const std::filesystem::path beside = path.string() + ".new";
    const File file(beside, O_CREAT | O_TRUNC | O_WRONLY);
    file.write(key.text() + "\n");
    file.sync();
    std::filesystem::rename(beside, path);
    File(path.parent_path(), O_RDONLY | O_DIRECTORY).sync();
    return key;
}

std::vector<SealKey> find_keys(const Layout& layout, std::vector<SealKey> keys,
                               const std::string& sealed_with) {
    const std::filesystem::path path = layout.secret_key();
    if (auto local = read_key(path)) keys.push_back(std::move(*local));
    if (keys.empty() && sealed_with.empty()) keys.push_back(make_key(path));
    const bool found = std::ranges::find(keys, sealed_with, &SealKey::id) != keys.end();
    if (sealed_with.empty() || found) return keys;
    throw Failure{Errc::unavailable,
                  "the secrets in " + layout.main().string() + " are sealed with the key " +
                      sealed_with +
                      ", which is not given: add it to secrets.key (HERALD_SECRETS_KEY), or put "
                      "it back as " +
                      path.string()};
}

/// A text that was stored before there were references stands for itself.
std::string without_references(std::string_view column, std::string_view text) {
    if (column == "shared_key") return as_plain(text);
    if (column != "headers") return std::string(text);
    std::vector<std::string> texts = unpack_texts(text);
    for (std::size_t i = 0; i + 2 < texts.size(); i += 3) {
        const bool from_environment = !texts[i + 2].empty();
        if (!from_environment) texts[i + 1] = as_plain(texts[i + 1]);
    }
    return pack(texts);
}

void set_meta(const Database& db, std::string_view key, std::string_view value) {
    Statement put = db.prepare("INSERT OR REPLACE INTO meta VALUES (?, ?)");
    put.bind(key, as_bytes(value));
    put.run();
}

/// What was overwritten lies in free pages and in the write-ahead log still.
void wipe(const Database& db) {
    db.run("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)");
    db.run("DELETE FROM meta WHERE key = 'wipe'");
}

}  // namespace

Vault::Vault(const Database& db, const Layout& layout, const std::vector<SealKey>& given)
    : sealed_with_(stored_key_id(db)),
      keys_(find_keys(layout, given, sealed_with_)),
      sealer_(keys_) {}

std::string Vault::seal(std::string_view row, std::string_view column,
                        std::string_view text) const {
    return text.empty() ? std::string() : sealer_.seal(text, place(row, column));
}

std::string Vault::open(std::string_view row, std::string_view column,
                        std::string_view sealed) const {
    if (sealed.empty()) return {};
    auto text = sealer_.open(sealed, place(row, column));
    if (!text) throw Failure{text.error().code, text.error().message};
    return std::move(*text);
}

std::string Vault::renewed(std::string_view row, std::string_view column,
                           std::string_view stored) const {
    if (sealed_with_.empty()) return seal(row, column, without_references(column, stored));
    return seal(row, column, open(row, column, stored));
}

bool Vault::renew(const Database& db, const Column& column) const {
    const std::string table(column.table);
    const std::string name(column.name);
    Statement rows = db.prepare("SELECT rowid, " + std::string(column.row) + ", " + name +
                                " FROM " + table + " WHERE length(" + name + ") > 0");
    std::vector<std::pair<std::int64_t, std::string>> sealed;
    while (rows.step()) {
        sealed.emplace_back(rows.integer(0), renewed(rows.text(1), name, rows.text(2)));
    }
    Statement put = db.prepare("UPDATE " + table + " SET " + name + " = CAST(?2 AS " +
                               std::string(column.type) + ") WHERE rowid = ?1");
    for (const auto& [id, text] : sealed) {
        put.bind(id, std::string_view(text));
        put.run();
    }
    return !sealed.empty();
}

void Vault::renew(const Database& db) const {
    db.run("PRAGMA secure_delete=1");
    static constexpr std::array columns{
        Column{"webhook", "uuid", "url", "TEXT"},
        Column{"webhook", "uuid", "shared_key", "TEXT"},
        Column{"webhook", "uuid", "headers", "BLOB"},
        Column{"webhook", "uuid", "options", "TEXT"},
        Column{"remembered", "key", "request_digest", "TEXT"},
        Column{"transformation", "uuid", "body", "TEXT"},
        Column{"made_request", "delivery", "body", "TEXT"},
    };
    if (sealed_with_ != keys_.front().id()) {
        Transaction change(db);
        bool changed = false;
        for (const Column& column : columns) changed = renew(db, column) || changed;
        set_meta(db, "seal_key", keys_.front().id());
        // Remembered, so that a crash in between leaves nothing behind.
        if (changed) set_meta(db, "wipe", "1");
        change.commit();
    }
    if (db.number("SELECT count(*) FROM meta WHERE key = 'wipe'") != 0) wipe(db);
}

}  // namespace herald::sqlite
