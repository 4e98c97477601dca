#include "app/config.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <sstream>

#include <toml++/toml.h>

#include "core/network_policy.h"
#include "core/redact.h"
#include "core/suggest.h"

namespace herald {

namespace {

Result<> set_text(std::string& value, std::string_view text) {
    if (text.empty()) return fail(Errc::invalid, "must not be empty");
    value = text;
    return {};
}

Result<> set_duration(Duration& value, std::string_view text) {
    const auto parsed = parse_duration(text);
    if (!parsed) {
        return fail(Errc::invalid, "must be a duration such as 250ms, 10s, 5m, 2h or 30d");
    }
    value = *parsed;
    return {};
}

std::vector<std::string> split(std::string_view text) {
    std::vector<std::string> parts;
    while (!text.empty()) {
        const std::size_t comma = std::min(text.find(','), text.size());
        std::string_view part = text.substr(0, comma);
        while (!part.empty() && part.front() == ' ') part.remove_prefix(1);
        while (!part.empty() && part.back() == ' ') part.remove_suffix(1);
        if (!part.empty()) parts.emplace_back(part);
        text.remove_prefix(std::min(comma + 1, text.size()));
    }
    return parts;
}

std::string join(const std::vector<std::string>& parts) {
    std::string text;
    for (const std::string& part : parts) {
        if (!text.empty()) text += ',';
        text += part;
    }
    return text;
}

std::string show_duration(Duration value) {
    using std::chrono::milliseconds;
    const auto ms = std::chrono::duration_cast<milliseconds>(value).count();
    if (ms % 1000 != 0) return std::to_string(ms) + "ms";
    const auto seconds = ms / 1000;
    if (seconds != 0 && seconds % 86'400 == 0) return std::to_string(seconds / 86'400) + "d";
    return std::to_string(seconds) + "s";
}

Result<> set_level(Config& config, std::string_view text) {
    using enum log::Level;
    for (const auto& [name, level] :
         {std::pair{"debug", debug}, {"info", info}, {"warn", warn}, {"error", error}}) {
        if (text != name) continue;
        config.log_level = level;
        return {};
    }
    return fail(Errc::invalid, "must be debug, info, warn or error");
}

std::string show_level(const Config& config) {
    switch (config.log_level) {
        case log::Level::debug: return "debug";
        case log::Level::info: return "info";
        case log::Level::warn: return "warn";
        case log::Level::error: return "error";
    }
    return "info";
}

Result<> set_format(Config& config, std::string_view text) {
    if (text != "json" && text != "text" && text != "auto") {
        return fail(Errc::invalid, "must be json, text or auto (text on a terminal)");
    }
    config.log_format.reset();
    if (text == "json") config.log_format = log::Format::json;
    if (text == "text") config.log_format = log::Format::text;
    return {};
}

std::string show_format(const Config& config) {
    if (!config.log_format) return "auto";
    return *config.log_format == log::Format::json ? "json" : "text";
}

Result<> set_listen(Config& config, std::string_view text) {
    if (auto parsed = parse_listen(text); !parsed) return fail(parsed.error());
    config.listen = text;
    return {};
}

Result<> set_tokens(Config& config, std::string_view text) {
    auto tokens = split(text);
    for (const std::string& token : tokens) {
        if (token.size() < 16) {
            return fail(Errc::invalid,
                        "must be tokens of at least 16 characters, separated by "
                        "commas (make one with `openssl rand -hex 24`)");
        }
    }
    config.tokens = std::move(tokens);
    return {};
}

Result<> set_network(std::vector<std::string>& value, std::string_view text) {
    auto entries = split(text);
    if (auto rules = parse_network_rules(entries); !rules) return fail(rules.error());
    value = std::move(entries);
    return {};
}

/// Keys separated by commas or, as in a file, by line ends.
Result<> set_seal_keys(Config& config, std::string_view text) {
    std::string in_one_line(text);
    std::ranges::replace(in_one_line, '\n', ',');
    std::erase(in_one_line, '\r');
    std::vector<SealKey> keys;
    for (const std::string& one : split(in_one_line)) {
        auto key = SealKey::parse(one);
        if (!key) return fail(key.error());
        keys.push_back(std::move(*key));
    }
    config.seal_keys = std::move(keys);
    return {};
}

std::string show_seal_keys(const Config& config) {
    std::vector<std::string> texts;
    for (const SealKey& key : config.seal_keys) texts.push_back(key.text());
    return join(texts);
}

Result<> set_directories(Config& config, std::string_view text) {
    std::vector<std::filesystem::path> directories;
    for (const std::string& one : split(text)) {
        if (!one.starts_with('/')) {
            return fail(Errc::invalid, "must be absolute paths of folders, separated by commas");
        }
        directories.emplace_back(one);
    }
    config.secret_directories = std::move(directories);
    return {};
}

std::string show_directories(const Config& config) {
    std::vector<std::string> texts;
    for (const auto& directory : config.secret_directories) texts.push_back(directory.string());
    return join(texts);
}

Result<> set_number(std::size_t& number, std::string_view text, std::size_t least,
                    std::size_t most) {
    std::size_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || value < least || value > most) {
        return fail(Errc::invalid, "must be a number from " + std::to_string(least) + " to " +
                                       std::to_string(most));
    }
    number = value;
    return {};
}

Result<> set_segment_events(Config& config, std::string_view text) {
    return set_number(config.segment_events, text, 16, 1'000'000);
}

Result<> set_processes(Config& config, std::string_view text) {
    return set_number(config.processes, text, 1, 256);
}

std::string read_whole(const std::filesystem::path& path, bool& ok) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    ok = file.good() || file.eof();
    std::string content = text.str();
    while (!content.empty() && (content.back() == '\n' || content.back() == '\r')) {
        content.pop_back();
    }
    return content;
}

