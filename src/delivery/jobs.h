#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "async/clock.h"
#include "async/signal.h"
#include "async/task_group.h"
#include "async/worker.h"
#include "base/metrics.h"
#include "core/job.h"
#include "delivery/catalog.h"
#include "delivery/committer.h"
#include "delivery/dispatcher.h"
#include "delivery/job_items.h"
#include "delivery/readers.h"
#include "store/store.h"

namespace herald {

/// What a job would do, found out without doing it.
struct JobEstimate {
    std::uint64_t count = 0;      ///< deliveries it would make or cancel
    std::uint64_t skipped = 0;    ///< in its scope, but nothing is to be done
    bool capped = false;          ///< there may be more: the look stopped at a bound
    std::vector<JobItem> sample;  ///< the first limits::job_sample of them
};

enum class JobChange { pause, resume, cancel };

/// Runs jobs (core/job.h), page by page and in turns: reads what is next, makes it and stores how
/// far it is in one transaction, rests by the job's rate, and waits while a webhook has
/// limits::job_backlog pending. All changes of jobs happen in one coroutine, one after the other.
/// Lives on the loop thread.
class Jobs {
public:
    Jobs(boost::asio::any_io_executor executor, Store& store, Worker& writer, Readers& readers,
         Catalog& catalog, Committer& committer, Dispatcher& dispatcher, const Clock& clock,
         Metrics& metrics);
    ~Jobs();

    /// Reads all jobs from the store. Running ones go on where they stopped.
    boost::asio::awaitable<Result<>> load();
    void start(TaskGroup& tasks);
    /// Begins nothing more: the page in hand is the last.
    void stop();

    struct Shown {
        Job job;
        Catalog::Entry waits_for;  ///< the webhook whose backlog it waits for; nullptr: none
    };
    /// The newest first.
    [[nodiscard]] std::vector<Shown> all() const;
    [[nodiscard]] std::optional<Shown> find(Uuid id) const;

    /// Gives it an id and its times, stores it and begins. Errc::invalid names the fields;
    /// Errc::conflict: limits::jobs of them are unfinished.
    boost::asio::awaitable<Result<Job>> create(Job job);
    /// Errc::not_found; Errc::conflict: it is finished, or is so already.
    boost::asio::awaitable<Result<Job>> change(Uuid id, JobChange change);
    /// Looks through the scope of a job that is not created, for at most a few seconds.
    boost::asio::awaitable<Result<JobEstimate>> estimate(Job job);

private:
    struct Entry;
    struct Request;
    using Steady = std::chrono::steady_clock::time_point;

    boost::asio::awaitable<void> run();
    [[nodiscard]] Entry* next_entry();
    boost::asio::awaitable<Result<Job>> ask(Request& request);
    boost::asio::awaitable<void> serve(Request& request);
    boost::asio::awaitable<Result<Job>> put_new(Job job);
    boost::asio::awaitable<Result<Job>> put_changed(Uuid id, JobChange change);

    boost::asio::awaitable<void> step(Entry& entry);
    boost::asio::awaitable<Result<JobItems>> read(const Job& job, std::size_t limit);
    boost::asio::awaitable<Result<>> measure_room();
    [[nodiscard]] std::size_t room_of(WebhookId webhook) const;
    boost::asio::awaitable<Result<>> make(Entry& entry, const JobItems& found);
    boost::asio::awaitable<Result<>> store_page(Entry& entry, Job after, JobPage page);
    boost::asio::awaitable<void> fail_job(Entry& entry, std::string reason);
    void note(const Job& job);
    void count_states();

    Store& store_;
    Worker& writer_;
    Readers& readers_;
    Catalog& catalog_;
    Committer& committer_;
    Dispatcher& dispatcher_;
    const Clock& clock_;
    Metrics& metrics_;
    boost::asio::any_io_executor executor_;
    Signal work_;
    std::map<Uuid, std::unique_ptr<Entry>> entries_;
    std::map<WebhookId, std::uint64_t> pending_;  ///< as measured for the page in hand
    std::deque<Request*> requests_;
    bool stopping_ = false;
    bool ended_ = true;  ///< nobody serves requests
};

}  // namespace herald
