#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace herald::sqlite {

/// What a failing call of SQLite throws within this room. The store's door turns it into an Error,
/// so that no caller outside sees it: a failure deep in a transaction unwinds to its rollback.
struct Failure {
    Errc code = Errc::internal;
    std::string message;
    bool fatal = false;  ///< the disk may hold something else than we believe: go on no more
};

/// A prepared statement. Parameters and columns count from 1 and from 0, as SQLite's do. Texts and
/// blobs are borrowed until the next step or reset.
class Statement {
public:
    Statement() = default;
    Statement(sqlite3* db, std::string_view sql);

    /// Binds all parameters from the first on.
    template <class... Values>
    Statement& bind(const Values&... values) {
        reset();
        int at = 0;
        (bind_value(++at, values), ...);
        return *this;
    }
    /// True: there is a row.
    bool step();
    /// Runs a statement that gives no row.
    void run();
    void reset();

    [[nodiscard]] std::int64_t integer(int column) const;
    /// The number as any narrower or enumeration type it was stored from.
    template <class T>
    [[nodiscard]] T as(int column) const {
        return static_cast<T>(integer(column));
    }
    [[nodiscard]] double real(int column) const;
    [[nodiscard]] std::string_view text(int column) const;  ///< of a text or a blob
    [[nodiscard]] bool is_null(int column) const;

    /// Binds one parameter: for lists whose length is known only when running.
    void bind_one(int at, std::int64_t value);
    void bind_one(int at, double value);
    void bind_one(int at, std::string_view value);
    void bind_one(int at, std::span<const std::uint8_t> blob);
    void bind_one(int at, std::nullptr_t);

private:
    /// Chooses one of the above: every whole number is bound as 64 bits.
    template <class Value>
    void bind_value(int at, const Value& value) {
        if constexpr (std::is_integral_v<Value>) {
            bind_one(at, static_cast<std::int64_t>(value));
        } else {
            bind_one(at, value);
        }
    }

    struct Finalize {
        void operator()(sqlite3_stmt* statement) const;
    };
    std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

/// A write-ahead log that has so many pages is copied back into its file.
inline constexpr int long_log_pages = 4'000;

enum class Access { read_only, read_write, create };

/// A connection, used by one thread. Closed by the destructor.
class Database {
public:
    /// In WAL mode with a full sync at every commit. A created file may be read by its owner only.
    Database(const std::filesystem::path& path, Access access);

    [[nodiscard]] Statement prepare(std::string_view sql) const;
    /// Runs statements that give no rows.
    void run(const std::string& sql) const;
    /// The one number that a query gives.
    [[nodiscard]] std::int64_t number(std::string_view sql) const;
    /// Rows changed by the last statement.
    [[nodiscard]] std::int64_t changes() const;
    /// Copies the write-ahead log into the file and empties it, as far as readers let it.
    void checkpoint() const;
    /// Hands over the care for the write-ahead log, which is otherwise copied back by the commit
    /// that makes it long: the listener hears after each commit how many pages it has. Without a
    /// listener it is as before.
    void on_commit(std::function<void(int pages)> listener);

private:
    struct Close {
        void operator()(sqlite3* db) const;
    };
    std::unique_ptr<std::function<void(int pages)>> on_commit_;  ///< stays where SQLite knows it
    std::unique_ptr<sqlite3, Close> db_;
};

/// Rolls back unless committed.
class Transaction {
public:
    explicit Transaction(const Database& db);
    ~Transaction();
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;

    /// Ends when everything is on disk.
    void commit();

private:
    const Database& db_;
    bool open_ = true;
};

}  // namespace herald::sqlite