/// Sets one key and says where a wrong value stood.
Result<> apply(Config& config, const ConfigKey& key, std::string_view text,
               std::string_view where) {
    auto set = key.set(config, text);
    if (set) return {};
    std::string shown = key.secret ? std::string(redacted) : std::string(text);
    return fail(Errc::invalid, std::string(key.name) + " = \"" + shown + "\" (" +
                                   std::string(where) + "): " + set.error().message);
}

/// Reads a key from the file that `where` names.
Result<> apply_file(Config& config, const ConfigKey& key, const std::filesystem::path& path,
                    std::string_view where) {
    bool ok = false;
    const std::string text = read_whole(path, ok);
    const std::string named = std::string(where) + ": ";
    if (!ok) return fail(Errc::invalid, named + "cannot read " + path.string());
    if (text.empty()) return fail(Errc::invalid, named + path.string() + " is empty");
    config.secret_files.push_back(path);
    std::error_code error;
    const auto rights = std::filesystem::status(path, error).permissions();
    if (!error && (rights & std::filesystem::perms::others_read) != std::filesystem::perms::none) {
        config.warnings.push_back(path.string() + " (" + std::string(where) +
                                  ") holds a secret and can be read by everyone: chmod o= it");
    }
    return apply(config, key, text, where);
}

std::string unknown(std::string_view what, std::string_view name,
                    const std::vector<std::string_view>& known) {
    return std::string(what) + " " + std::string(name) + " is not known" +
           did_you_mean(name, known);
}

std::string with_place(const std::string& what, const std::string& where) {
    return what + " (" + where + ")";
}

std::string in_quotes(const std::string& text) { return "\"" + text + "\""; }

