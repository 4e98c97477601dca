#include "app/commands.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>

#include "core/redact.h"
#include "core/url.h"

namespace herald {

namespace {

constexpr std::size_t most_errors = 20;  ///< shown of one answer
constexpr std::string_view default_address = "http://127.0.0.1:8300";

Exit exit_of(int status) {
    return status == 401 || status == 403 ? Exit::forbidden : Exit::failure;
}

/// What the user typed for this pointer, or else the pointer.
std::string typed_name(const std::string& pointer, const TypedNames& typed) {
    const auto found = std::ranges::find(typed, pointer, &TypedNames::value_type::first);
    return found == typed.end() ? pointer : std::string(found->second);
}

/// The server's problem+json in one or a few lines.
std::string problem_text(const ApiReply& reply, const TypedNames& typed) {
    std::string text = cell(reply.json(), "detail");
    auto errors = elements(reply.json(), "errors");
    // A batch of which every event was refused.
    for (const JsonView& result : elements(reply.json(), "results")) {
        text = "every event was refused";
        std::ranges::copy(elements(result, "errors"), std::back_inserter(errors));
    }
    if (text.empty()) text = "the server answered " + std::to_string(reply.status);
    if (errors.size() > most_errors) errors.resize(most_errors);
    for (const JsonView& error : errors) {
        const std::string detail = cell(error, "detail");
        const std::string pointer = cell(error, "pointer");
        const std::string name = typed_name(pointer, typed);
        const std::size_t told = text.find(pointer + ": " + detail);
        if (told != std::string::npos) text.replace(told, pointer.size(), name);
        if (text.find(detail) != std::string::npos) continue;
        text += "\n  " + name + ": " + detail;
    }
    return text;
}

/// An option takes one value, so that what follows is not swallowed; it may be given again.
void take_one_value_each(CLI::App& app) {
    for (CLI::Option* option : app.get_options()) {
        if (option->get_expected_max() > 1 && !option->get_positional()) {
            option->allow_extra_args(false);
        }
    }
    for (CLI::App* command : app.get_subcommands(nullptr)) take_one_value_each(*command);
}

/// Says what is wrong with the arguments. The exit code.
int refuse_arguments(const CLI::App& app, int argc, char** argv, const std::string& otherwise) {
    if (argc < 2) {
        std::fputs(app.help().c_str(), stderr);
        return static_cast<int>(Exit::usage);
    }
    std::string why = explain_arguments(app, {argv + 1, argv + argc});
    if (why.empty()) why = otherwise;
    const CLI::App* at = &app;
    std::string path = "herald";
    for (int i = 1; i < argc; ++i) {
        for (const CLI::App* command : at->get_subcommands(nullptr)) {
            if (command->get_name() != argv[i]) continue;
            at = command;
            path += " " + command->get_name();
            break;
        }
    }
    std::fprintf(stderr, "herald: %s\nSee `%s --help`.\n", why.c_str(), path.c_str());
    return static_cast<int>(Exit::usage);
}

void add_shared_options(CLI::App& app, CommandLine& line) {
    app.add_option("--address", line.address,
                   "The herald to talk to (default $HERALD_ADDRESS, else http://127.0.0.1:8300)");
    app.add_option("--token-file", line.token_file,
                   "File with the API token (default $HERALD_API_TOKEN or _FILE)");
    app.add_option("-o,--output", line.output_name,
                   "table, json or yaml (default: table on a terminal, json when piped)")
        ->check(CLI::IsMember({"table", "json", "yaml"}));
    app.add_option("--color", line.color, "auto, always or never; NO_COLOR is honoured")
        ->check(CLI::IsMember({"auto", "always", "never"}));
}

}  // namespace

const Columns delivery_columns = {{"DELIVERY", "id"},          {"WEBHOOK", "webhook.name"},
                                  {"EVENT", "event"},          {"STATE", "state"},
                                  {"ATTEMPTS", "attempts"},    {"FAILURE", "failure_class"},
                                  {"NEXT", "next_attempt_at"}, {"CREATED", "created_at"}};

std::optional<std::string> environment_variable(const std::string& name) {
    const char* value = std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe)
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

std::vector<std::string> environment_names() {
    std::vector<std::string> names;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string_view text(*entry);
        names.emplace_back(text.substr(0, text.find('=')));
    }
    return names;
}

Result<std::string> read_input(const std::string& path) {
    if (path == "-") {
        return std::string(std::istreambuf_iterator<char>(std::cin), {});
    }
    std::ifstream file(path, std::ios::binary);
    if (!file) return fail(Errc::invalid, "cannot read " + path);
    return std::string(std::istreambuf_iterator<char>(file), {});
}

