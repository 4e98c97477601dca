#include <chrono>
#include <memory>
#include <thread>

#include "app/commands.h"

namespace herald {

namespace {

const Columns detail_columns = {{"delivery", "id"},        {"webhook", "webhook.name"},
                                {"event", "event"},        {"event id", "event_id"},
                                {"state", "state"},        {"attempts", "attempts"},
                                {"cause", "cause"},        {"next attempt", "next_attempt_at"},
                                {"repeats", "redelivers"}, {"created", "created_at"}};

const Columns attempt_columns = {
    {"ATTEMPT", "number"},  {"STARTED", "started_at"},        {"MS", "duration_ms"},
    {"STATUS", "status"},   {"PROFILE", "signature_profile"}, {"FAILURE", "failure_class"},
    {"MESSAGE", "message"}, {"WHAT TO DO", "remediation"}};

struct ListOptions {
    std::vector<std::string> webhooks;
    std::string event;
    std::vector<std::string> states;
    std::vector<std::string> classes;
    std::string since;
    std::string until;
    int limit = 50;
};

std::string path_of(const std::string& id) { return "/api/v1/deliveries/" + url_encode(id); }

void add_query(std::string& query, std::string_view name, const std::string& value) {
    if (!value.empty()) query += "&" + std::string(name) + "=" + url_encode(value);
}

void list(CommandLine& line, const ListOptions& options) {
    std::string query = "?limit=" + std::to_string(options.limit);
    for (const std::string& name : options.webhooks) add_query(query, "webhook", name);
    for (const std::string& state : options.states) add_query(query, "state", state);
    for (const std::string& one : options.classes) add_query(query, "class", one);
    add_query(query, "event", options.event);
    add_query(query, "since", options.since);
    add_query(query, "until", options.until);
    const auto reply = line.call({"GET", "/api/v1/deliveries" + query});
    if (reply) line.output().list(elements(reply->json(), "items"), delivery_columns);
}

void get(CommandLine& line, const std::string& id) {
    const auto reply = line.call({"GET", path_of(id)});
    if (!reply) return;
    const Output output = line.output();
    output.one(reply->json(), detail_columns);
    if (output.chosen() != OutputFormat::table) return;
    std::fputs("\n", stdout);
    output.list(elements(reply->json(), "attempt_list"), attempt_columns);
}

}  // namespace

void wait_for_deliveries(CommandLine& line, const std::vector<std::string>& ids,
                         std::chrono::seconds patience) {
    const auto until = std::chrono::steady_clock::now() + patience;
    std::vector<ApiReply> ended;
    for (const std::string& id : ids) {
        for (;;) {
            auto reply = line.call({"GET", path_of(id)});
            if (!reply) return;
            const std::string state = cell(reply->json(), "state");
            const bool tried = cell(reply->json(), "attempts") != "0";
            const bool over = std::chrono::steady_clock::now() >= until;
            // A failed attempt that will be repeated is an outcome too: the next may be hours off.
            if (state != "pending" || tried || over) {
                ended.push_back(std::move(*reply));
                if (state != "delivered") line.exit = Exit::undelivered;
                break;
            }
            std::this_thread::sleep_for(std::chrono::milliseconds{50});
        }
    }
    if (ids.empty())
        std::fputs("nothing was sent: no webhook wants it, or it was stored before\n", stderr);
    std::vector<JsonView> deliveries;
    deliveries.reserve(ended.size());
    for (const ApiReply& reply : ended) deliveries.push_back(reply.json());
    line.output().list(deliveries, delivery_columns);
    for (const JsonView& delivery : deliveries) {
        const auto attempts = elements(delivery, "attempt_list");
        if (attempts.empty() || cell(attempts.back(), "message").empty()) continue;
        std::fprintf(stderr, "%s: %s\n  %s\n", cell(delivery, "id").c_str(),
                     cell(attempts.back(), "message").c_str(),
                     cell(attempts.back(), "remediation").c_str());
    }
}

void add_delivery_commands(CLI::App& app, CommandLine& line) {
    auto* group = app.add_subcommand("delivery", "Look at deliveries, repeat or cancel them");
    group->require_subcommand(1);

    auto options = std::make_shared<ListOptions>();
    auto* listing = group->add_subcommand(
        "list", "Deliveries, newest first\n\n  herald delivery list --webhook eda --state failed");
    listing->add_option("-w,--webhook", options->webhooks, "Of this webhook (name or id)");
    listing->add_option("--event", options->event, "Of this event (id)");
    listing->add_option("--state", options->states,
                        "pending, delivered, failed, cancelled or merged");
    listing->add_option("--class", options->classes, "Failure class, such as TIMEOUT");
    listing->add_option("--since", options->since, "Created at or after (RFC 3339)");
    listing->add_option("--until", options->until, "Created before (RFC 3339)");
    listing->add_option("--limit", options->limit, "At most so many (1 to 250)");
    listing->callback([&line, options] { list(line, *options); });

    auto id = std::make_shared<std::string>();
    auto* getting = group->add_subcommand("get", "One delivery with its attempts");
    getting->add_option("delivery", *id, "Its id, msg_...")->required();
    getting->callback([&line, id] { get(line, *id); });

    auto* retrying = group->add_subcommand(
        "retry", "Send the event again, as a new delivery with the webhook's present settings");
    retrying->add_option("delivery", *id, "Its id, msg_...")->required();
    auto wait = std::make_shared<bool>(false);
    retrying->add_flag("--wait", *wait, "Wait for the outcome of the first attempt");
    retrying->callback([&line, id, wait] {
        const auto reply = line.call({"POST", path_of(*id) + "/retry", "{}"});
        if (!reply) return;
        if (!*wait) return line.output().one(reply->json(), detail_columns);
        wait_for_deliveries(line, {cell(reply->json(), "id")}, std::chrono::seconds{60});
    });

    add_delivery_jobs(*group, line);

    auto* cancelling = group->add_subcommand("cancel", "Make no further attempt");
    cancelling->add_option("delivery", *id, "Its id, msg_...")->required();
    cancelling->callback([&line, id] {
        const auto reply = line.call({"POST", path_of(*id) + "/cancel", "{}"});
        if (reply) line.output().one(reply->json(), detail_columns);
    });
}

}  // namespace herald