/// A TOML value as the text that ConfigKey::set reads; nullopt for a table.
std::optional<std::string> value_text(const toml::node& node) {
    if (auto text = node.value_exact<std::string>()) return text;
    if (const auto number = node.value_exact<std::int64_t>()) return std::to_string(*number);
    if (const auto number = node.value_exact<double>()) return std::to_string(*number);
    if (const auto flag = node.value_exact<bool>()) return *flag ? "true" : "false";
    const toml::array* list = node.as_array();
    if (list == nullptr) return std::nullopt;
    std::vector<std::string> parts;
    for (const toml::node& item : *list) {
        if (auto text = value_text(item)) parts.push_back(std::move(*text));
    }
    return join(parts);
}

/// The secret key that <name>_file reads from a file; nullptr: it is no such name.
const ConfigKey* secret_of_file(std::string_view name) {
    for (const ConfigKey& key : config_keys()) {
        if (key.secret && name == std::string(key.name) + "_file") return &key;
    }
    return nullptr;
}

Result<> read_table(Config& config, const toml::table& table, const std::string& prefix,
                    const std::string& file) {
    std::vector<std::string_view> known;
    for (const ConfigKey& key : config_keys()) known.push_back(key.name);
    for (const auto& [name, node] : table) {
        const std::string full = prefix + std::string(name.str());
        if (const toml::table* inner = node.as_table()) {
            if (auto read = read_table(config, *inner, full + ".", file); !read) return read;
            continue;
        }
        const std::string where = file + ", line " + std::to_string(node.source().begin.line);
        auto key = std::ranges::find(config_keys(), full, &ConfigKey::name);
        if (key == config_keys().end()) {
            const auto path = node.value_exact<std::string>();
            const ConfigKey* secret = secret_of_file(full);
            if (secret != nullptr && path) {
                if (auto set = apply_file(config, *secret, *path, where); !set) return set;
                continue;
            }
            return fail(Errc::invalid, with_place(unknown("the key", full, known), where));
        }
        const auto text = value_text(node);
        if (!text) return fail(Errc::invalid, with_place(full, where) + ": is no plain value");
        if (auto set = apply(config, *key, *text, where); !set) return set;
    }
    return {};
}

Result<> read_file(Config& config, const std::filesystem::path& file) {
    std::ifstream stream(file, std::ios::binary);
    if (!stream || !std::filesystem::is_regular_file(file)) {
        return fail(Errc::invalid, "cannot read the configuration file " + file.string());
    }
    toml::parse_result parsed;
    try {
        parsed = toml::parse(stream, file.string());
    } catch (const toml::parse_error& error) {
        return fail(Errc::invalid, file.string() + ", line " +
                                       std::to_string(error.source().begin.line) + ": " +
                                       std::string(error.description()));
    }
    return read_table(config, parsed, "", file.string());
}

Result<> read_environment(Config& config, const EnvironmentReader& environment) {
    for (const ConfigKey& key : config_keys()) {
        const std::string name(key.environment);
        if (auto text = environment(name)) {
            if (auto set = apply(config, key, *text, name); !set) return set;
        }
        if (!key.secret) continue;
        const auto path = environment(name + "_FILE");
        if (!path) continue;
        if (auto set = apply_file(config, key, *path, name + "_FILE"); !set) return set;
    }
    return {};
}

/// Variables that begin with HERALD_ but are no key of the server. Those of the command line
/// client are known too.
Result<> check_variables(const std::vector<std::string>& variables) {
    std::vector<std::string> of_files;
    for (const ConfigKey& key : config_keys()) {
        if (key.secret) of_files.push_back(std::string(key.environment) + "_FILE");
    }
    std::vector<std::string_view> known(of_files.begin(), of_files.end());
    known.insert(known.end(), {"HERALD_ADDRESS", "HERALD_CONFIG"});
    for (const ConfigKey& key : config_keys()) known.push_back(key.environment);
    for (const std::string& name : variables) {
        if (!name.starts_with("HERALD_") || std::ranges::find(known, name) != known.end()) continue;
        return fail(Errc::invalid, unknown("the environment variable", name, known));
    }
    return {};
}

}  // namespace

