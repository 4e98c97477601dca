#include "delivery/jobs.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "core/limits.h"
#include "core/matching.h"

namespace herald {

namespace {

using boost::asio::awaitable;

/// How long a job waits for room, or until it tries again what failed.
constexpr auto look_again = std::chrono::milliseconds{250};
/// An estimate stops then and says so.
constexpr auto estimate_at_most = std::chrono::seconds{5};

/// Slow jobs take small pages, so that they make a little every second.
std::size_t page_size(const Job& job) {
    if (job.rate == 0) return limits::job_page;
    return std::min<std::size_t>(job.rate, limits::job_page);
}

}  // namespace

struct Jobs::Entry {
    Job job;
    Steady ready_at{};                   ///< of its next page
    std::optional<WebhookId> waits_for;  ///< its backlog is too long
};

/// What a caller wants done; lives in its coroutine frame.
struct Jobs::Request {
    explicit Request(const boost::asio::any_io_executor& executor) : done(executor) {}

    std::optional<Job> fresh;  ///< to create; otherwise to change
    Uuid id;
    JobChange change = JobChange::pause;
    std::optional<Result<Job>> result;
    Signal done;
};

Jobs::Jobs(boost::asio::any_io_executor executor, Store& store, Worker& writer, Readers& readers,
           Catalog& catalog, Committer& committer, Dispatcher& dispatcher, const Clock& clock,
           Metrics& metrics)
    : store_(store),
      writer_(writer),
      readers_(readers),
      catalog_(catalog),
      committer_(committer),
      dispatcher_(dispatcher),
      clock_(clock),
      metrics_(metrics),
      executor_(executor),
      work_(executor) {}

Jobs::~Jobs() = default;

awaitable<Result<>> Jobs::load() {
    auto ask = [&store = store_] { return store.jobs(); };
    auto stored = co_await writer_.run(std::move(ask));
    if (!stored) co_return fail(stored.error());
    for (Job& job : *stored) {
        auto entry = std::make_unique<Entry>();
        entry->job = std::move(job);
        entries_[entry->job.id] = std::move(entry);
    }
    count_states();
    co_return Result<>{};
}

void Jobs::start(TaskGroup& tasks) {
    ended_ = false;
    tasks.start(run());
}

void Jobs::stop() {
    stopping_ = true;
    work_.wake();
}

std::vector<Jobs::Shown> Jobs::all() const {
    std::vector<Shown> jobs;
    for (const auto& [id, entry] : entries_) jobs.push_back(*find(id));
    std::ranges::sort(jobs, [](const Shown& a, const Shown& b) {
        return std::pair(a.job.created_at, a.job.id) > std::pair(b.job.created_at, b.job.id);
    });
    return jobs;
}

std::optional<Jobs::Shown> Jobs::find(Uuid id) const {
    const auto found = entries_.find(id);
    if (found == entries_.end()) return std::nullopt;
    const Entry& entry = *found->second;
    const bool waits = entry.waits_for && entry.job.state == JobState::running;
    return Shown{entry.job, waits ? catalog_.find(*entry.waits_for) : nullptr};
}

awaitable<Result<Job>> Jobs::create(Job job) {
    job.id = Uuid::random();
    job.created_at = clock_.now();
    job.updated_at = job.created_at;
    if (auto valid = validate(job); !valid) co_return fail(valid.error());
    Request request(executor_);
    request.fresh = std::move(job);
    co_return co_await ask(request);
}

awaitable<Result<Job>> Jobs::change(Uuid id, JobChange change) {
    Request request(executor_);
    request.id = id;
    request.change = change;
    co_return co_await ask(request);
}

awaitable<Result<Job>> Jobs::ask(Request& request) {
    if (ended_) co_return fail(Errc::unavailable, "herald is stopping");
    requests_.push_back(&request);
    work_.wake();
    // The request is on the caller's frame, so a cancelled caller waits on: for one page at most.
    while (!request.result) co_await request.done.wait();
    co_return std::move(*request.result);
}

awaitable<void> Jobs::run() {
    for (;;) {
        if (!requests_.empty()) {
            Request* request = requests_.front();
            requests_.pop_front();
            co_await serve(*request);
            continue;
        }
        const auto state = co_await boost::asio::this_coro::cancellation_state;
        if (stopping_ || state.cancelled() != boost::asio::cancellation_type::none) break;
        Entry* next = next_entry();
        if (next == nullptr) {
            co_await work_.wait();
        } else if (next->ready_at > clock_.steady()) {
            co_await work_.wait_until(next->ready_at);
        } else {
            co_await step(*next);
        }
    }
    ended_ = true;
}

/// The running job whose turn comes first.
Jobs::Entry* Jobs::next_entry() {
    Entry* next = nullptr;
    for (const auto& [id, entry] : entries_) {
        if (entry->job.state != JobState::running) continue;
        if (next == nullptr || entry->ready_at < next->ready_at) next = entry.get();
    }
    return next;
}

awaitable<void> Jobs::serve(Request& request) {
    if (request.fresh) {
        request.result = co_await put_new(std::move(*request.fresh));
    } else {
        request.result = co_await put_changed(request.id, request.change);
    }
    request.done.wake();
}

awaitable<Result<Job>> Jobs::put_new(Job job) {
    JobPage page;
    page.jobs.push_back(job);
    if (entries_.size() >= limits::jobs) {
        const Entry* oldest = nullptr;
        for (const auto& [id, entry] : entries_) {
            if (!is_final(entry->job.state)) continue;
            if (oldest == nullptr || entry->job.updated_at < oldest->job.updated_at) {
                oldest = entry.get();
            }
        }
        if (oldest == nullptr) {
            co_return fail(Errc::conflict, std::to_string(limits::jobs) +
                                               " jobs are unfinished: wait for one, or cancel one");
        }
        page.forgotten_jobs.push_back(oldest->job.id);
    }
    const std::vector<Uuid> forgotten = page.forgotten_jobs;
    auto stored = co_await committer_.advance(std::move(page));
    if (!stored) co_return fail(std::move(stored.error()));
    for (const Uuid& id : forgotten) entries_.erase(id);
    auto entry = std::make_unique<Entry>();
    entry->job = job;
    entry->ready_at = clock_.steady();
    entries_[job.id] = std::move(entry);
    note(job);
    co_return job;
}

awaitable<Result<Job>> Jobs::put_changed(Uuid id, JobChange change) {
    const auto found = entries_.find(id);
    if (found == entries_.end()) co_return fail(Errc::not_found, "there is no job " + id.text());
    Entry& entry = *found->second;
    Job after = entry.job;
    const JobState wanted = change == JobChange::pause    ? JobState::paused
                            : change == JobChange::resume ? JobState::running
                                                          : JobState::cancelled;
    if (is_final(after.state) || after.state == wanted) {
        co_return fail(Errc::conflict,
                       "the job is " + std::string(to_text(after.state)) +
                           (is_final(after.state) ? ": it is finished" : " already"));
    }
    after.state = wanted;
    JobPage page;
    auto stored = co_await store_page(entry, std::move(after), std::move(page));
    if (!stored) co_return fail(std::move(stored.error()));
    entry.ready_at = clock_.steady();
    co_return entry.job;
}

/// One page of a job. What fails is tried again in a while.
awaitable<void> Jobs::step(Entry& entry) {
    entry.ready_at = clock_.steady() + look_again;
    entry.waits_for.reset();
    const Job& job = entry.job;
    if (walks_events(job)) {
        const Catalog::Entry webhook = catalog_.find(job.scope.webhooks.at(0));
        if (!webhook || webhook->removed) {
            co_await fail_job(entry, "the webhook was deleted");
            co_return;
        }
    }
    auto measured = co_await measure_room();
    if (measured && walks_events(job) && room_of(job.scope.webhooks.at(0)) == 0) {
        entry.waits_for = job.scope.webhooks.at(0);
        co_return;
    }
    auto found = co_await read(job, page_size(job));
    const std::optional<Error> broken = !measured ? std::optional(measured.error())
                                        : !found  ? std::optional(found.error())
                                                  : std::nullopt;
    if (broken) {
        log::error("job.read_failed", {{"job", job.id.text()}, {"error", broken->message}});
        co_return;
    }
    auto made = co_await make(entry, *found);
    if (!made && !stopping_) {
        log::error("job.store_failed", {{"job", job.id.text()}, {"error", made.error().message}});
    }
}

awaitable<Result<JobItems>> Jobs::read(const Job& job, std::size_t limit) {
    WantsEvent wanted;
    if (walks_events(job)) {
        wanted = [webhook = catalog_.find(job.scope.webhooks.at(0)), &types = catalog_.types(),
                  &branch = catalog_.default_branch()](const Event& event) {
            EventFacts facts(event, types);
            return webhook && wants(*webhook, facts, types, branch);
        };
    }
    auto look = [job, wanted = std::move(wanted), limit](StoreReader& reader) {
        return read_job_items(reader, job, wanted, limit);
    };
    co_return co_await readers_.run(std::move(look));
}

awaitable<Result<>> Jobs::measure_room() {
    auto ask = [&store = store_] { return store.due(); };
    auto due = co_await writer_.run(std::move(ask));
    if (!due) co_return fail(due.error());
    pending_.clear();
    for (const DueWebhook& one : *due) pending_[one.webhook] = one.pending;
    co_return Result<>{};
}

std::size_t Jobs::room_of(WebhookId webhook) const {
    const auto found = pending_.find(webhook);
    const std::uint64_t pending = found == pending_.end() ? 0 : found->second;
    return pending < limits::job_backlog ? limits::job_backlog - pending : 0;
}

/// Makes what was found, as far as there is room.
awaitable<Result<>> Jobs::make(Entry& entry, const JobItems& found) {
    Job after = entry.job;
    JobPage page;
    for (const JobItem& item : found.items) {
        const Catalog::Entry webhook = catalog_.find(item.webhook);
        const bool cancels = after.kind == JobKind::cancel;
        const bool skipped = item.skipped || (!cancels && (!webhook || webhook->removed));
        if (!skipped && !cancels) {
            if (room_of(item.webhook) == 0) {
                entry.waits_for = item.webhook;
                break;
            }
            ++pending_[item.webhook];
            page.replays.push_back({item.event, item.webhook, item.cause, item.delivery});
        } else if (!skipped) {
            Settlement settlement;
            settlement.delivery = *item.delivery;
            settlement.state = DeliveryState::cancelled;
            settlement.due_at = clock_.now();
            page.settlements.push_back(std::move(settlement));
        }
        ++after.progress.found;
        ++(skipped ? after.progress.skipped : after.progress.made);
        after.progress.after = item.place;
    }
    if (!entry.waits_for) {
        if (found.last) after.progress.after = found.last;
        if (!found.more) after.state = JobState::done;
    }
    if (after == entry.job) co_return Result<>{};
    const std::size_t making = page.replays.size() + page.settlements.size();
    auto stored = co_await store_page(entry, std::move(after), std::move(page));
    if (stored && !entry.waits_for) {
        entry.ready_at = clock_.steady() + rest_after(entry.job, making);
    }
    co_return stored;
}

/// Puts the job as it is after the page on disk together with the page, then into memory.
awaitable<Result<>> Jobs::store_page(Entry& entry, Job after, JobPage page) {
    after.updated_at = clock_.now();
    page.jobs = {after};
    const std::vector<Settlement> settlements = page.settlements;
    auto stored = co_await committer_.advance(std::move(page));
    if (!stored) co_return fail(std::move(stored.error()));
    const JobState before = entry.job.state;
    const std::uint64_t made_before = entry.job.progress.made;
    // Gone or settled since it was read: retention, or somebody else. The next page writes it down.
    const auto missed = std::ranges::count(stored->replays, std::optional<DeliveryId>()) +
                        std::ranges::count(stored->settled, false);
    after.progress.made -= static_cast<std::uint64_t>(missed);
    after.progress.skipped += static_cast<std::uint64_t>(missed);
    entry.job = std::move(after);
    for (std::size_t i = 0; i < settlements.size(); ++i) {
        if (stored->settled[i]) dispatcher_.drop(settlements[i].delivery);
    }
    // What is new is due, and what was cancelled may have held up others.
    if (!stored->replays.empty() || !settlements.empty()) dispatcher_.look();
    metrics_
        .counter("herald_job_deliveries_total", "Deliveries that jobs made or cancelled.",
                 Metrics::label("kind", to_text(entry.job.kind)))
        .add(entry.job.progress.made - made_before);
    if (entry.job.state != before) note(entry.job);
    co_return Result<>{};
}

awaitable<void> Jobs::fail_job(Entry& entry, std::string reason) {
    Job after = entry.job;
    after.state = JobState::failed;
    after.reason = std::move(reason);
    JobPage page;
    auto stored = co_await store_page(entry, std::move(after), std::move(page));
    if (!stored) log::error("job.store_failed", {{"error", stored.error().message}});
}

/// The job is in a state that it was not in before.
void Jobs::note(const Job& job) {
    count_states();
    log::info("job." + std::string(to_text(job.state)),
              {{"job", job.id.text()},
               {"kind", to_text(job.kind)},
               {"made", static_cast<std::int64_t>(job.progress.made)},
               {"skipped", static_cast<std::int64_t>(job.progress.skipped)},
               {"reason", job.reason}});
}

void Jobs::count_states() {
    for (const JobState state : {JobState::running, JobState::paused, JobState::done,
                                 JobState::cancelled, JobState::failed}) {
        const auto count = std::ranges::count_if(
            entries_, [&](const auto& entry) { return entry.second->job.state == state; });
        metrics_
            .gauge("herald_jobs", "Jobs that are kept, by their state.",
                   Metrics::label("state", to_text(state)))
            .set(count);
    }
}

awaitable<Result<JobEstimate>> Jobs::estimate(Job job) {
    job.created_at = clock_.now();
    if (auto valid = validate(job); !valid) co_return fail(valid.error());
    const auto until = clock_.steady() + estimate_at_most;
    JobEstimate estimate;
    for (;;) {
        auto found = co_await read(job, limits::job_page);
        if (!found) co_return fail(std::move(found.error()));
        for (JobItem& item : found->items) {
            ++(item.skipped ? estimate.skipped : estimate.count);
            if (item.skipped || estimate.sample.size() == limits::job_sample) continue;
            estimate.sample.push_back(std::move(item));
        }
        if (!found->more) co_return estimate;
        job.progress.after = found->last;
        estimate.capped = estimate.count >= limits::count_max || clock_.steady() > until;
        if (estimate.capped) co_return estimate;
    }
}

}  // namespace herald