Result<std::string> read_secret(const std::string& path) {
    auto text = read_input(path);
    if (text && text->ends_with('\n')) text->pop_back();
    if (text && text->ends_with('\r')) text->pop_back();
    return text;
}

Output CommandLine::output() const {
    Output output;
    if (output_name == "table") output.format = OutputFormat::table;
    if (output_name == "json") output.format = OutputFormat::json;
    if (output_name == "yaml") output.format = OutputFormat::yaml;
    const bool terminal = ::isatty(STDOUT_FILENO) != 0;
    const auto no_color = environment_variable("NO_COLOR");
    output.color =
        color == "always" || (color == "auto" && terminal && (!no_color || no_color->empty()));
    return output;
}

Result<ApiClient> CommandLine::client() const {
    std::string where = address;
    if (where.empty()) {
        where = environment_variable("HERALD_ADDRESS").value_or(std::string(default_address));
    }
    if (where.find("://") == std::string::npos) where = "http://" + where;
    if (auto url = parse_url(where); !url) {
        return fail(Errc::invalid,
                    "the address " + redact_url(where) + " " + url.error().fields.front().detail);
    }
    std::string token = environment_variable("HERALD_API_TOKEN").value_or("");
    const std::string file = !token_file.empty()
                                 ? token_file
                                 : environment_variable("HERALD_API_TOKEN_FILE").value_or("");
    if (!file.empty()) {
        auto read = read_secret(file);
        if (!read) return fail(read.error());
        token = std::move(*read);
    }
    token = token.substr(0, token.find(','));
    return ApiClient(where, token);
}

void CommandLine::fail_with(Exit code, const std::string& message) {
    std::fprintf(stderr, "herald: %s\n", message.c_str());
    exit = code;
}

std::optional<ApiReply> CommandLine::call(const ApiRequest& request, const TypedNames& typed) {
    const auto server = client();
    if (!server) {
        fail_with(Exit::usage, server.error().message);
        return std::nullopt;
    }
    auto reply = server->call(request);
    if (!reply) {
        fail_with(Exit::unreachable, reply.error().message +
                                         "\nStart one with `herald serve`, or name another with "
                                         "--address or HERALD_ADDRESS.");
        return std::nullopt;
    }
    // What is refused before it is a request (413, 431) has no id.
    const bool refused = reply->header("content-type").starts_with("application/problem+json");
    if (reply->header("x-request-id").empty() && !refused) {
        fail_with(Exit::unreachable, "what answers at " + server->address() +
                                         " is no herald\nName another with --address or "
                                         "HERALD_ADDRESS.");
        return std::nullopt;
    }
    if (reply->ok()) return std::move(*reply);
    std::string message = problem_text(*reply, typed);
    if (reply->status == 401) {
        message += "\nGive the token with --token-file, HERALD_API_TOKEN or HERALD_API_TOKEN_FILE.";
    }
    fail_with(exit_of(reply->status), message);
    return std::nullopt;
}

int run_command_line(int argc, char** argv) {
    CLI::App app{
        "herald brings events to webhooks: durable, signed, retried, recorded.\n\n"
        "  herald serve                                  run the server\n"
        "  herald webhook create eda --url http://eda:8080 --shared-key-file key.txt\n"
        "  herald trigger infrahub.node.updated --wait   send a sample event and see it arrive\n"
        "  herald delivery list --state failed           what did not arrive, and why\n",
        "herald"};
    CommandLine line;
    add_shared_options(app, line);
    app.fallthrough();
    app.require_subcommand(1);
    app.formatter(help_formatter());
    add_serve(app, line);
    add_webhook_commands(app, line);
    add_event_commands(app, line);
    add_delivery_commands(app, line);
    add_job_commands(app, line);
    add_transform_commands(app, line);
    add_preset_commands(app, line);
    add_trigger(app, line);
    add_listen(app, line);
    add_sign_commands(app, line);
    add_config_commands(app, line);
    add_completion(app, line);
    add_help_topics(app, line);
    app.add_subcommand("version", "Print the version")->callback([&line] {
        const std::string text = JsonObject().add("version", HERALD_VERSION).text();
        line.output().one(JsonView(text), {{"version", "version"}});
    });
    app.set_version_flag("--version", HERALD_VERSION);
    take_one_value_each(app);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        const bool unknown = explain_arguments(app, {argv + 1, argv + argc}).starts_with("unknown");
        if (error.get_exit_code() == 0 && !unknown) return app.exit(error);  // --help, --version
        return refuse_arguments(app, argc, argv, error.what());
    }
    return static_cast<int>(line.exit);
}

}  // namespace herald