const std::vector<ConfigKey>& config_keys() {
    static const std::vector<ConfigKey> keys = {
        {"listen", "HERALD_LISTEN", "string", "address and port of the HTTP API", false, set_listen,
         [](const Config& c) { return c.listen; }},
        {"data_dir", "HERALD_DATA_DIR", "string", "folder of the embedded store", false,
         [](Config& c, std::string_view t) {
             c.data_dir = t;
             return t.empty() ? fail(Errc::invalid, "must not be empty") : Result<>{};
         },
         [](const Config& c) { return c.data_dir.string(); }},
        {"default_branch", "HERALD_DEFAULT_BRANCH", "string",
         "the branch that branch_scope default_branch means", false,
         [](Config& c, std::string_view t) { return set_text(c.default_branch, t); },
         [](const Config& c) { return c.default_branch; }},
        {"shutdown_grace", "HERALD_SHUTDOWN_GRACE", "duration",
         "how long requests in hand may take to finish at SIGTERM", false,
         [](Config& c, std::string_view t) { return set_duration(c.shutdown_grace, t); },
         [](const Config& c) { return show_duration(c.shutdown_grace); }},
        {"log.level", "HERALD_LOG__LEVEL", "string", "debug, info, warn or error", false, set_level,
         show_level},
        {"log.format", "HERALD_LOG__FORMAT", "string", "json, text or auto (text on a terminal)",
         false, set_format, show_format},
        {"api.tokens", "HERALD_API_TOKEN", "list",
         "tokens that open the API; without one herald listens on loopback only", true, set_tokens,
         [](const Config& c) { return join(c.tokens); }},
        {"api.allowed_hosts", "HERALD_API__ALLOWED_HOSTS", "list",
         "Host names that requests may carry when there is no token", false,
         [](Config& c, std::string_view t) {
             c.allowed_hosts = split(t);
             return Result<>{};
         },
         [](const Config& c) { return join(c.allowed_hosts); }},
        {"delivery.ca_bundle", "HERALD_DELIVERY__CA_BUNDLE", "string",
         "PEM file of the certificate authorities to trust instead of the system's", false,
         [](Config& c, std::string_view t) {
             c.ca_bundle = t;
             return Result<>{};
         },
         [](const Config& c) { return c.ca_bundle; }},
        {"network.allow", "HERALD_NETWORK__ALLOW", "list",
         "networks and hosts that webhooks may call although the defaults refuse them", false,
         [](Config& c, std::string_view t) { return set_network(c.network_allow, t); },
         [](const Config& c) { return join(c.network_allow); }},
        {"network.deny", "HERALD_NETWORK__DENY", "list",
         "networks and hosts that no webhook may call; \"*\": all that network.allow does not name",
         false, [](Config& c, std::string_view t) { return set_network(c.network_deny, t); },
         [](const Config& c) { return join(c.network_deny); }},
        {"retention.events", "HERALD_RETENTION__EVENTS", "duration",
         "age at which events leave the activity log; 0s: never", false,
         [](Config& c, std::string_view t) { return set_duration(c.retain_events, t); },
         [](const Config& c) { return show_duration(c.retain_events); }},
        {"retention.deliveries", "HERALD_RETENTION__DELIVERIES", "duration",
         "age at which finished deliveries and their attempts go; 0s: with their event", false,
         [](Config& c, std::string_view t) { return set_duration(c.retain_deliveries, t); },
         [](const Config& c) { return show_duration(c.retain_deliveries); }},
        {"secrets.key", "HERALD_SECRETS_KEY", "list",
         "keys that seal secrets in the store: the first seals, all open; without one a file "
         "secrets.key in data_dir",
         true, set_seal_keys, show_seal_keys},
        {"secrets.environment", "HERALD_SECRETS__ENVIRONMENT", "list",
         "names of variables (globs) that webhooks may refer to by env:", false,
         [](Config& c, std::string_view t) {
             c.secret_variables = split(t);
             return Result<>{};
         },
         [](const Config& c) { return join(c.secret_variables); }},
        {"secrets.directories", "HERALD_SECRETS__DIRECTORIES", "list",
         "folders whose files webhooks may refer to by file:", false, set_directories,
         show_directories},
        {"transforms.python", "HERALD_TRANSFORMS__PYTHON", "string",
         "the Python that runs transformations in Python and Jinja2", false,
         [](Config& c, std::string_view t) { return set_text(c.python, t); },
         [](const Config& c) { return c.python; }},
        {"transforms.processes", "HERALD_TRANSFORMS__PROCESSES", "integer",
         "child processes of all transformations together, 1 to 256", false, set_processes,
         [](const Config& c) { return std::to_string(c.processes); }},
        {"store.segment_events", "HERALD_STORE__SEGMENT_EVENTS", "integer",
         "events in one file of the embedded store", false, set_segment_events,
         [](const Config& c) { return std::to_string(c.segment_events); }},
    };
    return keys;
}

