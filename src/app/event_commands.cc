#include <chrono>
#include <csignal>
#include <memory>
#include <ranges>
#include <thread>

#include "app/commands.h"

namespace herald {

namespace {

const Columns list_columns = {{"SEQ", "seq"},
                              {"OCCURRED", "occurred_at"},
                              {"EVENT", "event"},
                              {"BRANCH", "branch"},
                              {"KIND", "node.kind"},
                              {"NODE", "node.id"},
                              {"ACCOUNT", "account_id"},
                              {"ID", "id"}};

const Columns detail_columns = {{"event", "event"},          {"id", "id"},
                                {"occurred", "occurred_at"}, {"branch", "branch"},
                                {"account", "account_id"},   {"node", "node.id"},
                                {"node kind", "node.kind"},  {"level", "level"},
                                {"parent", "parent_id"},     {"has children", "has_children"}};

const Columns change_columns = {
    {"FIELD", "field"}, {"BEFORE", "before"}, {"AFTER", "after"}, {"STATUS", "status"}};

/// The filters of the activity log, as options.
struct EventOptions {
    std::vector<std::pair<std::string, std::vector<std::string>>> lists = {
        {"event", {}},   {"branch", {}}, {"account", {}}, {"node", {}},
        {"related", {}}, {"parent", {}}, {"id", {}}};
    std::string since;
    std::string until;
    std::string level;
    std::string has_children;
    int limit = 50;
};

void add_filters(CLI::App& command, EventOptions& options) {
    const std::vector<std::pair<std::string, std::string>> help = {
        {"-e,--event", "Event name or glob, such as infrahub.node.*"},
        {"-b,--branch", "Branch name"},
        {"--account", "Account id"},
        {"--node", "Id of the primary node"},
        {"--related", "Id of a related node"},
        {"--parent", "Id of the parent event"},
        {"--id", "Event id"}};
    for (std::size_t i = 0; i < help.size(); ++i) {
        command.add_option(help[i].first, options.lists[i].second, help[i].second);
    }
    command.add_option("--since", options.since, "Occurred at or after (RFC 3339)");
    command.add_option("--until", options.until, "Occurred before (RFC 3339)");
    command.add_option("--level", options.level, "0: root events, 1: their children ...");
    command.add_option("--has-children", options.has_children, "true or false");
}

std::string query_of(const EventOptions& options) {
    std::string query;
    auto add = [&](const std::string& name, const std::string& value) {
        if (!value.empty()) query += "&" + name + "=" + url_encode(value);
    };
    for (const auto& [name, values] : options.lists) {
        for (const std::string& value : values) add(name, value);
    }
    add("since", options.since);
    add("until", options.until);
    add("level", options.level);
    add("has_children", options.has_children);
    return query;
}

void list(CommandLine& line, const EventOptions& options) {
    const std::string limit = "?limit=" + std::to_string(options.limit);
    const auto reply = line.call({"GET", "/api/v1/events" + limit + query_of(options)});
    if (reply) line.output().list(elements(reply->json(), "items"), list_columns);
}

void get(CommandLine& line, const std::string& id) {
    const auto reply = line.call({"GET", "/api/v1/events/" + url_encode(id)});
    if (!reply) return;
    const Output output = line.output();
    output.one(reply->json(), detail_columns);
    if (output.chosen() != OutputFormat::table) return;
    for (const auto& [name, columns] :
         {std::pair{"changes", &change_columns}, std::pair{"children", &list_columns},
          std::pair{"deliveries", &delivery_columns}}) {
        const auto items = elements(reply->json(), name);
        if (items.empty()) continue;
        std::printf("\n%s\n", name);
        output.list(items, *columns);
    }
}

std::string show_errors(JsonView errors) {
    std::string text;
    for (const JsonView& error : elements(errors, "")) {
        text += (text.empty() ? "" : "; ") + cell(error, "pointer") + " " + cell(error, "detail");
    }
    return text;
}

bool looks_like_lines(const std::string& text) {
    const std::size_t first = text.find_first_not_of(" \t\r\n");
    if (first == std::string::npos || text[first] != '{') return false;
    // Several objects one a line, unlike one object printed over several lines.
    const std::size_t end = text.find('\n', first);
    const std::size_t next =
        end == std::string::npos ? end : text.find_first_not_of(" \t\r\n", end);
    return next != std::string::npos && text[next] == '{' &&
           text.find_last_not_of(" \t\r", end - 1) != std::string::npos &&
           text[text.find_last_not_of(" \t\r", end - 1)] == '}';
}

void send(CommandLine& line, const std::string& file, bool wait) {
    auto body = read_input(file);
    if (!body) return line.fail_with(Exit::usage, body.error().message);
    const std::string type = looks_like_lines(*body) ? "application/x-ndjson" : "application/json";
    const auto reply = line.call({"POST", "/api/v1/events", *body, type});
    if (!reply) return;
    auto results = elements(reply->json(), "results");
    if (!reply->json().find("results")) results.push_back(reply->json());
    std::vector<std::string> ids;
    for (const JsonView& result : results) {
        if (cell(result, "status") == "rejected") {
            line.exit = Exit::failure;
            if (wait) std::fprintf(stderr, "%s\n", show_errors(at_path(result, "errors")).c_str());
        }
        for (const JsonView& id : elements(result, "deliveries")) ids.push_back(cell(id));
    }
    if (wait) return wait_for_deliveries(line, ids, std::chrono::seconds{60});
    line.output().list(results, {{"STATUS", "status"},
                                 {"ID", "id"},
                                 {"SEQ", "seq"},
                                 {"DELIVERIES", "deliveries"},
                                 {"ERRORS", "errors", show_errors}});
}

/// New events as they come: the last few first, then a poll each half second.
void tail(CommandLine& line, const EventOptions& options) {
    const std::string filters = query_of(options);
    const auto last =
        line.call({"GET", "/api/v1/events?limit=" + std::to_string(options.limit) + filters});
    if (!last) return;
    const Output output = line.output();
    const bool table = output.chosen() == OutputFormat::table;
    auto print = [&](JsonView event) {
        const std::string text = table ? cell(event, "occurred_at") + "  " + cell(event, "event") +
                                             "  " + cell(event, "branch") + "  " +
                                             cell(event, "node.kind") + "  " + cell(event, "id")
                                       : std::string(event.raw());
        std::printf("%s\n", text.c_str());
    };
    const auto items = elements(last->json(), "items");
    for (const JsonView& item : std::views::reverse(items)) print(item);
    std::string cursor = cell(last->json(), "tail_cursor");
    for (;;) {
        std::fflush(stdout);
        const auto page = line.call(
            {"GET", "/api/v1/events?order=asc&limit=250&cursor=" + url_encode(cursor) + filters});
        if (!page) return;
        const auto fresh = elements(page->json(), "items");
        for (const JsonView& item : fresh) print(item);
        cursor = cell(page->json(), "last_cursor");
        if (fresh.size() < 250) std::this_thread::sleep_for(std::chrono::milliseconds{500});
    }
}

}  // namespace

void add_event_commands(CLI::App& app, CommandLine& line) {
    auto* group = app.add_subcommand("event", "Send events and search the activity log");
    group->require_subcommand(1);

    auto file = std::make_shared<std::string>();
    auto wait = std::make_shared<bool>(false);
    auto* sending = group->add_subcommand(
        "send",
        "Send one event, an array or one a line\n\n  herald event send event.json --wait\n"
        "  jq -c . *.json | herald event send -");
    sending->add_option("file", *file, "JSON file; - reads standard input")->required();
    sending->add_flag("--wait", *wait, "Wait for the outcome of the first attempts");
    sending->callback([&line, file, wait] { send(line, *file, *wait); });

    auto filters = std::make_shared<EventOptions>();
    auto* listing = group->add_subcommand(
        "list",
        "The activity log, newest first\n\n  herald event list --event 'infrahub.node.*' "
        "--branch main --since 2026-01-01T00:00:00Z");
    add_filters(*listing, *filters);
    listing->add_option("--limit", filters->limit, "At most so many (1 to 250)");
    listing->callback([&line, filters] { list(line, *filters); });

    auto id = std::make_shared<std::string>();
    auto* getting =
        group->add_subcommand("get", "One event: values before and after, children, deliveries");
    getting->add_option("event", *id, "Its id")->required();
    getting->callback([&line, id] { get(line, *id); });

    add_event_jobs(*group, line);

    auto tailing_filters = std::make_shared<EventOptions>();
    tailing_filters->limit = 10;
    auto* tailing = group->add_subcommand("tail", "Events as they are stored, until Ctrl-C");
    add_filters(*tailing, *tailing_filters);
    tailing->add_option("-n,--lines", tailing_filters->limit, "How many earlier ones first");
    tailing->callback([&line, tailing_filters] {
        // Ctrl-C ends it with 130, as shells do.
        std::signal(SIGINT, [](int) { std::_Exit(130); });
        tail(line, *tailing_filters);
    });
}

}  // namespace herald
