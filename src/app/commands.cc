#include "app/commands.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>

#include <boost/json.hpp>

namespace herald {

namespace {

constexpr std::string_view default_address = "http://127.0.0.1:8300";

Exit exit_of(int status) {
    return status == 401 || status == 403 ? Exit::forbidden : Exit::failure;
}

/// The server's problem+json in one or a few lines.
std::string problem_text(const ApiReply& reply) {
    std::string text = cell(reply.json, "detail");
    if (text.empty()) text = "the server answered " + std::to_string(reply.status);
    const auto* object = reply.json.if_object();
    const auto* errors = object == nullptr ? nullptr : object->if_contains("errors");
    const auto* list = errors == nullptr ? nullptr : errors->if_array();
    if (list == nullptr) return text;
    for (const auto& error : *list) {
        text += "\n  " + cell(error, "pointer") + ": " + cell(error, "detail");
    }
    return text;
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

const std::vector<Column> delivery_columns = {
    {"DELIVERY", "id"},          {"WEBHOOK", "webhook.name"}, {"EVENT", "event"},
    {"STATE", "state"},          {"ATTEMPTS", "attempts"},    {"FAILURE", "failure_class"},
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

ApiClient CommandLine::client() const {
    std::string where = address;
    if (where.empty()) {
        where = environment_variable("HERALD_ADDRESS").value_or(std::string(default_address));
    }
    std::string token = environment_variable("HERALD_API_TOKEN").value_or("");
    const std::string file = !token_file.empty()
                                 ? token_file
                                 : environment_variable("HERALD_API_TOKEN_FILE").value_or("");
    if (!file.empty()) token = read_secret(file).value_or("");
    token = token.substr(0, token.find(','));
    return {where, token};
}

void CommandLine::fail_with(Exit code, const std::string& message) {
    std::fprintf(stderr, "herald: %s\n", message.c_str());
    exit = code;
}

std::optional<ApiReply> CommandLine::call(const ApiRequest& request) {
    auto reply = client().call(request);
    if (!reply) {
        fail_with(Exit::unreachable, reply.error().message +
                                         "\nStart one with `herald serve`, or name another with "
                                         "--address or HERALD_ADDRESS.");
        return std::nullopt;
    }
    if (reply->ok()) return std::move(*reply);
    std::string message = problem_text(*reply);
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
    app.get_formatter()->column_width(34);
    add_serve(app, line);
    add_webhook_commands(app, line);
    add_event_commands(app, line);
    add_delivery_commands(app, line);
    add_trigger(app, line);
    add_listen(app, line);
    add_sign_commands(app, line);
    add_config_commands(app, line);
    add_completion(app, line);
    add_help_topics(app, line);
    app.add_subcommand("version", "Print the version")->callback([&line] {
        line.output().one(boost::json::object{{"version", HERALD_VERSION}},
                          {{"version", "version"}});
    });
    app.set_version_flag("--version", HERALD_VERSION);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        const bool shown = error.get_exit_code() == 0;  // --help, --version
        app.exit(error);
        return shown ? 0 : static_cast<int>(Exit::usage);
    }
    return static_cast<int>(line.exit);
}

}  // namespace herald
