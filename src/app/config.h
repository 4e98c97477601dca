#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "base/result.h"
#include "base/seal.h"
#include "base/time.h"
#include "core/limits.h"

namespace herald {

/// Everything that can be set. Defaults make a `herald serve` that works: the embedded store in
/// ./herald-data, on loopback.
struct Config {
    std::string listen = "127.0.0.1:8300";
    std::filesystem::path data_dir = "herald-data";
    std::string default_branch = "main";
    Duration shutdown_grace = std::chrono::seconds{25};

    log::Level log_level = log::Level::info;
    std::optional<log::Format> log_format;  ///< nullopt: text on a terminal, else JSON

    std::vector<std::string> tokens;  ///< secret
    std::vector<std::string> allowed_hosts;

    std::string ca_bundle;

    std::vector<std::string> network_allow;  ///< as parse_network_rules reads them
    std::vector<std::string> network_deny;

    Duration retain_events{0};  ///< 0: for ever
    Duration retain_deliveries = std::chrono::hours{24 * 30};

    std::uint64_t segment_events = 65'536;

    std::string python = "python3";  ///< the interpreter of transformations
    std::size_t processes = limits::hosts;  ///< of transformations, at most

    std::vector<SealKey> seal_keys;  ///< secret; the first seals; none: one in the data directory
    std::vector<std::string> secret_variables{"*"};
    std::vector<std::filesystem::path> secret_directories{"/run/secrets"};

    std::vector<std::filesystem::path> secret_files;  ///< that keys of the configuration came from
    std::vector<std::string> warnings;  ///< what is in force and should not be so
};

/// Reads a variable of the environment; nullopt when it is not set.
using EnvironmentReader = std::function<std::optional<std::string>(const std::string& name)>;

/// One key: its name in the file, in the environment, what it is and how it is read. The table is
/// what `herald config schema` and docs/operations.md show.
struct ConfigKey {
    std::string_view name;  ///< "log.level"
    std::string_view environment;  ///< "HERALD_LOG__LEVEL"
    std::string_view type;  ///< "string", "duration", "integer", "list"
    std::string_view help;
    /// Also read from the file that <name>_file or <environment>_FILE names.
    bool secret = false;
    /// Sets the value from text (a list: separated by commas); the error says what is accepted.
    Result<> (*set)(Config& config, std::string_view text);
    /// The value in effect, as text.
    std::string (*get)(const Config& config);
};

[[nodiscard]] const std::vector<ConfigKey>& config_keys();

/// Reads the file (empty path: none), then the environment over it. `variables` are the names of
/// all variables of the environment, to find misspelt HERALD_ ones. The error names the key, where
/// it was set, the value when it is no secret, and what is accepted.
[[nodiscard]] Result<Config> read_config(const std::filesystem::path& file,
                                         const EnvironmentReader& environment,
                                         const std::vector<std::string>& variables);

/// The configuration in effect as TOML, secrets masked.
[[nodiscard]] std::string print_config(const Config& config);

struct ListenAddress {
    std::string host;
    std::uint16_t port = 0;
    bool loopback = false;
};
/// "127.0.0.1:8300", "[::1]:8300", "localhost:8300", ":8300" (all addresses).
[[nodiscard]] Result<ListenAddress> parse_listen(std::string_view text);

/// What holds between keys: without a token, loopback only.
[[nodiscard]] Result<> check_config(const Config& config);

}  // namespace herald
