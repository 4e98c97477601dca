#include "core/job.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/limits.h"

namespace herald {

namespace {

constexpr std::array all_kinds{JobKind::redeliver, JobKind::recover, JobKind::replay,
                               JobKind::cancel};
constexpr std::array all_states{JobState::running, JobState::paused, JobState::done,
                                JobState::cancelled, JobState::failed};

template <class Values>
auto parse(const Values& values, std::string_view text)
    -> std::optional<typename Values::value_type> {
    const auto found = std::ranges::find(values, text, [](auto one) { return to_text(one); });
    if (found == values.end()) return std::nullopt;
    return *found;
}

/// The filters that a kind does not know, by their names in the API.
void refuse_foreign_filters(const Job& job, std::vector<FieldError>& wrong) {
    const JobScope& scope = job.scope;
    const std::string kind = "is not for a job of kind " + std::string(to_text(job.kind));
    const auto refuse = [&](bool given, std::string pointer) {
        if (given) wrong.push_back({std::move(pointer), kind + ": leave it out"});
    };
    if (walks_events(job)) {
        refuse(!scope.classes.empty(), "/classes");
    } else {
        refuse(!scope.branches.empty(), "/branches");
        refuse(!scope.accounts.empty(), "/accounts");
        refuse(!scope.nodes.empty(), "/nodes");
        refuse(!scope.related.empty(), "/related");
    }
    refuse(job.kind != JobKind::redeliver && !scope.states.empty(), "/states");
    refuse(job.kind != JobKind::replay && scope.all, "/all");
}

/// What a kind cannot do without.
void ask_for_filters(const Job& job, std::vector<FieldError>& wrong) {
    const JobScope& scope = job.scope;
    if (walks_events(job)) {
        if (scope.webhooks.size() != 1) {
            wrong.push_back({"/webhooks", "name the one webhook that gets the events"});
        }
        if (job.kind == JobKind::recover && !scope.since) {
            wrong.push_back({"/since", "say since when the webhook lacks events"});
        }
        return;
    }
    if (scope.webhooks.empty() && scope.classes.empty() && scope.event_types.empty() &&
        !scope.since && !scope.until) {
        wrong.push_back({"/webhooks",
                         "give at least one of webhooks, classes, event_types, since and until:"
                         " this would be every delivery there is"});
    }
}

}  // namespace

std::string_view to_text(JobKind kind) {
    switch (kind) {
        case JobKind::redeliver: return "redeliver";
        case JobKind::recover: return "recover";
        case JobKind::replay: return "replay";
        case JobKind::cancel: return "cancel";
    }
    return "";
}

std::optional<JobKind> parse_job_kind(std::string_view text) { return parse(all_kinds, text); }

std::string_view to_text(JobState state) {
    switch (state) {
        case JobState::running: return "running";
        case JobState::paused: return "paused";
        case JobState::done: return "done";
        case JobState::cancelled: return "cancelled";
        case JobState::failed: return "failed";
    }
    return "";
}

std::optional<JobState> parse_job_state(std::string_view text) { return parse(all_states, text); }

DeliveryQuery next_deliveries(const Job& job, std::size_t limit) {
    const JobScope& scope = job.scope;
    DeliveryQuery query;
    query.webhooks = scope.webhooks;
    query.states = scope.states;
    if (job.kind == JobKind::cancel) query.states = {DeliveryState::pending};
    query.classes = scope.classes;
    query.event_types = scope.event_types;
    query.since = scope.since;
    query.until = std::min(scope.until.value_or(job.created_at), job.created_at);
    query.order = job.order;
    query.after = job.progress.after;
    query.limit = limit;
    return query;
}

EventQuery next_events(const Job& job, std::size_t limit) {
    const JobScope& scope = job.scope;
    EventQuery query;
    query.types = scope.event_types;
    query.branches = scope.branches;
    query.accounts = scope.accounts;
    query.nodes = scope.nodes;
    query.related = scope.related;
    query.since = scope.since;
    query.until = std::min(scope.until.value_or(job.created_at), job.created_at);
    query.order = job.order;
    if (job.progress.after) query.after = EventSeq{*job.progress.after};
    query.limit = limit;
    return query;
}

Result<> validate(const Job& job) {
    std::vector<FieldError> wrong;
    refuse_foreign_filters(job, wrong);
    ask_for_filters(job, wrong);
    const JobScope& scope = job.scope;
    if (!std::ranges::all_of(scope.states, [](DeliveryState state) { return is_final(state); })) {
        wrong.push_back({"/states", "must be delivered, failed or cancelled"});
    }
    if (scope.since && scope.until && *scope.since >= *scope.until) {
        wrong.push_back({"/until", "must be later than since"});
    }
    if (job.rate > limits::job_rate) {
        wrong.push_back({"/rate", "must be from 1 to " + std::to_string(limits::job_rate)});
    }
    if (wrong.empty()) return {};
    return fail_fields("", std::move(wrong));
}

Duration rest_after(const Job& job, std::size_t made) {
    if (job.rate == 0) return Duration{0};
    return Duration{static_cast<std::int64_t>(made) * 1'000'000 / job.rate};
}

}  // namespace herald
