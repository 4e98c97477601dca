#include <unistd.h>

#include "app/commands.h"
#include "app/herald.h"
#include "app/open_files.h"
#include "base/log.h"

namespace herald {

namespace {

struct ServeOptions {
    std::string config_file;
    std::string listen;
    std::string data_dir;
};

Result<Config> configure(const ServeOptions& options) {
    auto config = read_config(options.config_file, environment_variable, environment_names());
    if (!config) return config;
    if (!options.listen.empty()) {
        if (auto address = parse_listen(options.listen); !address) {
            return fail(Errc::invalid,
                        "--listen " + options.listen + ": " + address.error().message);
        }
        config->listen = options.listen;
    }
    if (!options.data_dir.empty()) config->data_dir = options.data_dir;
    if (auto checked = check_config(*config); !checked) return fail(checked.error());
    return config;
}

void serve(CommandLine& line, const ServeOptions& options) {
    auto config = configure(options);
    if (!config) return line.fail_with(Exit::usage, config.error().message);
    const bool terminal = ::isatty(STDERR_FILENO) != 0;
    const auto format = terminal ? log::Format::text : log::Format::json;
    log::start(config->log_level, config->log_format.value_or(format));
    raise_open_files();
    Herald herald(std::move(*config), [options] { return configure(options); });
    if (auto ran = herald.run(); !ran) line.fail_with(Exit::failure, ran.error().message);
}

}  // namespace

void add_serve(CLI::App& app, CommandLine& line) {
    auto* command = app.add_subcommand(
        "serve",
        "Run the server\n\nWith no option and no file: the embedded store in ./herald-data, the "
        "API on 127.0.0.1:8300.\nSIGHUP reads the configuration again; SIGTERM finishes what is in "
        "hand and stops.\n\n  herald serve --data-dir /var/lib/herald --config "
        "/etc/herald/herald.toml");
    auto options = std::make_shared<ServeOptions>();
    command->add_option("-c,--config", options->config_file, "Configuration file (TOML)")
        ->envname("HERALD_CONFIG");
    command->add_option("--listen", options->listen, "Address and port of the API");
    command->add_option("--data-dir", options->data_dir, "Folder of the embedded store");
    command->callback([&line, options] { serve(line, *options); });
}

}  // namespace herald
