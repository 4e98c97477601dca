#include "api/jobs.h"

#include <optional>
#include <utility>

#include "api/encode.h"
#include "api/job_input.h"
#include "api/request_body.h"
#include "core/options.h"

namespace herald {

namespace {

using boost::asio::awaitable;

std::unexpected<Problem> no_such(const std::string& id) {
    return refuse(Errc::not_found, "there is no job " + id);
}

void append_webhook_name(std::string& out, const Webhook* webhook) {
    if (webhook == nullptr) {
        out += "null";
        return;
    }
    OptionWriter writer(out, SecretForm::masked);
    writer.text("id", webhook->uuid.text());
    writer.text("name", webhook->name);
    writer.finish();
}

void write_webhooks(OptionWriter& writer, const Catalog& catalog,
                    const std::vector<WebhookId>& ids) {
    writer.begin("webhooks");
    std::string& out = writer.out();
    out += '[';
    for (const WebhookId& id : ids) {
        if (&id != ids.data()) out += ',';
        append_webhook_name(out, catalog.find(id).get());
    }
    out += ']';
}

template <class T>
std::vector<std::string> texts_of(const std::vector<T>& values) {
    std::vector<std::string> texts;
    for (const T value : values) texts.emplace_back(to_text(value));
    return texts;
}

void write_time(OptionWriter& writer, std::string_view name, std::optional<Time> time) {
    writer.text_or_null(name, time ? to_rfc3339(*time) : std::string());
}

void write_scope(OptionWriter& writer, const Catalog& catalog, const JobScope& scope) {
    write_webhooks(writer, catalog, scope.webhooks);
    writer.texts("states", texts_of(scope.states));
    writer.texts("classes", texts_of(scope.classes));
    writer.texts("event_types", scope.event_types);
    writer.texts("branches", scope.branches);
    writer.texts("accounts", scope.accounts);
    writer.texts("nodes", scope.nodes);
    writer.texts("related", scope.related);
    write_time(writer, "since", scope.since);
    write_time(writer, "until", scope.until);
    writer.flag("all", scope.all);
}

void append_job(std::string& out, const Catalog& catalog, const Jobs::Shown& shown) {
    const Job& job = shown.job;
    OptionWriter writer(out, SecretForm::masked);
    writer.text("id", job.id.text());
    writer.text("kind", to_text(job.kind));
    writer.text("state", to_text(job.state));
    writer.text_or_null("reason", job.reason);
    write_scope(writer, catalog, job.scope);
    writer.text("order", job.order == Order::newest_first ? "newest" : "oldest");
    writer.begin("rate");
    out += job.rate == 0 ? "null" : std::to_string(job.rate);
    writer.begin("progress");
    OptionWriter progress(out, SecretForm::masked);
    progress.number("found", static_cast<std::int64_t>(job.progress.found));
    progress.number("made", static_cast<std::int64_t>(job.progress.made));
    progress.number("skipped", static_cast<std::int64_t>(job.progress.skipped));
    progress.finish();
    writer.begin("waits_for");
    append_webhook_name(out, shown.waits_for.get());
    write_time(writer, "created_at", job.created_at);
    write_time(writer, "updated_at", job.updated_at);
    writer.finish();
}

ServerAnswer show_estimate(const Catalog& catalog, const Job& job, const JobEstimate& estimate) {
    ServerAnswer answer;
    std::string& out = answer.body;
    OptionWriter writer(out, SecretForm::masked);
    writer.text("kind", to_text(job.kind));
    writer.flag("dry_run", true);
    writer.number("count", static_cast<std::int64_t>(estimate.count));
    writer.number("skipped", static_cast<std::int64_t>(estimate.skipped));
    writer.flag("capped", estimate.capped);
    writer.begin("sample");
    out += '[';
    for (const JobItem& item : estimate.sample) {
        if (&item != estimate.sample.data()) out += ',';
        OptionWriter one(out, SecretForm::masked);
        one.text_or_null("delivery", item.delivery ? item.delivery->text() : std::string());
        one.text("event_id", item.event_id.text());
        one.text("event", item.event_type);
        one.begin("webhook");
        append_webhook_name(out, catalog.find(item.webhook).get());
        one.finish();
    }
    out += ']';
    writer.finish();
    return answer;
}

awaitable<Answer> change(const Call& call, JobChange wanted) {
    const auto text = read_optional_object(call.request);
    if (!text) co_return std::unexpected(text.error());
    std::vector<FieldError> wrong;
    OptionReader(JsonView(*text), {}, JsonView{}, wrong).finish();
    if (!wrong.empty()) co_return refuse(fail_field(wrong[0].pointer, wrong[0].detail).error());
    const auto id = Uuid::parse(call.parameter);
    if (!id) co_return no_such(call.parameter);
    auto changed = co_await call.api.parts.jobs.change(*id, wanted);
    if (!changed) co_return refuse(std::move(changed.error()));
    co_return co_await get_job(call);
}

}  // namespace

awaitable<Answer> create_job(const Call& call) {
    const auto text = read_object(call.request);
    if (!text) co_return std::unexpected(text.error());
    const ApiParts& parts = call.api.parts;
    const FindJobWebhook find = [&parts](const std::string& name) -> std::optional<WebhookId> {
        const Catalog::Entry webhook = parts.catalog.find(name);
        if (!webhook) return std::nullopt;
        return webhook->id;
    };
    auto read = read_job(JsonView(*text), parts.clock.now(), find);
    if (!read) co_return refuse(std::move(read.error()));
    if (read->dry_run) {
        auto estimate = co_await parts.jobs.estimate(read->job);
        if (!estimate) co_return refuse(std::move(estimate.error()));
        co_return show_estimate(parts.catalog, read->job, *estimate);
    }
    auto created = co_await parts.jobs.create(std::move(read->job));
    if (!created) co_return refuse(std::move(created.error()));
    ServerAnswer answer;
    answer.status = 202;
    append_job(answer.body, parts.catalog, {*created, nullptr});
    answer.headers.emplace_back("Location", "/api/v1/jobs/" + created->id.text());
    co_return answer;
}

awaitable<Answer> list_jobs(const Call& call) {
    const ApiParts& parts = call.api.parts;
    ServerAnswer answer;
    answer.body = "{\"items\":[";
    for (const Jobs::Shown& shown : parts.jobs.all()) {
        if (answer.body.back() != '[') answer.body += ',';
        append_job(answer.body, parts.catalog, shown);
    }
    answer.body += "]}";
    co_return answer;
}

awaitable<Answer> get_job(const Call& call) {
    const ApiParts& parts = call.api.parts;
    const auto id = Uuid::parse(call.parameter);
    const auto shown = id ? parts.jobs.find(*id) : std::nullopt;
    if (!shown) co_return no_such(call.parameter);
    ServerAnswer answer;
    append_job(answer.body, parts.catalog, *shown);
    co_return answer;
}

awaitable<Answer> pause_job(const Call& call) { return change(call, JobChange::pause); }

awaitable<Answer> resume_job(const Call& call) { return change(call, JobChange::resume); }

awaitable<Answer> cancel_job(const Call& call) { return change(call, JobChange::cancel); }

}  // namespace herald
