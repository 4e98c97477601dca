#include "store/sqlite/sqlite.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace herald::sqlite {

namespace {

/// Whether the call that failed was one for the disk, and no sync: then nothing was promised, and
/// SQLite rolls back.
bool is_plain_io(int code) {
    return (code & 0xFF) == SQLITE_IOERR && code != SQLITE_IOERR_FSYNC &&
           code != SQLITE_IOERR_DIR_FSYNC;
}

/// out_of_space or unavailable for what may pass by itself; internal: it is nothing of that kind.
Errc passing_failure(int code, int system_error) {
    const bool io = is_plain_io(code);
    const bool full = system_error == ENOSPC || system_error == EDQUOT;
    if ((code & 0xFF) == SQLITE_FULL || (io && full)) return Errc::out_of_space;
    const bool read_only = system_error == EROFS || system_error == EACCES || system_error == EPERM;
    return io && read_only ? Errc::unavailable : Errc::internal;
}

/// SQLite's result code in our terms; `system_error` is the errno that it left. What a failed sync
/// left on disk is unknown, and so is what a corrupt file holds: these are fatal.
Failure failure_of(sqlite3* db, int code, int system_error) {
    Failure failure;
    const char* said = db != nullptr ? sqlite3_errmsg(db) : sqlite3_errstr(code);
    failure.code = passing_failure(code, system_error);
    if (failure.code == Errc::out_of_space) {
        failure.message = "the disk is full: free space under the data directory";
        return failure;
    }
    if (failure.code == Errc::unavailable) {
        failure.message = "the data directory cannot be written: " +
                          std::generic_category().message(system_error);
        return failure;
    }
    switch (code & 0xFF) {
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
        case SQLITE_READONLY:
        case SQLITE_CANTOPEN:
        case SQLITE_PERM:
        case SQLITE_NOMEM: failure.code = Errc::unavailable; break;
        default: failure.fatal = true; break;
    }
    const char* file = db != nullptr ? sqlite3_db_filename(db, "main") : nullptr;
    failure.message =
        "the store failed: " + (file != nullptr ? std::string(file) + ": " : "") + said;
    return failure;
}

void check(sqlite3* db, int code) {
    const int system_error = errno;
    if (code == SQLITE_OK || code == SQLITE_ROW || code == SQLITE_DONE) return;
    throw failure_of(db, code, system_error);
}

/// What a step's code means, read before the reset that lets the statement be used again.
Failure failure_then_reset(sqlite3_stmt* statement, int code) {
    Failure failure = failure_of(sqlite3_db_handle(statement), code, errno);
    sqlite3_reset(statement);
    return failure;
}

/// An empty file is an empty database. The files beside it get the same rights from SQLite.
void create_private(const std::filesystem::path& path) {
    const int fd = ::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0) {
        throw Failure{
            errno == ENOSPC ? Errc::out_of_space : Errc::unavailable,
            "cannot write " + path.string() + ": " + std::generic_category().message(errno)};
    }
    ::close(fd);
}

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Statement::Statement(sqlite3* db, std::string_view sql) {
    sqlite3_stmt* made = nullptr;
    check(db, sqlite3_prepare_v3(db, sql.data(), static_cast<int>(sql.size()),
                                 SQLITE_PREPARE_PERSISTENT, &made, nullptr));
    statement_.reset(made);
}

bool Statement::step() {
    errno = 0;
    const int code = sqlite3_step(statement_.get());
    if (code == SQLITE_ROW) return true;
    if (code != SQLITE_DONE) {
        throw failure_then_reset(statement_.get(), code);
    }
    return false;
}

void Statement::run() {
    step();
    reset();
}

void Statement::reset() { sqlite3_reset(statement_.get()); }

std::int64_t Statement::integer(int column) const {
    return sqlite3_column_int64(statement_.get(), column);
}

double Statement::real(int column) const { return sqlite3_column_double(statement_.get(), column); }

std::string_view Statement::text(int column) const {
    const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_.get(), column));
    if (bytes == nullptr) return {};
    return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

