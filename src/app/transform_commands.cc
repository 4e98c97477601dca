#include <algorithm>
#include <memory>

#include <boost/json.hpp>

#include "app/commands.h"

namespace herald {

namespace {

namespace json = boost::json;

constexpr std::string_view base = "/api/v1/transformations";

std::string show_source(JsonView source) {
    const std::string text = source.string().value_or("");
    return text.empty() ? "" : std::to_string(text.size()) + " bytes";
}

std::string show_repository(JsonView repository) {
    std::string text = cell(repository, "location");
    if (const auto name = repository.string("transform")) text += " " + *name;
    return text;
}

const Columns list_columns = {{"NAME", "name"},
                              {"RUNTIME", "runtime"},
                              {"REPOSITORY", "repository", show_repository},
                              {"CONTENT TYPE", "content_type"},
                              {"USED BY", "used_by"}};

const Columns detail_columns = {{"name", "name"},
                                {"id", "id"},
                                {"description", "description"},
                                {"runtime", "runtime"},
                                {"source", "source", show_source},
                                {"repository", "repository.location"},
                                {"transform", "repository.transform"},
                                {"default branch", "repository.branch"},
                                {"file", "file"},
                                {"class", "class"},
                                {"url", "url"},
                                {"headers", "headers"},
                                {"content_type", "content_type"},
                                {"input", "input"},
                                {"timeout", "timeout"},
                                {"memory (MB)", "limits.memory_mb"},
                                {"processor (s)", "limits.cpu_seconds"},
                                {"output (bytes)", "limits.output_bytes"},
                                {"network", "network"},
                                {"environment", "environment"},
                                {"secrets", "secrets"},
                                {"used by", "used_by"},
                                {"version", "version"},
                                {"updated_at", "updated_at"}};

const Columns test_columns = {
    {"EVENT", "event"}, {"RESULT", "result"}, {"BYTES", "size"}, {"MS", "ms"}};

/// What describes a transformation; empty ones are left as they are.
struct Described {
    std::string name;
    std::string runtime;
    std::string source_file;
    std::string repository;
    std::string transform;
    std::string file;
    std::string branch;
    std::string content_type;
    std::string timeout;
    std::vector<std::string> secrets;
    std::vector<std::string> environment;
    std::vector<std::string> settings;
    bool network = false;
};

void add_description(CLI::App& command, Described& options) {
    command.add_option("--runtime", options.runtime,
                       "python, jinja2 or jq (default: by the name of --source-file)");
    command.add_option("--source-file", options.source_file,
                       "File with the code, kept in herald; - reads standard input");
    command.add_option("--repository", options.repository,
                       "Folder of a git checkout, or a URL to clone, that holds the code");
    command.add_option("--transform", options.transform,
                       "With --repository: a name of its list of transformations");
    command.add_option("--file", options.file, "With --repository: the file in it instead");
    command.add_option("--branch", options.branch, "For events without a branch (default main)");
    command.add_option("--content-type", options.content_type, "Of what it makes");
    command.add_option("--timeout", options.timeout, "For one event, such as 5s (default 10s)");
    command.add_option("--secret", options.secrets,
                       "NAME=env:VARIABLE or NAME=file:/path; may be repeated");
    command.add_option("--env", options.environment, "NAME=value or a reference; may be repeated");
    command.add_flag("--network", options.network, "Let it open connections");
    command.add_option("-s,--set", options.settings,
                       "Any other member by its path, such as limits.memory_mb=512");
}

Result<> add_named(json::object& body, const char* member, const std::vector<std::string>& texts) {
    json::object values;
    for (const std::string& text : texts) {
        const std::size_t equals = text.find('=');
        if (equals == std::string::npos || equals == 0) {
            return fail(Errc::invalid, text + ": write it as NAME=value");
        }
        values[text.substr(0, equals)] = text.substr(equals + 1);
    }
    if (!values.empty()) body[member] = std::move(values);
    return {};
}

std::string runtime_of(const Described& options) {
    if (!options.runtime.empty()) return options.runtime;
    const auto ends = [&](std::string_view end) { return options.source_file.ends_with(end); };
    if (ends(".py") || !options.transform.empty()) return "python";
    if (ends(".jq")) return "jq";
    if (ends(".j2") || ends(".jinja") || ends(".jinja2")) return "jinja2";
    return "";
}

Result<json::object> members(const Described& options) {
    json::object body;
    if (const std::string runtime = runtime_of(options); !runtime.empty()) {
        body["runtime"] = runtime;
    }
    if (!options.source_file.empty()) {
        const auto source = read_input(options.source_file);
        if (!source) return fail(source.error());
        body["source"] = *source;
    }
    json::object repository;
    for (const auto& [name, value] :
         {std::pair{"location", &options.repository}, std::pair{"transform", &options.transform},
          std::pair{"branch", &options.branch}}) {
        if (!value->empty()) repository[name] = *value;
    }
    if (!repository.empty()) body["repository"] = std::move(repository);
    for (const auto& [name, value] :
         {std::pair{"file", &options.file}, std::pair{"content_type", &options.content_type},
          std::pair{"timeout", &options.timeout}}) {
        if (!value->empty()) body[name] = *value;
    }
    if (options.network) body["network"] = true;
    if (auto added = add_named(body, "secrets", options.secrets); !added)
        return fail(added.error());
    if (auto added = add_named(body, "environment", options.environment); !added) {
        return fail(added.error());
    }
    for (const std::string& setting : options.settings) {
        if (auto applied = apply_setting(body, setting); !applied) return fail(applied.error());
    }
    return body;
}

std::string path_of(const std::string& name) { return std::string(base) + "/" + url_encode(name); }

void send(CommandLine& line, const char* method, const std::string& path,
          const json::object& body) {
    const auto reply = line.call({method, path, json::serialize(body)});
    if (reply) line.output().one(reply->json(), detail_columns);
}

// run

struct RunOptions {
    Described described;  ///< one that is not stored, when no name is given
    std::string event;
    std::string sample;
    std::string event_file;
    std::string webhook;
    bool raw = false;
};

Result<json::object> event_of(const RunOptions& options) {
    if (!options.event.empty()) return json::object{{"id", options.event}};
    if (options.event_file.empty()) {
        return json::object{
            {"sample", options.sample.empty() ? "infrahub.node.updated" : options.sample}};
    }
    const auto text = read_input(options.event_file);
    if (!text) return fail(text.error());
    boost::system::error_code error;
    json::value body = json::parse(*text, error);
    if (error) return fail(Errc::invalid, options.event_file + " is no JSON: " + error.message());
    return json::object{{"body", std::move(body)}};
}

/// A text as it is.
std::string text_at(JsonView value, std::string_view path) {
    return at_path(value, path).string().value_or("");
}

/// Several lines that others wrote, without what would drive the terminal.
void print_lines(std::FILE* out, const std::string& text) {
    std::size_t from = 0;
    while (from < text.size()) {
        const std::size_t end = std::min(text.find('\n', from), text.size());
        std::fprintf(out, "%s\n", printable(text.substr(from, end - from)).c_str());
        from = end + 1;
    }
}

/// The line of the code that a failure points at, with a mark below.
void point_at(const std::string& source, JsonView failure) {
    const auto line = at_path(failure, "line").integer();
    if (source.empty() || !line || *line < 1) return;
    std::size_t from = 0;
    for (std::int64_t n = 1; n < *line && from != std::string::npos; ++n) {
        from = source.find('\n', from);
        if (from != std::string::npos) ++from;
    }
    if (from == std::string::npos) return;
    const std::string text = source.substr(from, source.find('\n', from) - from);
    std::fprintf(stderr, "\n%5lld | %s\n", static_cast<long long>(*line), printable(text).c_str());
    const auto column = at_path(failure, "column").integer().value_or(0);
    if (column < 1 || column > std::ssize(text) + 1) return;
    std::fprintf(stderr, "      | %s^\n",
                 std::string(static_cast<std::size_t>(column - 1), ' ').c_str());
}

void show_run(CommandLine& line, JsonView reply, const std::string& source, bool raw) {
    const JsonView failure = at_path(reply, "failure");
    const bool failed = !failure.is_null();
    if (failed) line.exit = Exit::failure;
    if (raw) {
        std::fputs(text_at(reply, "body").c_str(), stdout);
        std::fputs("\n", stdout);
    } else if (line.output().chosen() != OutputFormat::table) {
        line.output().one(reply, {});
    } else {
        line.output().one(reply, {{"method", "method"},
                                  {"url", "url"},
                                  {"headers", "headers"},
                                  {"content type", "content_type"},
                                  {"size", "size"},
                                  {"receiver takes", "max_bytes"},
                                  {"took (s)", "took"}});
        const std::string body = text_at(reply, "body");
        const auto canonical = canonical_json(body);
        if (!body.empty()) std::fputs("\n", stdout);
        print_lines(stdout, canonical ? to_pretty_json(JsonView(*canonical)) : body);
    }
    if (const std::string notes = text_at(reply, "notes"); !notes.empty()) {
        std::fputs("it printed:\n", stderr);
        print_lines(stderr, notes);
    }
    if (!failed) return;
    std::fprintf(stderr, "%s: %s\n", cell(failure, "class").c_str(),
                 printable(cell(failure, "message")).c_str());
    point_at(source, failure);
    if (const std::string traceback = text_at(failure, "traceback"); !traceback.empty()) {
        std::fputs("\n", stderr);
        print_lines(stderr, traceback);
    }
}

void run(CommandLine& line, const RunOptions& options) {
    auto event = event_of(options);
    if (!event) return line.fail_with(Exit::usage, event.error().message);
    json::object body{{"event", std::move(*event)}};
    if (!options.webhook.empty()) body["webhook"] = options.webhook;
    std::string path = path_of(options.described.name) + "/run";
    std::string source;
    if (options.described.name.empty()) {
        auto made = members(options.described);
        if (!made) return line.fail_with(Exit::usage, made.error().message);
        if (const auto* text = made->if_contains("source")) source = text->as_string();
        (*made)["name"] = "unsaved";
        body["transformation"] = std::move(*made);
        path = std::string(base) + "/run";
    } else if (const auto stored = line.call({"GET", path_of(options.described.name)})) {
        source = text_at(stored->json(), "source");
    } else {
        return;
    }
    const auto reply = line.call({"POST", path, json::serialize(body)});
    if (reply) show_run(line, reply->json(), source, options.raw);
}

// test

struct TestOptions {
    std::string name;
    std::vector<std::string> events;
    std::string expected_file;
};

std::vector<std::string> sample_types(CommandLine& line, const TestOptions& options) {
    if (!options.events.empty()) return options.events;
    std::vector<std::string> types;
    const auto reply = line.call({"GET", "/api/v1/event-types"});
    if (!reply) return types;
    for (const JsonView& type : elements(reply->json(), "items")) {
        types.push_back(cell(type, "event"));
    }
    return types;
}

/// What became of one sample: "ok", or why not.
std::string verdict(JsonView reply, const std::string& expected) {
    if (const JsonView failure = at_path(reply, "failure"); !failure.is_null()) {
        return cell(failure, "class") + ": " + printable(cell(failure, "message"));
    }
    if (expected.empty()) return "ok";
    const std::string body = text_at(reply, "body");
    const auto made = canonical_json(body);
    const auto wanted = canonical_json(expected);
    const bool same = made && wanted ? *made == *wanted : body == expected;
    return same ? "ok" : "is not as expected: " + body;
}

void test(CommandLine& line, const TestOptions& options) {
    std::string expected;
    if (!options.expected_file.empty()) {
        const auto text = read_input(options.expected_file);
        if (!text) return line.fail_with(Exit::usage, text.error().message);
        if (options.events.size() != 1) {
            return line.fail_with(Exit::usage, "--expect is for one event: name it with --event");
        }
        expected = *text;
    }
    std::vector<std::string> rows;
    bool failed = false;
    for (const std::string& type : sample_types(line, options)) {
        const json::object body{{"event", json::object{{"sample", type}}}};
        const auto reply =
            line.call({"POST", path_of(options.name) + "/run", json::serialize(body)});
        if (!reply) return;
        const std::string result = verdict(reply->json(), expected);
        failed = failed || result != "ok";
        const double took = std::strtod(cell(reply->json(), "took").c_str(), nullptr);
        rows.push_back(JsonObject()
                           .add("event", type)
                           .add("result", result)
                           .add("size", cell(reply->json(), "size"))
                           .add("ms", std::to_string(took * 1'000).substr(0, 5))
                           .text());
    }
    line.output().list({rows.begin(), rows.end()}, test_columns);
    if (failed) line.exit = Exit::failure;
}

void add_create_and_update(CLI::App& group, CommandLine& line) {
    auto made = std::make_shared<Described>();
    auto* creating = group.add_subcommand(
        "create",
        "Create a transformation\n\n"
        "  herald transform create chat --source-file chat.jq\n"
        "  herald transform create ticket --source-file ticket.j2 --secret TOKEN=env:TICKET_TOKEN\n"
        "  herald transform create slack --repository /srv/repo --transform slack_transform");
    creating->add_option("name", made->name, "Its name, unique and for ever")->required();
    add_description(*creating, *made);
    creating->callback([&line, made] {
        auto body = members(*made);
        if (!body) return line.fail_with(Exit::usage, body.error().message);
        (*body)["name"] = made->name;
        send(line, "POST", std::string(base), *body);
    });
    auto changed = std::make_shared<Described>();
    auto* updating = group.add_subcommand("update",
                                          "Change a transformation; what is not named stays\n\n"
                                          "  herald transform update chat --source-file chat.jq");
    updating->add_option("transformation", changed->name, "Name or id")->required();
    add_description(*updating, *changed);
    updating->callback([&line, changed] {
        auto body = members(*changed);
        if (!body) return line.fail_with(Exit::usage, body.error().message);
        if (body->empty()) return line.fail_with(Exit::usage, "nothing to change was named");
        send(line, "PATCH", path_of(changed->name), *body);
    });
}

void add_run_and_test(CLI::App& group, CommandLine& line) {
    auto options = std::make_shared<RunOptions>();
    auto* running = group.add_subcommand(
        "run",
        "What it makes of an event; stores and sends nothing\n\n"
        "  herald transform run chat --sample infrahub.node.updated --webhook slack\n"
        "  herald transform run --source-file chat.jq --event-file event.json");
    running->add_option("transformation", options->described.name,
                        "Name or id; without it one described by the options below");
    running->add_option("event", options->event, "Id of an event in the log");
    running->add_option("--sample", options->sample,
                        "Event type of a sample (default infrahub.node.updated)");
    running->add_option("--event-file", options->event_file, "An event; - reads standard input");
    running->add_option("--webhook", options->webhook,
                        "Show the whole request of this webhook, and its receiver's limits");
    running->add_flag("--raw", options->raw, "The body only, as it is sent");
    add_description(*running, options->described);
    running->callback([&line, options] { run(line, *options); });

    auto tested = std::make_shared<TestOptions>();
    auto* testing = group.add_subcommand(
        "test",
        "Runs it with a sample of every event type; exit code 1 when one fails\n\n"
        "  herald transform test chat\n"
        "  herald transform test chat --event infrahub.node.updated --expect chat.json");
    testing->add_option("transformation", tested->name, "Name or id")->required();
    testing->add_option("--event", tested->events, "Only this event type; may be repeated");
    testing->add_option("--expect", tested->expected_file,
                        "File with the body it has to make of the one event");
    testing->callback([&line, tested] { test(line, *tested); });
}

}  // namespace

void add_transform_commands(CLI::App& app, CommandLine& line) {
    auto* group = app.add_subcommand("transform", "Code that makes bodies for custom webhooks");
    group->require_subcommand(1);
    add_create_and_update(*group, line);
    group->add_subcommand("list", "All transformations")->callback([&line] {
        const auto reply = line.call({"GET", std::string(base)});
        if (reply) line.output().list(elements(reply->json(), "items"), list_columns);
    });
    auto shown = std::make_shared<std::string>();
    auto* showing = group->add_subcommand("get", "One transformation, with all it is set to");
    showing->add_option("transformation", *shown, "Name or id")->required();
    showing->callback([&line, shown] {
        const auto reply = line.call({"GET", path_of(*shown)});
        if (reply) line.output().one(reply->json(), detail_columns);
    });
    auto gone = std::make_shared<std::string>();
    auto* deleting = group->add_subcommand("delete", "Delete one that no webhook uses");
    deleting->add_option("transformation", *gone, "Name or id")->required();
    deleting->callback([&line, gone] {
        if (!line.call({"DELETE", path_of(*gone)})) return;
        std::fprintf(stderr, "deleted %s\n", printable(*gone).c_str());
    });
    add_run_and_test(*group, line);
}

}  // namespace herald