Result<Config> read_config(const std::filesystem::path& file, const EnvironmentReader& environment,
                           const std::vector<std::string>& variables) {
    Config config;
    if (const auto state = environment("STATE_DIRECTORY")) config.data_dir = *state;
    if (auto checked = check_variables(variables); !checked) return fail(checked.error());
    if (!file.empty()) {
        if (auto read = read_file(config, file); !read) return fail(read.error());
    }
    if (auto read = read_environment(config, environment); !read) return fail(read.error());
    return config;
}

std::string print_config(const Config& config) {
    std::string text;
    std::string section;
    for (const ConfigKey& key : config_keys()) {
        const std::size_t dot = key.name.find('.');
        const std::string_view in =
            dot == std::string_view::npos ? std::string_view{} : key.name.substr(0, dot);
        if (in != section) {
            section = in;
            text += "\n[" + section + "]\n";
        }
        const auto leaf = dot == std::string_view::npos ? key.name : key.name.substr(dot + 1);
        std::string value = key.get(config);
        if (key.secret && !value.empty()) value = redacted;
        if (key.type == "list") {
            std::string items;
            for (const std::string& item : split(value)) {
                if (!items.empty()) items += ", ";
                items += in_quotes(item);
            }
            value = "[" + items + "]";
        } else if (key.type != "integer") {
            value = in_quotes(value);
        }
        text += std::string(leaf) + " = " + value + "  # " + std::string(key.help) + "\n";
    }
    return text;
}

Result<ListenAddress> parse_listen(std::string_view text) {
    const auto wrong = fail(Errc::invalid, "must be an address and a port, such as 127.0.0.1:8300");
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) return wrong;
    ListenAddress address;
    std::string_view host = text.substr(0, colon);
    const std::string_view port = text.substr(colon + 1);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
    if (error != std::errc{} || end != port.data() + port.size()) return wrong;
    if (host.empty()) host = "0.0.0.0";
    if (host == "localhost") host = "127.0.0.1";
    std::array<unsigned char, sizeof(in6_addr)> bytes{};
    address.host = host;
    const bool v4 = ::inet_pton(AF_INET, address.host.c_str(), bytes.data()) == 1;
    const bool v6 = !v4 && ::inet_pton(AF_INET6, address.host.c_str(), bytes.data()) == 1;
    if (!v4 && !v6) return wrong;
    address.loopback = v4 ? bytes[0] == 127 : address.host == "::1";
    return address;
}

Result<> check_config(const Config& config) {
    const auto address = parse_listen(config.listen);
    if (!address) return fail(address.error());
    if (config.tokens.empty() && !address->loopback) {
        return fail(Errc::invalid,
                    "listen = \"" + config.listen +
                        "\" is not a loopback address, and without a token everyone who reaches it "
                        "could read and change everything: set HERALD_API_TOKEN (or "
                        "HERALD_API_TOKEN_FILE), or listen on 127.0.0.1");
    }
    return {};
}

}  // namespace herald
