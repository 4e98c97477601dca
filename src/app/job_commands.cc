#include <memory>

#include <boost/json.hpp>

#include "app/commands.h"

namespace herald {

namespace {

namespace json = boost::json;

const Columns list_columns = {{"JOB", "id"},
                              {"KIND", "kind"},
                              {"STATE", "state"},
                              {"FOUND", "progress.found"},
                              {"MADE", "progress.made"},
                              {"SKIPPED", "progress.skipped"},
                              {"WAITS FOR", "waits_for.name"},
                              {"CREATED", "created_at"}};

const Columns detail_columns = {{"job", "id"},
                                {"kind", "kind"},
                                {"state", "state"},
                                {"reason", "reason"},
                                {"found", "progress.found"},
                                {"made", "progress.made"},
                                {"skipped", "progress.skipped"},
                                {"waits for", "waits_for.name"},
                                {"rate", "rate"},
                                {"order", "order"},
                                {"since", "since"},
                                {"until", "until"},
                                {"created", "created_at"},
                                {"updated", "updated_at"}};

const Columns estimate_columns = {
    {"kind", "kind"}, {"would make", "count"}, {"would skip", "skipped"}, {"or more", "capped"}};

const Columns sample_columns = {{"DELIVERY", "delivery"},
                                {"WEBHOOK", "webhook.name"},
                                {"EVENT", "event"},
                                {"EVENT ID", "event_id"}};

/// What a job is about, as options. The lists are named as in the API.
struct JobOptions {
    explicit JobOptions(std::string kind_name) : kind(std::move(kind_name)) {}

    std::string kind;
    std::vector<std::pair<std::string, std::vector<std::string>>> lists = {
        {"webhooks", {}}, {"states", {}},   {"classes", {}}, {"event_types", {}},
        {"branches", {}}, {"accounts", {}}, {"nodes", {}},   {"related", {}}};
    std::string since;
    std::string until;
    std::optional<int> rate;
    bool all = false;
    bool newest_first = false;
    bool dry_run = false;

