#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <boost/json/fwd.hpp>

#include "app/client.h"
#include "app/config.h"
#include "app/output.h"

namespace herald {

/// What the exit codes mean; `herald help exit-codes` prints this list.
enum class Exit {
    ok = 0,
    failure = 1,      ///< it did not work, or there is no such thing
    usage = 2,        ///< wrong options, arguments or configuration
    unreachable = 3,  ///< no herald answers at the address
    forbidden = 4,    ///< the token is missing, wrong or not enough
    undelivered = 5,  ///< a delivery or a test failed
    unverified = 6,   ///< a signature did not verify
    findings = 7,     ///< lint found a webhook that can never fire
};

/// JSON pointers into a request's body, and what the user typed for them: {"/webhooks",
/// "--webhook"}.
using TypedNames = std::vector<std::pair<std::string_view, std::string_view>>;

/// What all commands share: options that stand before or behind any command.
struct CommandLine {
    std::string address;
    std::string token_file;
    std::string config_file;
    std::string output_name;
    std::string color = "auto";
    Exit exit = Exit::ok;

    [[nodiscard]] Output output() const;
    /// The client for the server that flags, environment or defaults name.
    [[nodiscard]] Result<ApiClient> client() const;
    /// Calls the server. Prints what went wrong (with the server's own words), sets `exit` and
    /// gives nullopt when the answer is not 2xx, or not of a herald. Fields that the server finds
    /// wrong are told by what was typed for them.
    [[nodiscard]] std::optional<ApiReply> call(const ApiRequest& request,
                                               const TypedNames& typed = {});
    /// Prints an error and how to go on, and sets the exit code.
    void fail_with(Exit code, const std::string& message);
};

/// Adds the commands of one noun. `line` outlives `app`.
void add_serve(CLI::App& app, CommandLine& line);
void add_webhook_commands(CLI::App& app, CommandLine& line);
/// Commands below `webhook` that ask what it decides: explain, lint, backtest.
void add_matching_commands(CLI::App& group, CommandLine& line);
void add_event_commands(CLI::App& app, CommandLine& line);
void add_delivery_commands(CLI::App& app, CommandLine& line);
void add_job_commands(CLI::App& app, CommandLine& line);
void add_transform_commands(CLI::App& app, CommandLine& line);
/// The commands of other nouns that make a job: `delivery redeliver`, `webhook recover` ...
void add_delivery_jobs(CLI::App& group, CommandLine& line);
void add_webhook_jobs(CLI::App& group, CommandLine& line);
void add_event_jobs(CLI::App& group, CommandLine& line);
void add_preset_commands(CLI::App& app, CommandLine& line);
void add_listen(CLI::App& app, CommandLine& line);
void add_trigger(CLI::App& app, CommandLine& line);
void add_sign_commands(CLI::App& app, CommandLine& line);
void add_config_commands(CLI::App& app, CommandLine& line);
void add_completion(CLI::App& app, CommandLine& line);
void add_help_topics(CLI::App& app, CommandLine& line);

/// The whole program.
int run_command_line(int argc, char** argv);

/// A file's content; "-" is standard input. One final line break of a key file is dropped by
/// read_secret.
[[nodiscard]] Result<std::string> read_input(const std::string& path);
[[nodiscard]] Result<std::string> read_secret(const std::string& path);

/// Writes `path=value` into `body`: the members of the path are made where they are missing. The
/// value is JSON where it can be read as such, else a text.
Result<> apply_setting(boost::json::object& body, const std::string& setting);

/// Makes the webhook of a preset, and before it the transformation that it needs. `changes`, the
/// name among them, are laid over it. Says what went wrong, and leaves nothing behind then.
std::optional<ApiReply> create_with_preset(CommandLine& line, const std::string& name,
                                           const std::vector<std::string>& parameters,
                                           const boost::json::object& changes);

/// A variable of the environment; nullopt when it is not set.
[[nodiscard]] std::optional<std::string> environment_variable(const std::string& name);
[[nodiscard]] std::vector<std::string> environment_names();

/// What is wrong with the arguments, in words: a word or an option that is not known gets a
/// suggestion. Empty: nothing that is seen here.
[[nodiscard]] std::string explain_arguments(const CLI::App& app,
                                            const std::vector<std::string>& arguments);
/// Lays out --help: the first line of each command in a list of commands, options that all have
/// named at the end.
[[nodiscard]] std::shared_ptr<CLI::Formatter> help_formatter();

/// Waits until every delivery is final or `patience` is over, prints them as a list, and sets
/// Exit::undelivered when one is not delivered.
void wait_for_deliveries(CommandLine& line, const std::vector<std::string>& ids,
                         std::chrono::seconds patience);

extern const Columns delivery_columns;

}  // namespace herald
