#include <memory>

#include <boost/json.hpp>

#include "app/commands.h"
#include "async/clock.h"
#include "base/time.h"

namespace herald {

namespace {

namespace json = boost::json;

const Columns rule_columns = {{"RULE", "rule"}, {"HOLDS", "holds"}, {"REASON", "reason"}};
const Columns finding_columns = {{"WEBHOOK", "webhook"}, {"KIND", "kind"}, {"MESSAGE", "message"}};
const Columns match_columns = {
    {"SEQ", "seq"}, {"EVENT", "event"},          {"BRANCH", "branch"},  {"KIND", "node.kind"},
    {"ID", "id"},   {"OCCURRED", "occurred_at"}, {"PROBLEM", "problem"}};

std::string path_of(const std::string& name) { return "/api/v1/webhooks/" + url_encode(name); }

// explain

/// The reply about a stored event, or about one in a file.
std::optional<ApiReply> ask(CommandLine& line, const std::string& webhook, const std::string& event,
                            const std::string& file) {
    const std::string path = path_of(webhook) + "/explain";
    if (file.empty()) return line.call({"GET", path + "?event=" + url_encode(event)});
    const auto body = read_input(file);
    if (body) return line.call({"POST", path, *body});
    line.fail_with(Exit::usage, body.error().message);
    return std::nullopt;
}

void explain(CommandLine& line, const std::string& webhook, const std::string& event,
             const std::string& file) {
    if (event.empty() == file.empty()) {
        return line.fail_with(Exit::usage, "name an event by its id, or one in a file with --file");
    }
    const auto reply = ask(line, webhook, event, file);
    if (!reply) return;
    const Output output = line.output();
    if (output.chosen() != OutputFormat::table) return output.one(reply->json(), {});
    const std::string failed = cell(reply->json(), "first_not_held");
    const std::string name = printable(cell(reply->json(), "webhook.name"));
    if (failed.empty()) {
        std::printf("%s fires for this event.\n\n", name.c_str());
    } else {
        std::printf("%s does not fire for this event: %s does not hold.\n\n", name.c_str(),
                    failed.c_str());
    }
    output.list(elements(reply->json(), "rules"), rule_columns);
    if (cell(reply->json(), "changed_since") == "true") {
        std::printf("\nThe webhook was changed after this event came: these are its rules now.\n");
    }
    const auto deliveries = elements(reply->json(), "deliveries");
    if (deliveries.empty()) return;
    std::printf("\ndeliveries\n");
    output.list(deliveries, delivery_columns);
}

// lint

/// One row a finding.
std::vector<std::string> rows_of(const std::vector<ApiReply>& pages) {
    std::vector<std::string> rows;
    for (const ApiReply& page : pages) {
        for (const JsonView& item : elements(page.json(), "items")) {
            for (const JsonView& finding : elements(item, "findings")) {
                rows.push_back(JsonObject()
                                   .add("webhook", cell(item, "webhook.name"))
                                   .add("kind", cell(finding, "kind"))
                                   .add("message", cell(finding, "message"))
                                   .text());
            }
        }
    }
    return rows;
}

void lint(CommandLine& line, const std::vector<std::string>& names, bool strict) {
    std::string query = "?limit=250";
    for (const std::string& name : names) query += "&name=" + url_encode(name);
    std::vector<ApiReply> pages;
    std::string cursor;
    do {
        const std::string more = cursor.empty() ? "" : "&cursor=" + url_encode(cursor);
        auto reply = line.call({"GET", "/api/v1/lint" + query + more});
        if (!reply) return;
        cursor = cell(reply->json(), "next_cursor");
        pages.push_back(std::move(*reply));
    } while (!cursor.empty());
    const std::vector<std::string> rows = rows_of(pages);
    const std::vector<JsonView> items(rows.begin(), rows.end());
    line.output().list(items, finding_columns);
    for (const JsonView& item : items) {
        if (strict || cell(item, "kind") == "never_fires") line.exit = Exit::findings;
    }
}

// backtest

struct BacktestOptions {
    std::string webhook;
    std::string file;
    std::vector<std::string> settings;
    std::string since;
    std::string until;
    int limit = 20;
};

/// A time, or a duration back from now.
std::string time_of(const std::string& text) {
    const auto back = parse_duration(text);
    return back ? to_rfc3339(SystemClock{}.now() - *back) : text;
}

Result<json::object> request_of(const BacktestOptions& options) {
    json::object body;
    if (options.webhook.empty() == options.file.empty()) {
        return fail(Errc::invalid, "name a webhook, or one in a file with --file");
    }
    body["webhook"] = options.webhook;
    if (!options.file.empty()) {
        const auto text = read_input(options.file);
        if (!text) return fail(text.error());
        boost::system::error_code error;
        body["webhook"] = json::parse(*text, error);
        if (error) return fail(Errc::invalid, options.file + " is no JSON: " + error.message());
    }
    json::object changes;
    for (const std::string& setting : options.settings) {
        if (auto applied = apply_setting(changes, setting); !applied) return fail(applied.error());
    }
    if (!changes.empty()) body["changes"] = std::move(changes);
    if (!options.since.empty()) body["since"] = time_of(options.since);
    if (!options.until.empty()) body["until"] = time_of(options.until);
    return body;
}

/// What all pages say together, in the form of one.
struct Backtested {
    std::string events;
    std::uint64_t examined = 0;
    std::uint64_t matched = 0;
    std::string items = "[";
    std::size_t shown = 0;

