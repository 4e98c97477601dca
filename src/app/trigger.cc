#include <memory>

#include "app/commands.h"
#include "app/signature_choice.h"
#include "async/clock.h"
#include "base/json.h"
#include "core/suggest.h"
#include "infrahub/decode.h"
#include "infrahub/names.h"
#include "infrahub/samples.h"

namespace herald {

namespace {

struct TriggerOptions {
    std::string type = "infrahub.node.updated";
    std::string branch;
    std::vector<std::string> sets;
    std::string url;
    std::string key_file;
    SignatureChoice choice;
    bool list = false;
    bool print = false;
    bool wait = false;
};

/// The object with another value at a dotted path; what is missing on the way is made.
std::string with_value(JsonView object, std::string_view path, const std::string& value) {
    if (path.empty()) return value;
    const std::size_t dot = std::min(path.find('.'), path.size());
    const std::string_view name = path.substr(0, dot);
    const std::string_view rest = path.substr(std::min(dot + 1, path.size()));
    JsonObject changed;
    bool found = false;
    for (auto items = object.items(); object.is_object() && items.next();) {
        const bool here = items.key() == name;
        found = found || here;
        changed.add_json(items.key(), here ? with_value(items.value(), rest, value)
                                           : std::string(items.value().raw()));
    }
    if (!found) changed.add_json(name, with_value(JsonView{}, rest, value));
    return changed.text();
}

std::string as_json(const std::string& text) {
    std::string json;
    append_json_string(json, text);
    return json;
}

/// Sets "data.kind=InfraDevice" in the event; the value is JSON where it parses, else text.
Result<> set_path(std::string& event, const std::string& text) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
        return fail(Errc::invalid, "--set " + text + ": write it as path=value");
    }
    const std::string given = text.substr(equals + 1);
    const auto json = canonical_json(given);
    event = with_value(JsonView(event), text.substr(0, equals), json ? *json : as_json(given));
    return {};
}

Result<std::string> make_sample(const TriggerOptions& options) {
    const auto sample = infrahub::sample_event(options.type, SystemClock{}.now());
    if (!sample) {
        std::vector<std::string_view> known;
        for (const EventType& type : infrahub::event_types().all()) known.push_back(type.name);
        return fail(Errc::invalid, "there is no sample for " + options.type +
                                       did_you_mean(options.type, known) +
                                       "\n`herald trigger --list` shows all event types");
    }
    std::string event = *sample;
    if (!options.branch.empty())
        event = with_value(JsonView(event), "branch", as_json(options.branch));
    for (const std::string& set : options.sets) {
        if (auto done = set_path(event, set); !done) return fail(done.error());
    }
    return event;
}

/// Straight to a receiver, without a server: the body signed as herald signs it.
void send_directly(CommandLine& line, const TriggerOptions& options, const std::string& sample) {
    const auto event = infrahub::decode_event(JsonView(sample), SystemClock{}.now(), "trigger");
    if (!event) return line.fail_with(Exit::usage, event.error().message);
    ApiRequest request{"POST", "/", event->body};
    if (!options.key_file.empty()) {
        const auto key = read_secret(options.key_file);
        if (!key) return line.fail_with(Exit::usage, key.error().message);
        const std::string id = fresh_message_id();
        const std::string seconds = now_in_seconds();
        auto made = sign_sample(options.choice, *key, {id, seconds, event->type}, event->body);
        if (!made) return line.fail_with(Exit::usage, made.error().message);
        request.headers = std::move(made->headers);
        request.body = std::move(made->body);
    }
    const auto reply = http_call(options.url, request);
    if (!reply) return line.fail_with(Exit::unreachable, reply.error().message);
    const std::string shown = JsonObject()
                                  .add_json("status", std::to_string(reply->status))
                                  .add("body", reply->text)
                                  .text();
    line.output().one(JsonView(shown), {{"status", "status"}, {"body", "body"}});
    if (!reply->ok()) line.exit = Exit::undelivered;
}

void list_types(CommandLine& line) {
    std::vector<std::string> rows;
    for (const EventType& type : infrahub::event_types().all()) {
        rows.push_back(JsonObject()
                           .add("event", type.name)
                           .add_json("carries_node_kind", type.carries_kind ? "true" : "false")
                           .text());
    }
    const std::vector<JsonView> items(rows.begin(), rows.end());
    line.output().list(items, {{"EVENT", "event"}, {"TAKES NODE KIND", "carries_node_kind"}});
}

void trigger(CommandLine& line, const TriggerOptions& options) {
    if (options.list) return list_types(line);
    auto sample = make_sample(options);
    if (!sample) return line.fail_with(Exit::usage, sample.error().message);
    if (options.print) {
        std::printf("%s\n", to_pretty_json(JsonView(*sample)).c_str());
        return;
    }
    if (!options.url.empty()) return send_directly(line, options, *sample);
    const auto reply = line.call({"POST", "/api/v1/events", *sample});
    if (!reply) return;
    if (!options.wait) {
        return line.output().one(
            reply->json(),
            {{"status", "status"}, {"event id", "id"}, {"deliveries", "deliveries"}});
    }
    std::vector<std::string> ids;
    for (const JsonView& id : elements(reply->json(), "deliveries")) ids.push_back(cell(id));
    wait_for_deliveries(line, ids, std::chrono::seconds{60});
}

}  // namespace

void add_trigger(CLI::App& app, CommandLine& line) {
    auto options = std::make_shared<TriggerOptions>();
    auto* command = app.add_subcommand(
        "trigger",
        "Send a realistic sample of any event type\n\n"
        "  herald trigger infrahub.node.updated --wait\n"
        "  herald trigger infrahub.node.created --branch main --set data.kind=InfraDevice\n"
        "  herald trigger infrahub.branch.created --url http://127.0.0.1:8200 --key-file key.txt");
    command->add_option("event", options->type, "Event type (default infrahub.node.updated)");
    command->add_option("--branch", options->branch, "Branch of the event");
    command->add_option("--set", options->sets, "path=value in the event; may be repeated");
    command->add_option("--url", options->url, "Send to this receiver, not through a server");
    command->add_option("--key-file", options->key_file, "With --url: file with the shared key");
    options->choice.add_to(*command, "With --url: how to sign (default auto)");
    command->add_flag("--list", options->list, "List the event types there are");
    command->add_flag("--print", options->print, "Only print the event");
    command->add_flag("--wait", options->wait, "Wait for the outcome of the first attempts");
    command->callback([&line, options] { trigger(line, *options); });
}

}  // namespace herald