bool Statement::is_null(int column) const {
    return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

void Statement::bind_one(int at, std::int64_t value) {
    check(sqlite3_db_handle(statement_.get()), sqlite3_bind_int64(statement_.get(), at, value));
}

void Statement::bind_one(int at, double value) {
    check(sqlite3_db_handle(statement_.get()), sqlite3_bind_double(statement_.get(), at, value));
}

void Statement::bind_one(int at, std::string_view value) {
    const char* data = value.data() != nullptr ? value.data() : "";
    check(
        sqlite3_db_handle(statement_.get()),
        sqlite3_bind_text64(statement_.get(), at, data, value.size(), SQLITE_STATIC, SQLITE_UTF8));
}

void Statement::bind_one(int at, std::span<const std::uint8_t> blob) {
    const void* data = blob.data() != nullptr ? static_cast<const void*>(blob.data()) : "";
    check(sqlite3_db_handle(statement_.get()),
          sqlite3_bind_blob64(statement_.get(), at, data, blob.size(), SQLITE_STATIC));
}

void Statement::bind_one(int at, std::nullptr_t) {
    check(sqlite3_db_handle(statement_.get()), sqlite3_bind_null(statement_.get(), at));
}

void Database::Close::operator()(sqlite3* db) const { sqlite3_close_v2(db); }

Database::Database(const std::filesystem::path& path, Access access) {
    // A connection of ours is used by one thread: no mutex in SQLite.
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    // A reader of a WAL file has to write its shared memory, so read_only is by query_only.
    flags |= SQLITE_OPEN_READWRITE;
    if (access == Access::create) create_private(path);
    sqlite3* opened = nullptr;
    const int code = sqlite3_open_v2(path.c_str(), &opened, flags, nullptr);
    db_.reset(opened);
    check(opened, code);
    sqlite3_busy_timeout(opened, 5'000);
    // Of a file that holds something these would write the header and change nothing else.
    if (access == Access::create && number("PRAGMA page_count") == 0) {
        run("PRAGMA page_size=8192; PRAGMA auto_vacuum=INCREMENTAL");
    }
    if (access != Access::read_only) {
        run("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-8192");
        on_commit(nullptr);
    } else {
        run("PRAGMA query_only=1; PRAGMA cache_size=-1024");
    }
    run("PRAGMA temp_store=MEMORY; PRAGMA trusted_schema=0");
}

Statement Database::prepare(std::string_view sql) const { return Statement(db_.get(), sql); }

void Database::run(const std::string& sql) const {
    errno = 0;
    check(db_.get(), sqlite3_exec(db_.get(), sql.c_str(), nullptr, nullptr, nullptr));
}

std::int64_t Database::number(std::string_view sql) const {
    Statement statement = prepare(sql);
    return statement.step() ? statement.integer(0) : 0;
}

std::int64_t Database::changes() const { return sqlite3_changes64(db_.get()); }

void Database::checkpoint() const {
    const int code =
        sqlite3_wal_checkpoint_v2(db_.get(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
    if ((code & 0xFF) != SQLITE_BUSY) check(db_.get(), code);
}

void Database::on_commit(std::function<void(int pages)> listener) {
    if (!listener) {
        sqlite3_wal_autocheckpoint(db_.get(), long_log_pages);
        on_commit_.reset();
        return;
    }
    on_commit_ = std::make_unique<std::function<void(int pages)>>(std::move(listener));
    const auto tell = [](void* self, sqlite3*, const char*, int pages) {
        (*static_cast<std::function<void(int pages)>*>(self))(pages);
        return SQLITE_OK;
    };
    sqlite3_wal_hook(db_.get(), tell, on_commit_.get());
}

Transaction::Transaction(const Database& db) : db_(db) { db_.run("BEGIN IMMEDIATE"); }

Transaction::~Transaction() {
    if (!open_) return;
    try {
        db_.run("ROLLBACK");
    } catch (const Failure&) {
        // SQLite has rolled back by itself, as it does after most failures.
        return;
    }
}

void Transaction::commit() {
    db_.run("COMMIT");
    open_ = false;
}

}  // namespace herald::sqlite
