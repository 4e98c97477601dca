#include <memory>

#include <boost/json.hpp>

#include "app/commands.h"
#include "core/signature_profile.h"
#include "core/webhook_options.h"

namespace herald {

namespace {

namespace json = boost::json;

std::string show_headers(JsonView headers) {
    std::string text;
    for (const JsonView& header : elements(headers, "")) {
        const std::string variable = cell(header, "environment");
        const std::string value = variable.empty() ? cell(header, "value") : "$" + variable;
        text += (text.empty() ? "" : ", ") + cell(header, "key") + ": " + value;
    }
    return text;
}

std::string show_retry(JsonView retry) {
    if (auto preset = retry.string("preset")) return *preset;
    return cell(retry, "delays") + " (jitter " + cell(retry, "jitter") + ")";
}

std::string show_seconds(JsonView seconds) { return cell(seconds) + " s"; }

std::string show_state(JsonView health) {
    return health.string("held_until") ? cell(health, "state") + ", held" : cell(health, "state");
}

std::string show_health(JsonView health) {
    std::string text = cell(health, "state");
    if (const auto since = health.string("since")) text += " since " + *since;
    if (const auto reason = health.string("reason")) text += ": " + *reason;
    if (const auto until = health.string("held_until")) text += "; held until " + *until;
    return text;
}

std::string show_last_success(JsonView health) { return cell(health, "last_success"); }

const Columns list_columns = {
    {"NAME", "name"},         {"ACTIVE", "active"},           {"HEALTH", "health", show_state},
    {"EVENTS", "event_type"}, {"BRANCHES", "branch_scope"},   {"KIND", "node_kind"},
    {"URL", "url"},           {"PROFILE", "accepted_profile"}};

const Columns detail_columns = {{"name", "name"},
                                {"id", "id"},
                                {"kind", "kind"},
                                {"active", "active"},
                                {"event_type", "event_type"},
                                {"branch_scope", "branch_scope"},
                                {"node_kind", "node_kind"},
                                {"description", "description"},
                                {"url", "url"},
                                {"validate_certificates", "validate_certificates"},
                                {"shared_key_fingerprint", "shared_key_fingerprint"},
                                {"public_key", "public_key"},
                                {"signature_profile", "signature_profile"},
                                {"accepted_profile", "accepted_profile"},
                                {"headers", "headers", show_headers},
                                {"timeout", "timeout", show_seconds},
                                {"retry", "retry", show_retry},
                                {"health", "health", show_health},
                                {"last_success", "health", show_last_success},
                                {"version", "version"},
                                {"updated_at", "updated_at"}};

/// What create and update take. Empty optionals are left as they are.
struct WebhookOptions {
    std::string name;
    std::string new_name;
    std::string url;
    std::string kind;
    std::vector<std::string> events;
    std::string branch_scope;
    std::optional<std::string> node_kind;
    std::optional<std::string> description;
    std::string shared_key_file;
    std::string grace;
    std::optional<bool> validate_certificates;
    std::vector<std::string> headers;
    std::vector<std::string> env_headers;
    std::string profile;
    std::string retry;
    double timeout = 0;
    std::vector<std::string> settings;
    std::string preset;
    std::vector<std::string> parameters;
    bool inactive = false;
};

void add_attributes(CLI::App& command, WebhookOptions& options) {
    command.add_option("--url", options.url, "Where requests go, such as http://ansible-eda:8080");
    command.add_option("--kind", options.kind, "standard or custom");
    command.add_option("-e,--event-type", options.events,
                       "Event name, glob or `all`; may be repeated (default all)");
    command.add_option("-b,--branch-scope", options.branch_scope,
                       "default_branch, other_branches or all_branches");
    command.add_option("-k,--node-kind", options.node_kind, "Only nodes of this kind; \"\": any");
    command.add_option("--description", options.description, "What it is for");
    command.add_option("--shared-key-file", options.shared_key_file,
                       "File with the shared key; - reads standard input");
    command.add_option("--validate-certificates", options.validate_certificates,
                       "true or false; off only on purpose");
    command.add_option("-H,--header", options.headers, "\"Name: value\"; may be repeated");
    command.add_option("--env-header", options.env_headers,
                       "\"Name: VARIABLE\": the value comes from the server's environment");
    command.add_option("--signature-profile", options.profile, signature_profile_names());
    command.add_option("--retry", options.retry,
                       "standard, infrahub, none, or delays such as 0s,10s,5m");
    command.add_option("--timeout", options.timeout, "Seconds for one attempt (1 to 300)");
    command.add_option("-s,--set", options.settings,
                       "An option by its path, such as pacing.rate_limit=10/s or "
                       "'retry_on=[\"TIMEOUT\"]': a text or JSON; may be repeated");
}

Result<json::object> header_object(const std::string& text, const char* value_name) {
    const std::size_t colon = text.find(':');
    if (colon == std::string::npos) {
        return fail(Errc::invalid, "header \"" + text + "\": write it as \"Name: value\"");
    }
    std::string value = text.substr(colon + 1);
    value.erase(0, value.find_first_not_of(' '));
    return json::object{{"key", text.substr(0, colon)}, {value_name, value}};
}

json::value retry_value(const std::string& text) {
    if (text.find(',') == std::string::npos && !text.empty() && (text[0] < '0' || text[0] > '9')) {
        return json::object{{"preset", text}};
    }
    json::array delays;
    std::size_t from = 0;
    while (from <= text.size()) {
        const std::size_t comma = std::min(text.find(',', from), text.size());
        delays.emplace_back(text.substr(from, comma - from));
        from = comma + 1;
    }
    return json::object{{"delays", std::move(delays)}};
}

Result<json::object> attributes(const WebhookOptions& options) {
    json::object body;
    if (!options.url.empty()) body["url"] = options.url;
    if (!options.kind.empty()) body["kind"] = options.kind;
    if (options.events.size() == 1) body["event_type"] = options.events[0];
    if (options.events.size() > 1) {
        body["event_type"] = json::array(options.events.begin(), options.events.end());
    }
    if (!options.branch_scope.empty()) body["branch_scope"] = options.branch_scope;
    if (options.node_kind) {
        body["node_kind"] = nullptr;
        if (!options.node_kind->empty()) body["node_kind"] = *options.node_kind;
    }
    if (options.description) body["description"] = *options.description;
    if (!options.shared_key_file.empty()) {
        auto key = read_secret(options.shared_key_file);
        if (!key) return fail(key.error());
        body["shared_key"] = *key;
    }
    if (!options.grace.empty()) body["key_rotation"] = json::object{{"grace", options.grace}};
    if (options.validate_certificates) {
        body["validate_certificates"] = *options.validate_certificates;
    }
    if (!options.profile.empty()) body["signature_profile"] = options.profile;
    if (!options.retry.empty()) body["retry"] = retry_value(options.retry);
    if (options.timeout > 0) body["timeout"] = options.timeout;
    if (options.inactive) body["active"] = false;
    json::array headers;
    for (const auto& [texts, name] :
         {std::pair{&options.headers, "value"}, std::pair{&options.env_headers, "environment"}}) {
        for (const std::string& text : *texts) {
            auto header = header_object(text, name);
            if (!header) return fail(header.error());
            headers.emplace_back(std::move(*header));
        }
    }
    if (!headers.empty()) body["headers"] = std::move(headers);
    for (const std::string& setting : options.settings) {
        if (auto applied = apply_setting(body, setting); !applied) return fail(applied.error());
    }
    return body;
}

std::string path_of(const std::string& name) { return "/api/v1/webhooks/" + url_encode(name); }

/// What --set would take: "rate_limit=10/s changed_fields.only=[...]". What is empty is left out.
void append_settings(std::string& out, JsonView value, const std::string& path) {
    if (value.is_object()) {
        for (auto items = value.items(); items.next();) {
            append_settings(out, items.value(), path + (path.empty() ? "" : ".") + items.key());
        }
    } else if (!value.is_null() && value.raw() != "[]") {
        out += (out.empty() ? "" : " ") + path + (path.empty() ? "" : "=");
        out += value.string().value_or(std::string(value.raw()));
    }
}

std::string show_group(JsonView group) {
    std::string text;
    append_settings(text, group, "");
    return text;
}

/// The columns, and the groups of options that are not as they are by default.
Columns columns_of(JsonView webhook) {
    Columns columns = detail_columns;
    std::string text;
    append_option_groups(text, Webhook{});
    text.front() = '{';
    text += '}';
    const JsonView otherwise(text);
    for (const std::string_view group : option_groups()) {
        const auto given = webhook.find(group);
        const auto usual = otherwise.find(group);
        if (given && usual && given->raw() == usual->raw()) continue;
        columns.insert(columns.end() - 2, {group, group, show_group});
    }
    return columns;
}

void show(CommandLine& line, const ApiReply& reply) {
    const Columns columns = columns_of(reply.json());
    line.output().one(reply.json(), columns);
    for (const JsonView& warning : elements(reply.json(), "warnings")) {
        std::fprintf(stderr, "warning: %s\n", cell(warning).c_str());
    }
}

void create(CommandLine& line, const WebhookOptions& options) {
    auto body = attributes(options);
    if (!body) return line.fail_with(Exit::usage, body.error().message);
    (*body)["name"] = options.name;
    if (options.preset.empty() && !options.parameters.empty()) {
        return line.fail_with(Exit::usage, "--param is for a preset: name it with --preset");
    }
    const auto reply = options.preset.empty()
                           ? line.call({"POST", "/api/v1/webhooks", json::serialize(*body)})
                           : create_with_preset(line, options.preset, options.parameters, *body);
    if (reply) show(line, *reply);
}

void patch(CommandLine& line, const std::string& name, const json::object& body) {
    const auto reply = line.call({"PATCH", path_of(name), json::serialize(body)});
    if (reply) show(line, *reply);
}

void update(CommandLine& line, const WebhookOptions& options) {
    auto body = attributes(options);
    if (!body) return line.fail_with(Exit::usage, body.error().message);
    if (!options.new_name.empty()) (*body)["name"] = options.new_name;
    if (body->empty()) return line.fail_with(Exit::usage, "nothing to change was named");
    patch(line, options.name, *body);
}

void list(CommandLine& line) {
    std::vector<ApiReply> pages;
    std::string cursor;
    do {
        const std::string more = cursor.empty() ? "" : "&cursor=" + url_encode(cursor);
        auto reply = line.call({"GET", "/api/v1/webhooks?limit=250" + more});
        if (!reply) return;
        cursor = cell(reply->json(), "next_cursor");
        pages.push_back(std::move(*reply));
    } while (!cursor.empty());
    std::vector<JsonView> items;
    for (const ApiReply& page : pages) {
        for (const JsonView& item : elements(page.json(), "items")) items.push_back(item);
    }
    line.output().list(items, list_columns);
}

/// Why nothing is sent to the webhook until a person resumes it; empty: it is sent.
std::string why_it_waits(JsonView webhook) {
    if (cell(webhook, "active") == "false") return "paused";
    const std::string state = cell(webhook, "health.state");
    if (state != "disabled" && state != "gone") return {};
    return "stopped, as it is " + show_health(webhook.find("health").value_or(JsonView{}));
}

void test(CommandLine& line, const std::string& name, const std::string& event, bool wait) {
    // Asked first: the test itself may be what its receiver answers with 410.
    const auto webhook = line.call({"GET", path_of(name)});
    if (!webhook) return;
    const std::string waits = why_it_waits(webhook->json());
    json::object body;
    if (!event.empty()) body["event"] = event;
    const auto reply = line.call({"POST", path_of(name) + "/test", json::serialize(body)});
    if (!reply) return;
    if (!waits.empty()) {
        std::fprintf(stderr,
                     "%s is %s\n  The test waits until the webhook is resumed: herald webhook "
                     "resume %s\n",
                     printable(name).c_str(), printable(waits).c_str(), printable(name).c_str());
    }
    if (!wait) {
        return line.output().one(reply->json(), {{"event id", "id"}, {"deliveries", "deliveries"}});
    }
    std::vector<std::string> ids;
    for (const JsonView& id : elements(reply->json(), "deliveries")) ids.push_back(cell(id));
    wait_for_deliveries(line, ids, std::chrono::seconds{waits.empty() ? 60 : 0});
}

/// A command that takes a webhook's name or id and nothing else.
CLI::App* named(CLI::App& group, const std::string& verb, const std::string& help,
                std::function<void(const std::string&)> run) {
    auto* command = group.add_subcommand(verb, help);
    auto name = std::make_shared<std::string>();
    command->add_option("webhook", *name, "Name or id")->required();
    command->callback([name, run = std::move(run)] { run(*name); });
    return command;
}

void add_create_and_update(CLI::App& group, CommandLine& line) {
    auto made = std::make_shared<WebhookOptions>();
    auto* creating = group.add_subcommand(
        "create",
        "Create a webhook\n\n  herald webhook create eda --url http://ansible-eda:8080 \\\n    "
        "--event-type infrahub.node.updated --branch-scope all_branches --shared-key-file key.txt\n"
        "  herald webhook create --preset slack --param url=https://hooks.slack.com/... chat");
    creating->add_option("name", made->name, "Its name, unique")->required();
    creating->add_option("--preset", made->preset,
                         "For a well-known receiver, see `herald preset list`; other options add "
                         "to it");
    creating
        ->add_option("-p,--param", made->parameters,
                     "A parameter of the preset, name=value; may be repeated")
        ->allow_extra_args(false);
    add_attributes(*creating, *made);
    creating->add_flag("--inactive", made->inactive, "Create it paused");
    creating->callback([&line, made] { create(line, *made); });

    auto changed = std::make_shared<WebhookOptions>();
    auto* updating = group.add_subcommand(
        "update",
        "Change a webhook; what is not named stays\n\n  herald webhook update eda "
        "--url https://eda.example.com --branch-scope default_branch\n"
        "  herald webhook update eda --shared-key-file new.txt --grace 24h");
    updating->add_option("webhook", changed->name, "Name or id")->required();
    updating->add_option("--name", changed->new_name, "A new name");
    add_attributes(*updating, *changed);
    updating->add_option("--grace", changed->grace,
                         "With --shared-key-file: how long the old key signs too, such as 24h");
    updating->callback([&line, changed] { update(line, *changed); });
}

}  // namespace

Result<> apply_setting(json::object& body, const std::string& setting) {
    const std::size_t equals = setting.find('=');
    if (equals == std::string::npos || equals == 0) {
        return fail(Errc::invalid, "--set " + setting + ": write it as path=value");
    }
    json::object* object = &body;
    std::string_view path = std::string_view(setting).substr(0, equals);
    for (auto dot = path.find('.'); dot != path.npos; dot = path.find('.')) {
        json::value& inner = (*object)[path.substr(0, dot)];
        if (!inner.is_object()) inner = json::object{};
        object = &inner.get_object();
        path.remove_prefix(dot + 1);
    }
    const std::string text = setting.substr(equals + 1);
    boost::system::error_code error;
    json::value value = json::parse(text, error);
    (*object)[path] = error ? json::value(text) : std::move(value);
    return {};
}

void add_webhook_commands(CLI::App& app, CommandLine& line) {
    auto* group = app.add_subcommand("webhook", "Create, look at and change webhooks");
    group->require_subcommand(1);
    add_create_and_update(*group, line);
    group->add_subcommand("list", "All webhooks")->callback([&line] { list(line); });
    named(*group, "get", "One webhook, with all it is set to", [&line](const std::string& name) {
        if (const auto reply = line.call({"GET", path_of(name)})) show(line, *reply);
    });
    named(*group, "delete", "Delete a webhook; what is pending for it is cancelled",
          [&line](const std::string& name) {
              if (!line.call({"DELETE", path_of(name)})) return;
              std::fprintf(stderr, "deleted %s\n", printable(name).c_str());
          });
    named(*group, "pause", "Stop sending; what is pending waits",
          [&line](const std::string& name) { patch(line, name, {{"active", false}}); });
    named(*group, "resume", "Send again, with what has waited first",
          [&line](const std::string& name) { patch(line, name, {{"active", true}}); });

    add_webhook_jobs(*group, line);

    auto event = std::make_shared<std::string>();
    auto no_wait = std::make_shared<bool>(false);
    auto* testing = named(
        *group, "test",
        "Send a sample event to this webhook only and show how it ended\n\n"
        "  herald webhook test eda --event infrahub.branch.created",
        [&line, event, no_wait](const std::string& name) { test(line, name, *event, !*no_wait); });
    testing->add_option("--event", *event, "Event type of the sample");
    testing->add_flag("--no-wait", *no_wait, "Do not wait for the outcome");
    add_matching_commands(*group, line);
}

}  // namespace herald