    void add(JsonView page) {
        if (events.empty()) events = page.find("events").value_or(JsonView{}).raw();
        for (const auto& [name, sum] :
             {std::pair{"examined", &examined}, std::pair{"matched", &matched}}) {
            *sum += static_cast<std::uint64_t>(at_path(page, name).integer().value_or(0));
        }
        for (const JsonView& item : elements(page, "items")) {
            if (shown++ > 0) items += ',';
            items += item.raw();
        }
    }
    [[nodiscard]] std::string text() const {
        return JsonObject()
            .add_json("events", events)
            .add_json("examined", std::to_string(examined))
            .add_json("matched", std::to_string(matched))
            .add_json("items", items + "]")
            .text();
    }
};

void backtest(CommandLine& line, const BacktestOptions& options) {
    auto body = request_of(options);
    if (!body) return line.fail_with(Exit::usage, body.error().message);
    const auto wanted = static_cast<std::size_t>(options.limit);
    Backtested all;
    std::string cursor;
    do {
        // What is not shown any more is still counted.
        (*body)["limit"] = std::min<std::size_t>(wanted - std::min(wanted, all.shown), 250);
        if (!cursor.empty()) (*body)["cursor"] = cursor;
        const auto reply = line.call({"POST", "/api/v1/webhooks/backtest", json::serialize(*body)});
        if (!reply) return;
        all.add(reply->json());
        cursor = cell(reply->json(), "next_cursor");
    } while (!cursor.empty());
    const std::string text = all.text();
    const Output output = line.output();
    if (output.chosen() != OutputFormat::table) return output.one(JsonView(text), {});
    output.list(elements(JsonView(text), "items"), match_columns);
    const std::string capped = cell(JsonView(text), "events.capped") == "true" ? " or more" : "";
    std::fprintf(stderr, "%llu of %s%s events would be sent; nothing was\n",
                 static_cast<unsigned long long>(all.matched),
                 cell(JsonView(text), "events.value").c_str(), capped.c_str());
}

void add_explain(CLI::App& group, CommandLine& line) {
    struct Options {
        std::string webhook;
        std::string event;
        std::string file;
    };
    auto options = std::make_shared<Options>();
    auto* command = group.add_subcommand(
        "explain",
        "Why a webhook fired for an event, or the first rule that did not hold\n\n"
        "  herald webhook explain eda 2ece726f-8574-488c-92f7-ee9a56485b46\n"
        "  herald trigger infrahub.node.updated --print | herald webhook explain eda --file -");
    command->add_option("webhook", options->webhook, "Name or id")->required();
    command->add_option("event", options->event, "Id of a stored event");
    command->add_option("--file", options->file, "An event that is not stored; - reads stdin");
    command->callback(
        [&line, options] { explain(line, options->webhook, options->event, options->file); });
}

}  // namespace

void add_matching_commands(CLI::App& group, CommandLine& line) {
    add_explain(group, line);

    auto names = std::make_shared<std::vector<std::string>>();
    auto strict = std::make_shared<bool>(false);
    auto* linting = group.add_subcommand(
        "lint",
        "Webhooks that can never fire, or never have; exit code 7 when one never can\n\n"
        "  herald webhook lint --strict");
    linting->add_option("webhook", *names, "Names or globs (default: all)");
    linting->add_flag("--strict", *strict, "Exit code 7 for every finding");
    linting->callback([&line, names, strict] { lint(line, *names, *strict); });

    auto options = std::make_shared<BacktestOptions>();
    auto* testing = group.add_subcommand(
        "backtest",
        "What a webhook would have sent for the events in the log; sends nothing\n\n"
        "  herald webhook backtest eda --since 24h\n"
        "  herald webhook backtest eda --since 24h --set 'conditions.expression=changed(\"role\")'"
        "\n  herald webhook backtest --file webhook.json --since 2026-01-01T00:00:00Z");
    testing->add_option("webhook", options->webhook, "Name or id of a stored webhook");
    testing->add_option("--file", options->file, "A webhook that is not stored, as JSON");
    testing->add_option("-s,--set", options->settings,
                        "path=value: something different about the stored webhook");
    testing->add_option("--since", options->since, "A time, or how long ago, such as 24h");
    testing->add_option("--until", options->until, "A time, or how long ago");
    testing->add_option("--limit", options->limit, "Matches to show (default 20); all are counted")
        ->check(CLI::Range(0, 10'000));
    testing->callback([&line, options] { backtest(line, *options); });
}

}  // namespace herald
