#include <algorithm>
#include <memory>

#include <boost/json.hpp>

#include "app/commands.h"
#include "core/ascii.h"
#include "core/options.h"
#include "core/preset.h"

namespace herald {

namespace {

namespace json = boost::json;

std::string show_names(JsonView parameters) {
    std::string text;
    for (const JsonView& parameter : elements(parameters, "")) {
        text += (text.empty() ? "" : ", ") + cell(parameter, "name");
    }
    return text;
}

const Columns list_columns = {
    {"NAME", "name"}, {"FOR", "title"}, {"PARAMETERS", "parameters", show_names}};
const Columns detail_columns = {{"preset", "name"},
                                {"for", "title"},
                                {"makes", "description"},
                                {"documentation", "documentation"}};
const Columns parameter_columns = {{"PARAMETER", "name"},
                                   {"SECRET", "secret"},
                                   {"DEFAULT", "default"},
                                   {"IS", "description"},
                                   {"EXAMPLE", "example"}};
const Columns test_columns = {{"PRESET", "preset"}, {"EVENT", "event"}, {"RESULT", "result"}};

std::optional<ApiReply> fetch(CommandLine& line, const std::string& name) {
    return line.call({"GET", "/api/v1/presets/" + url_encode(name)});
}

Result<PresetValues> read_values(const std::vector<std::string>& texts) {
    PresetValues values;
    for (const std::string& text : texts) {
        const std::size_t equals = text.find('=');
        if (equals == std::string::npos || equals == 0) {
            return fail(Errc::invalid, "--param " + text + ": write it as name=value");
        }
        values.emplace_back(text.substr(0, equals), text.substr(equals + 1));
    }
    return values;
}

bool is_given(const PresetValues& values, std::string_view name) {
    return std::ranges::find(values, name, &PresetValues::value_type::first) != values.end();
}

// show

void show_webhook(JsonView preset) {
    std::printf("\nwebhook\n%s\n", to_pretty_json(at_path(preset, "webhook")).c_str());
}

/// The code apart, so that it can be read and copied.
void show_transformation(JsonView preset) {
    const JsonView transformation = at_path(preset, "transformation");
    if (!transformation.is_object()) return;
    JsonObject members;
    for (auto items = transformation.items(); items.next();) {
        if (items.key() != "source") members.add_json(items.key(), items.value().raw());
    }
    std::printf("\ntransformation\n%s\n", to_pretty_json(JsonView(members.text())).c_str());
    const std::string source = transformation.string("source").value_or("");
    std::printf("\nits source\n%s%s", source.c_str(), source.ends_with('\n') ? "" : "\n");
}

void show(CommandLine& line, const std::string& name) {
    const auto reply = fetch(line, name);
    if (!reply) return;
    const Output output = line.output();
    const JsonView preset = reply->json();
    output.one(preset, detail_columns);
    if (output.chosen() != OutputFormat::table) return;
    std::fputs("\n", stdout);
    output.list(elements(preset, "parameters"), parameter_columns);
    show_webhook(preset);
    show_transformation(preset);
    for (const JsonView& note : elements(preset, "notes")) {
        std::printf("\n%s\n", cell(note).c_str());
    }
}

// test

/// The parameters' values: those given, and examples for the others.
PresetValues with_examples(const Preset& preset, PresetValues values) {
    for (const PresetParameter& parameter : preset.parameters) {
        if (!is_given(values, parameter.name)) {
            values.emplace_back(parameter.name, parameter.example);
        }
    }
    return values;
}

/// The secret that the transformation needs and that is not given; empty: none.
std::string missing_secret(const Preset& preset, const PresetValues& given) {
    for (const PresetParameter& parameter : preset.parameters) {
        const bool used =
            preset.transformation.find("\"{" + parameter.name + "}\"") != std::string::npos;
        if (parameter.secret && used && !is_given(given, parameter.name)) return parameter.name;
    }
    return "";
}

std::string compare(std::string_view what, JsonView made, JsonView expected) {
    if (made.raw() == expected.raw()) return "";
    return std::string(what) + " is " + std::string(made.raw()) + ", expected " +
           std::string(expected.raw());
}

/// What the reply of a run has of a sample's headers: made, or always the same.
std::string compare_headers(JsonView reply, JsonView webhook, JsonView expected) {
    json::object headers{{"Content-Type", cell(reply, "content_type")}};
    for (const JsonView& header : elements(webhook, "headers")) {
        headers[cell(header, "key")] = cell(header, "value");
    }
    for (auto made = at_path(reply, "headers").items(); made.next();) {
        headers[made.key()] = cell(made.value());
    }
    for (auto wanted = at_path(expected, "headers").items(); wanted.next();) {
        const auto* made = headers.if_contains(wanted.key());
        const std::string value = made == nullptr ? "" : std::string(made->as_string());
        if (value == cell(wanted.value())) continue;
        return wanted.key() + " is \"" + value + "\", expected " +
               std::string(wanted.value().raw());
    }
    return "";
}

/// "ok", or what differs.
std::string verdict(JsonView reply, JsonView webhook, JsonView expected) {
    if (const JsonView failure = at_path(reply, "failure"); !failure.is_null()) {
        return cell(failure, "class") + ": " + cell(failure, "message");
    }
    const auto body = canonical_json(cell(reply, "body"));
    if (!body) return "the body is no JSON: " + body.error().message;
    std::string differs = compare("the body", JsonView(*body), at_path(expected, "body"));
    if (differs.empty()) {
        differs = compare("the URL", at_path(webhook, "url"), at_path(expected, "url"));
    }
    if (differs.empty()) differs = compare_headers(reply, webhook, expected);
    return differs.empty() ? "ok" : differs;
}

/// What became of one sample; nullopt: the server did not say.
std::optional<std::string> run_sample(CommandLine& line, const UsedPreset& used, JsonView sample) {
    const JsonView webhook(used.webhook);
    const JsonView expected = at_path(sample, "expected");
    if (used.transformation.empty()) {
        std::string reply = R"({"content_type":"application/json","headers":{},"body":)";
        append_json_string(reply, at_path(sample, "event").raw());
        return verdict(JsonView(reply + "}"), webhook, expected);
    }
    const std::string body = R"({"transformation":)" + used.transformation +
                             R"(,"event":{"body":)" + std::string(at_path(sample, "event").raw()) +
                             "}}";
    const auto reply = line.call({"POST", "/api/v1/transformations/run", body});
    if (!reply) return std::nullopt;
    return verdict(reply->json(), webhook, expected);
}

/// Adds a row for each sample; false: it cannot go on.
bool test_one(CommandLine& line, const std::string& name, const PresetValues& given,
              std::vector<std::string>& rows) {
    const auto reply = fetch(line, name);
    if (!reply) return false;
    const auto preset = read_preset(reply->json());
    const auto used = preset ? use(*preset, name, with_examples(*preset, given))
                             : Result<UsedPreset>(fail(preset.error()));
    if (!used) {
        line.fail_with(Exit::usage, used.error().message);
        return false;
    }
    const std::string missing = missing_secret(*preset, given);
    for (const JsonView& sample : elements(reply->json(), "samples")) {
        std::optional<std::string> result =
            "skipped: give --param " + missing + "=env:NAME, a variable that herald has";
        if (missing.empty()) result = run_sample(line, *used, sample);
        if (!result) return false;
        if (missing.empty() && *result != "ok") line.exit = Exit::failure;
        rows.push_back(JsonObject()
                           .add("preset", name)
                           .add("event", cell(sample, "event.event"))
                           .add("result", *result)
                           .text());
    }
    return true;
}

void test(CommandLine& line, const std::string& name, const std::vector<std::string>& texts) {
    const auto given = read_values(texts);
    if (!given) return line.fail_with(Exit::usage, given.error().message);
    std::vector<std::string> names{name};
    if (name.empty()) {
        if (!given->empty()) {
            return line.fail_with(Exit::usage, "--param is for one preset: name it");
        }
        const auto reply = line.call({"GET", "/api/v1/presets"});
        if (!reply) return;
        names.clear();
        for (const JsonView& preset : elements(reply->json(), "items")) {
            names.push_back(cell(preset, "name"));
        }
    }
    std::vector<std::string> rows;
    for (const std::string& one : names) {
        if (!test_one(line, one, *given, rows)) return;
    }
    line.output().list({rows.begin(), rows.end()}, test_columns);
}

// webhook create --preset

/// Some options of the command line stand for parameters of the same meaning.
void take_options(Preset& preset, const json::object& changes, PresetValues& values) {
    const auto* url = changes.if_contains("url");
    for (PresetParameter& parameter : preset.parameters) {
        if (is_given(values, parameter.name)) continue;
        if (parameter.name == "url" && url != nullptr && url->is_string()) {
            values.emplace_back("url", std::string(url->as_string()));
        }
        // What is laid over the preset's webhook holds the key itself.
        if (parameter.name == "key" && changes.contains("shared_key")) parameter.otherwise = "";
    }
}

/// Headers of the command line come beside those of the preset, or in place of their namesakes.
void join_headers(json::object& changes, JsonView webhook) {
    auto* given = changes.if_contains("headers");
    if (given == nullptr || !given->is_array()) return;
    json::array joined;
    for (const JsonView& header : elements(webhook, "headers")) {
        const std::string key = cell(header, "key");
        const bool replaced = std::ranges::any_of(given->get_array(), [&](const json::value& one) {
            const auto* name = one.is_object() ? one.get_object().if_contains("key") : nullptr;
            return name != nullptr && name->is_string() &&
                   ascii::same_name(std::string_view(name->get_string()), key);
        });
        if (!replaced) joined.push_back(json::parse(header.raw()));
    }
    for (const json::value& one : given->get_array()) joined.push_back(one);
    *given = std::move(joined);
}

/// The webhook of a preset with the changes laid over it, as canonical JSON.
Result<UsedPreset> lay_over(const Preset& preset, const PresetValues& values,
                            json::object changes) {
    auto used = use(preset, std::string_view(changes["name"].as_string()), values);
    if (!used) return used;
    if (changes.contains("transformation")) used->transformation.clear();
    join_headers(changes, JsonView(used->webhook));
    const auto patch = canonical_json(json::serialize(changes));
    if (!patch) return fail(Errc::invalid, patch.error().message);
    used->webhook = merge_patch(JsonView(used->webhook), JsonView(*patch));
    return used;
}

}  // namespace

std::optional<ApiReply> create_with_preset(CommandLine& line, const std::string& name,
                                           const std::vector<std::string>& parameters,
                                           const json::object& changes) {
    auto values = read_values(parameters);
    if (!values) {
        line.fail_with(Exit::usage, values.error().message);
        return std::nullopt;
    }
    const auto document = fetch(line, name);
    if (!document) return std::nullopt;
    auto preset = read_preset(document->json());
    if (preset) take_options(*preset, changes, *values);
    const auto used =
        preset ? lay_over(*preset, *values, changes) : Result<UsedPreset>(fail(preset.error()));
    if (!used) {
        line.fail_with(Exit::usage,
                       used.error().message + "\n`herald preset show " + name + "` says more.");
        return std::nullopt;
    }
    const bool transforms = !used->transformation.empty();
    const std::string base = "/api/v1/transformations";
    if (transforms && !line.call({"POST", base, used->transformation})) return std::nullopt;
    auto reply = line.call({"POST", "/api/v1/webhooks", used->webhook});
    if (reply || !transforms) return reply;
    const std::string made = cell(JsonView(used->transformation), "name");
    if (line.call({"DELETE", base + "/" + url_encode(made)})) {
        std::fprintf(stderr, "The transformation %s was removed again.\n", made.c_str());
    }
    return std::nullopt;
}

void add_preset_commands(CLI::App& app, CommandLine& line) {
    auto* group = app.add_subcommand("preset", "How well-known receivers are served");
    group->require_subcommand(1);
    group->add_subcommand("list", "All presets")->callback([&line] {
        const auto reply = line.call({"GET", "/api/v1/presets"});
        if (reply) line.output().list(elements(reply->json(), "items"), list_columns);
    });
    auto shown = std::make_shared<std::string>();
    auto* showing = group->add_subcommand(
        "show",
        "One preset: its parameters, and what it becomes\n\n"
        "  herald preset show slack\n"
        "  herald webhook create --preset slack --param url=https://hooks.slack.com/... chat");
    showing->add_option("preset", *shown, "Name")->required();
    showing->callback([&line, shown] { show(line, *shown); });

    auto tested = std::make_shared<std::string>();
    auto values = std::make_shared<std::vector<std::string>>();
    auto* testing = group->add_subcommand(
        "test",
        "Runs the samples of a preset, or of all; sends nothing. Exit code 1 when one differs\n\n"
        "  herald preset test\n"
        "  herald preset test pagerduty-change --param routing_key=env:PAGERDUTY_ROUTING_KEY");
    testing->add_option("preset", *tested, "Name; without it all are tested");
    testing->add_option("-p,--param", *values, "name=value; may be repeated (default: examples)")
        ->allow_extra_args(false);
    testing->callback([&line, tested, values] { test(line, *tested, *values); });
}

}  // namespace herald
