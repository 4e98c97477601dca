#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "store/sqlite/batch_writer.h"
#include "store/sqlite/claims.h"
#include "store/sqlite/health_table.h"
#include "store/sqlite/log_state.h"
#include "store/sqlite/sqlite_reader.h"
#include "store/sqlite/transformation_table.h"
#include "store/sqlite/upkeep.h"
#include "store/store.h"

namespace herald {

namespace sqlite {

namespace {

/// Held as long as the store is open: one process a data directory.
class DirectoryLock {
public:
    static Result<DirectoryLock> take(const std::filesystem::path& path) {
        DirectoryLock lock(::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600));
        if (lock.fd_ < 0) {
            return fail(Errc::unavailable, "cannot write " + path.string() + ": " +
                                               std::generic_category().message(errno));
        }
        if (::flock(lock.fd_, LOCK_EX | LOCK_NB) != 0) {
            return fail(Errc::conflict, path.parent_path().string() +
                                            " is in use by another herald: stop it, or choose"
                                            " another data_dir");
        }
        return lock;
    }
    DirectoryLock(DirectoryLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    DirectoryLock& operator=(DirectoryLock&&) = delete;
    ~DirectoryLock() {
        if (fd_ >= 0) ::close(fd_);
    }

private:
    explicit DirectoryLock(int fd) : fd_(fd) {}
    int fd_;
};

/// The Store's functions over the parts of this room: keeps the rule that after a fatal failure
/// nothing is done any more.
class SqliteStore final : public Store {
public:
    SqliteStore(const StoreOptions& options, DirectoryLock lock)
        : lock_(std::move(lock)),
          main_(Layout{options.data_dir}, options.seal_keys),
          shared_(std::make_shared<Shared>(Layout{options.data_dir})),
          log_(options, main_, shared_, now()) {}

    Result<Committed> commit(const Batch& batch) override {
        return guard([&] { return commit_batch(log_, batch); });
    }
    Result<std::vector<Claimed>> claim(Time now, Time lease_until,
                                       std::span<const LaneRoom> lanes) override {
        return guard([&] { return claim_due(log_, now, lease_until, lanes); });
    }
    Result<std::vector<DueWebhook>> due() override {
        return guard([&] { return log_.open.due(); });
    }
    Result<std::size_t> cancel_some(WebhookId webhook, std::size_t limit, Time now) override;

    Result<std::vector<Webhook>> webhooks() override {
        return guard([&] { return main_.webhooks(); });
    }
    Result<Webhook> put_webhook(Webhook webhook,
                                std::optional<std::uint64_t> expected_version) override {
        return guard([&] { return main_.put_webhook(std::move(webhook), expected_version); });
    }
    Result<> remove_webhook(WebhookId id, std::optional<std::uint64_t> expected_version,
                            Time now) override {
        return guard([&] { return main_.remove_webhook(id, expected_version, now); });
    }
    Result<std::vector<Transformation>> transformations() override {
        return guard([&] { return read_transformations(main_.db(), main_.vault()); });
    }
    Result<> put_transformation(const Transformation& transformation,
                                std::optional<std::uint64_t> expected_version) override {
        return guard([&] {
            return sqlite::put_transformation(main_.db(), main_.vault(), transformation,
                                              expected_version);
        });
    }
    Result<> remove_transformation(const Uuid& uuid,
                                   std::optional<std::uint64_t> expected_version) override {
        return guard(
            [&] { return sqlite::remove_transformation(main_.db(), uuid, expected_version); });
    }
    Result<std::vector<WebhookHealth>> health() override {
        return guard([&] { return read_health(main_.db()); });
    }
    Result<> put_health(std::span<const WebhookHealth> news) override {
        return guard([&] {
            sqlite::put_health(main_.db(), news);
            return Result<>{};
        });
    }
    Result<std::vector<Job>> jobs() override {
        return guard([&] { return all_jobs(log_.jobs); });
    }
    Result<std::optional<RememberedAnswer>> remembered(std::string_view key, Time now) override {
        return guard([&] { return main_.remembered(key, now); });
    }
    Result<> remember(const RememberedAnswer& answer) override {
        return guard([&] {
            main_.remember(answer);
            return Result<>{};
        });
    }
    Result<std::string> cursor(std::string_view source) override {
        return guard([&] { return main_.cursor(source); });
    }
    Result<> set_cursor(std::string_view source, std::string_view cursor) override {
        return guard([&] {
            main_.set_cursor(source, cursor);
            return Result<>{};
        });
    }
    Result<bool> tend(const Retention& retention, Time now) override {
        return guard([&] { return tend_log(log_, retention, now); });
    }
    std::unique_ptr<StoreReader> reader() override { return make_reader(shared_); }

private:
    static Time now() {
        return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
    }

    template <class T>
    struct AsResult {
        using type = Result<T>;
    };
    template <class T>
    struct AsResult<Result<T>> {
        using type = Result<T>;
    };

    template <class Work>
    auto guard(Work work) -> typename AsResult<decltype(work())>::type {
        if (broken_) return fail(Errc::internal, "the store has failed: restart herald");
        try {
            return work();
        } catch (const Failure& failure) {
            broken_ = failure.fatal;
            return fail(failure.code, failure.message);
        } catch (const std::filesystem::filesystem_error& failure) {
            return fail(Errc::unavailable, failure.what());
        }
    }

    DirectoryLock lock_;
    MainDb main_;
    std::shared_ptr<Shared> shared_;
    LogState log_;
    bool broken_ = false;
};

Result<std::size_t> SqliteStore::cancel_some(WebhookId webhook, std::size_t limit, Time now) {
    Batch batch;
    batch.now = now;
    for (const std::uint64_t seq : log_.open.idle(webhook, now, limit)) {
        Settlement settlement;
        settlement.delivery = log_.ids.make(seq);
        settlement.state = DeliveryState::cancelled;
        settlement.due_at = now;
        batch.settlements.push_back(std::move(settlement));
    }
    if (batch.settlements.empty()) return 0;
    const auto committed = commit(batch);
    if (!committed) return fail(committed.error());
    return batch.settlements.size();
}

}  // namespace

}  // namespace sqlite

Result<std::unique_ptr<Store>> open_sqlite_store(const StoreOptions& options) {
    std::error_code error;
    const bool created = std::filesystem::create_directories(options.data_dir, error);
    if (error) {
        return fail(Errc::unavailable, "cannot make the data directory " +
                                           options.data_dir.string() + ": " + error.message());
    }
    if (created) ::chmod(options.data_dir.c_str(), 0700);
    auto lock = sqlite::DirectoryLock::take(sqlite::Layout{options.data_dir}.lock());
    if (!lock) return fail(lock.error());
    try {
        return std::make_unique<sqlite::SqliteStore>(options, std::move(*lock));
    } catch (const sqlite::Failure& failure) {
        return fail(failure.code, failure.message);
    } catch (const std::filesystem::filesystem_error& failure) {
        return fail(Errc::unavailable, failure.what());
    }
}

}  // namespace herald
