#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "core/attempt.h"
#include "core/delivery.h"
#include "core/query.h"

namespace herald {

/// What a job does, at its pace, to many deliveries (docs/recovery.md).
enum class JobKind : std::uint8_t {
    redeliver,  ///< repeats finished deliveries
    recover,    ///< brings a webhook the events of the log that it wants and did not get
    replay,     ///< brings a webhook events of the log, whatever it got before
    cancel,     ///< cancels pending deliveries
};
[[nodiscard]] std::string_view to_text(JobKind kind);
[[nodiscard]] std::optional<JobKind> parse_job_kind(std::string_view text);

enum class JobState : std::uint8_t { running, paused, done, cancelled, failed };
[[nodiscard]] std::string_view to_text(JobState state);
[[nodiscard]] std::optional<JobState> parse_job_state(std::string_view text);
[[nodiscard]] inline bool is_final(JobState state) {
    return state != JobState::running && state != JobState::paused;
}

/// What a job is about. Values of one filter are alternatives; filters must all hold.
struct JobScope {
    /// Whose deliveries, none: everyone's. For recover and replay the one that gets them.
    std::vector<WebhookId> webhooks;
    std::vector<DeliveryState> states;     ///< redeliver: which deliveries, all of them final
    std::vector<FailureClass> classes;     ///< redeliver, cancel: of the last attempt
    std::vector<std::string> event_types;  ///< names or globs
    std::vector<std::string> branches;     ///< recover, replay; these three too
    std::vector<std::string> accounts;
    std::vector<std::string> nodes;    ///< primary node ids
    std::vector<std::string> related;  ///< related node ids; the primary node counts as related
    /// From here on: a delivery's creation, an event's occurrence.
    std::optional<Time> since;
    std::optional<Time> until;  ///< before this; what comes after the job is never in it
    bool all = false;  ///< replay: also what the webhook's own filter does not want

    bool operator==(const JobScope&) const = default;
};

/// How far a job is.
struct JobProgress {
    std::optional<std::uint64_t> after;  ///< the last delivery or event it looked at
    std::uint64_t found = 0;             ///< in its scope: made and skipped ones
    std::uint64_t made = 0;              ///< deliveries created, or cancelled
    std::uint64_t skipped = 0;           ///< nothing to be done, see docs/recovery.md

    bool operator==(const JobProgress&) const = default;
};

/// Work on many deliveries that survives a restart: its progress is stored in one transaction with
/// what it makes.
struct Job {
    Uuid id;
    JobKind kind = JobKind::redeliver;
    JobScope scope;
    Order order = Order::oldest_first;
    std::uint32_t rate = 0;  ///< deliveries a second; 0: as fast as the store takes them
    JobState state = JobState::running;
    JobProgress progress;
    std::string reason;  ///< of a failed one, for people
    Time created_at;
    Time updated_at;

    bool operator==(const Job&) const = default;
};

/// Whether it walks the activity log; otherwise the list of deliveries.
[[nodiscard]] inline bool walks_events(const Job& job) {
    return job.kind == JobKind::recover || job.kind == JobKind::replay;
}

/// The next deliveries or events of the job's scope, behind its progress.
[[nodiscard]] DeliveryQuery next_deliveries(const Job& job, std::size_t limit);
[[nodiscard]] EventQuery next_events(const Job& job, std::size_t limit);

/// What is wrong with a new job: the fields are named as in the API.
[[nodiscard]] Result<> validate(const Job& job);

/// How long a job of this rate rests after it made so many.
[[nodiscard]] Duration rest_after(const Job& job, std::size_t made);

/// A job as it is stored, in JSON, and back; nullopt: the text is none.
[[nodiscard]] std::string stored_text(const Job& job);
[[nodiscard]] std::optional<Job> read_stored_job(std::string_view text);

}  // namespace herald