    std::vector<std::string>& list(std::string_view name) {
        for (auto& [known, values] : lists) {
            if (known == name) return values;
        }
        return lists.front().second;
    }
};

TypedNames typed_names(const JobOptions& options) {
    return {{"/webhooks", options.kind == "recover" ? "webhook" : "--webhook"},
            {"/states", "--state"},
            {"/classes", "--class"},
            {"/event_types", "--event-type"},
            {"/branches", "--branch"},
            {"/accounts", "--account"},
            {"/nodes", "--node"},
            {"/related", "--related"},
            {"/since", "--since"},
            {"/until", "--until"},
            {"/rate", "--rate"}};
}

/// Whether it is about deliveries, and about every one there is: what the server refuses, in the
/// words of its API.
bool is_unlimited(JobOptions& options) {
    if (options.kind != "redeliver" && options.kind != "cancel") return false;
    return options.list("webhooks").empty() && options.list("classes").empty() &&
           options.list("event_types").empty() && options.since.empty() && options.until.empty();
}

void run(CommandLine& line, JobOptions& options) {
    if (is_unlimited(options)) {
        return line.fail_with(Exit::usage,
                              "give at least one of --webhook, --class, --event-type, --since and "
                              "--until: this would be every delivery there is");
    }
    json::object body{{"kind", options.kind}};
    for (const auto& [name, values] : options.lists) {
        if (!values.empty()) body[name] = json::array(values.begin(), values.end());
    }
    if (!options.since.empty()) body["since"] = options.since;
    if (!options.until.empty()) body["until"] = options.until;
    if (options.rate) body["rate"] = *options.rate;
    if (options.all) body["all"] = true;
    if (options.newest_first) body["order"] = "newest";
    if (options.dry_run) body["dry_run"] = true;
    const auto reply =
        line.call({"POST", "/api/v1/jobs", json::serialize(body)}, typed_names(options));
    if (!reply) return;
    const Output output = line.output();
    if (!options.dry_run) return output.one(reply->json(), detail_columns);
    output.one(reply->json(), estimate_columns);
    const auto sample = elements(reply->json(), "sample");
    if (output.chosen() != OutputFormat::table || sample.empty()) return;
    std::fputs("\n", stdout);
    output.list(sample, sample_columns);
}

/// A command that makes a job of this kind; its filters are the caller's to add.
CLI::App* job_command(CLI::App& group, const std::string& verb, const std::string& help,
                      CommandLine& line, const std::shared_ptr<JobOptions>& options) {
    auto* command = group.add_subcommand(verb, help);
    command->add_option("--since", options->since, "From then on: RFC 3339, or how long ago: 2h");
    command->add_option("--until", options->until, "Before then, in the same form");
    command->add_option("--event-type", options->list("event_types"), "Event name or glob");
    command->add_option("--rate", options->rate, "Deliveries a second (1 to 10000)");
    command->add_flag("--newest-first", options->newest_first, "Begin with the newest");
    command->add_flag("--dry-run", options->dry_run, "Only count, and show some");
    command->callback([&line, options] { run(line, *options); });
    return command;
}

void add_delivery_filters(CLI::App& command, JobOptions& options) {
    command.add_option("-w,--webhook", options.list("webhooks"), "Of this webhook (name or id)");
    command.add_option("--class", options.list("classes"), "Failure class, such as TIMEOUT");
}

void add_event_filters(CLI::App& command, JobOptions& options) {
    command.add_option("-b,--branch", options.list("branches"), "Branch name");
    command.add_option("--account", options.list("accounts"), "Account id");
    command.add_option("--node", options.list("nodes"), "Id of the primary node");
    command.add_option("--related", options.list("related"), "Id of a related node");
}

std::string path_of(const std::string& id) { return "/api/v1/jobs/" + url_encode(id); }

}  // namespace

void add_delivery_jobs(CLI::App& group, CommandLine& line) {
    auto again = std::make_shared<JobOptions>("redeliver");
    auto* redelivering = job_command(group, "redeliver",
                                     "Repeat finished deliveries by filter, as a job\n\n"
                                     "  herald delivery redeliver --webhook eda --class TIMEOUT "
                                     "--since 2h --dry-run",
                                     line, again);
    add_delivery_filters(*redelivering, *again);
    redelivering->add_option("--state", again->list("states"),
                             "failed (default), cancelled or delivered");
    auto cancel = std::make_shared<JobOptions>("cancel");
    auto* cancelling = job_command(group, "cancel-all",
                                   "Cancel pending deliveries by filter, as a job\n\n"
                                   "  herald delivery cancel-all --webhook eda --since 1h",
                                   line, cancel);
    add_delivery_filters(*cancelling, *cancel);
}

void add_webhook_jobs(CLI::App& group, CommandLine& line) {
    auto options = std::make_shared<JobOptions>("recover");
    auto* recovering = job_command(group, "recover",
                                   "Bring a webhook what it wants and did not get, as a job\n\n"
                                   "  herald webhook recover eda --since 2h --newest-first",
                                   line, options);
    recovering->add_option("webhook", options->list("webhooks"), "Name or id")
        ->required()
        ->expected(1);
    add_event_filters(*recovering, *options);
}

void add_event_jobs(CLI::App& group, CommandLine& line) {
    auto options = std::make_shared<JobOptions>("replay");
    auto* replaying = job_command(group, "replay",
                                  "Bring a webhook events of the log once more, as a job\n\n"
                                  "  herald event replay --webhook eda --branch main --since 1d",
                                  line, options);
    replaying->add_option("-w,--webhook", options->list("webhooks"), "Which gets them (name or id)")
        ->required()
        ->expected(1);
    replaying->add_flag("--all", options->all, "Also what the webhook's own filter does not want");
    add_event_filters(*replaying, *options);
}

void add_job_commands(CLI::App& app, CommandLine& line) {
    auto* group = app.add_subcommand("job", "Look at jobs, pause, resume or cancel them");
    group->require_subcommand(1);
    group->add_subcommand("list", "All jobs, newest first")->callback([&line] {
        const auto reply = line.call({"GET", "/api/v1/jobs"});
        if (reply) line.output().list(elements(reply->json(), "items"), list_columns);
    });
    auto id = std::make_shared<std::string>();
    const auto add = [&](const std::string& verb, const std::string& help, bool changes) {
        auto* command = group->add_subcommand(verb, help);
        command->add_option("job", *id, "Its id")->required();
        command->callback([&line, id, verb, changes] {
            const auto reply = changes ? line.call({"POST", path_of(*id) + "/" + verb, "{}"})
                                       : line.call({"GET", path_of(*id)});
            if (reply) line.output().one(reply->json(), detail_columns);
        });
    };
    add("get", "One job with its progress", false);
    add("pause", "Stand still until it is resumed", true);
    add("resume", "Go on with a paused job", true);
    add("cancel", "End a job; what it has made stays", true);
}

}  // namespace herald
