// How a job is stored: one JSON object. Times are microseconds since 1970, enumerations their
// texts, webhooks their numbers.
#include <utility>

#include "base/json.h"
#include "core/job.h"

namespace herald {

namespace {

class Writer {
public:
    void text(std::string_view key, std::string_view value) {
        begin(key);
        append_json_string(out_, value);
    }
    void number(std::string_view key, std::int64_t value) {
        begin(key);
        out_ += std::to_string(value);
    }
    void optional(std::string_view key, std::optional<Time> time) {
        if (time) number(key, to_micros(*time));
    }
    template <class Values, class Text>
    void list(std::string_view key, const Values& values, Text text) {
        if (values.empty()) return;
        begin(key);
        out_ += '[';
        for (const auto& value : values) {
            if (out_.back() != '[') out_ += ',';
            append_json_string(out_, text(value));
        }
        out_ += ']';
    }
    std::string finish() { return std::move(out_) + "}"; }

private:
    void begin(std::string_view key) {
        if (out_.size() > 1) out_ += ',';
        append_json_string(out_, key);
        out_ += ':';
    }
    std::string out_ = "{";
};

/// Reads the members that Writer wrote; what is wrong makes the whole text none of ours.
class Reader {
public:
    explicit Reader(JsonView object) : object_(object), good_(object.is_object()) {}

    std::string text(std::string_view key) { return take(object_.string(key)); }
    std::int64_t number(std::string_view key) {
        const auto found = object_.find(key);
        return take(found ? found->integer() : std::nullopt);
    }
    std::optional<std::int64_t> optional(std::string_view key) {
        if (!object_.find(key)) return std::nullopt;
        return number(key);
    }
    std::optional<Time> time(std::string_view key) {
        const auto micros = optional(key);
        if (!micros) return std::nullopt;
        return from_micros(*micros);
    }
    template <class Parse>
    auto list(std::string_view key, Parse parse) {
        std::vector<typename decltype(parse(std::string()))::value_type> values;
        const auto found = object_.find(key);
        if (!found) return values;
        for (auto items = found->items(); items.next();) {
            auto value = parse(take(items.value().string()));
            good_ = good_ && value.has_value();
            if (value) values.push_back(std::move(*value));
        }
        return values;
    }
    template <class Value>
    Value take(std::optional<Value> value) {
        good_ = good_ && value.has_value();
        return value ? std::move(*value) : Value{};
    }
    [[nodiscard]] bool good() const { return good_; }

private:
    JsonView object_;
    bool good_;
};

constexpr auto as_text = [](const auto& value) { return to_text(value); };
constexpr auto itself = [](const std::string& text) -> std::string_view { return text; };
constexpr auto parse_itself = [](std::string text) { return std::optional(std::move(text)); };

std::optional<WebhookId> parse_number(const std::string& text) {
    const auto number = JsonView(text).integer();
    if (!number) return std::nullopt;
    return static_cast<WebhookId>(*number);
}

void write_scope(Writer& out, const JobScope& scope) {
    out.list("webhooks", scope.webhooks,
             [](WebhookId id) { return std::to_string(std::to_underlying(id)); });
    out.list("states", scope.states, as_text);
    out.list("classes", scope.classes, as_text);
    out.list("event_types", scope.event_types, itself);
    out.list("branches", scope.branches, itself);
    out.list("accounts", scope.accounts, itself);
    out.list("nodes", scope.nodes, itself);
    out.list("related", scope.related, itself);
    out.optional("since", scope.since);
    out.optional("until", scope.until);
    out.number("all", scope.all ? 1 : 0);
}

JobScope read_scope(Reader& in) {
    JobScope scope;
    scope.webhooks = in.list("webhooks", parse_number);
    scope.states = in.list("states", parse_delivery_state);
    scope.classes = in.list("classes", parse_failure_class);
    scope.event_types = in.list("event_types", parse_itself);
    scope.branches = in.list("branches", parse_itself);
    scope.accounts = in.list("accounts", parse_itself);
    scope.nodes = in.list("nodes", parse_itself);
    scope.related = in.list("related", parse_itself);
    scope.since = in.time("since");
    scope.until = in.time("until");
    scope.all = in.number("all") != 0;
    return scope;
}

}  // namespace

std::string stored_text(const Job& job) {
    Writer out;
    out.text("id", job.id.text());
    out.text("kind", to_text(job.kind));
    write_scope(out, job.scope);
    out.text("order", job.order == Order::newest_first ? "newest" : "oldest");
    out.number("rate", job.rate);
    out.text("state", to_text(job.state));
    const JobProgress& progress = job.progress;
    if (progress.after) out.number("after", static_cast<std::int64_t>(*progress.after));
    out.number("found", static_cast<std::int64_t>(progress.found));
    out.number("made", static_cast<std::int64_t>(progress.made));
    out.number("skipped", static_cast<std::int64_t>(progress.skipped));
    out.text("reason", job.reason);
    out.number("created_at", to_micros(job.created_at));
    out.number("updated_at", to_micros(job.updated_at));
    return out.finish();
}

std::optional<Job> read_stored_job(std::string_view text) {
    const auto canonical = canonical_json(text);
    if (!canonical) return std::nullopt;
    Reader in{JsonView(*canonical)};
    Job job;
    job.id = in.take(Uuid::parse(in.text("id")));
    job.kind = in.take(parse_job_kind(in.text("kind")));
    job.scope = read_scope(in);
    job.order = in.text("order") == "newest" ? Order::newest_first : Order::oldest_first;
    job.rate = static_cast<std::uint32_t>(in.number("rate"));
    job.state = in.take(parse_job_state(in.text("state")));
    if (const auto after = in.optional("after")) {
        job.progress.after = static_cast<std::uint64_t>(*after);
    }
    job.progress.found = static_cast<std::uint64_t>(in.number("found"));
    job.progress.made = static_cast<std::uint64_t>(in.number("made"));
    job.progress.skipped = static_cast<std::uint64_t>(in.number("skipped"));
    job.reason = in.text("reason");
    job.created_at = from_micros(in.number("created_at"));
    job.updated_at = from_micros(in.number("updated_at"));
    if (!in.good()) return std::nullopt;
    return job;
}

}  // namespace herald
