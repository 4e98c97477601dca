#include <memory>

#include <boost/json.hpp>

#include "app/commands.h"

namespace herald {

namespace {

std::optional<Config> load(CommandLine& line, const std::string& file) {
    auto config = read_config(file, environment_variable, environment_names());
    if (config) {
        if (auto checked = check_config(*config); !checked) config = fail(checked.error());
    }
    if (config) return std::move(*config);
    line.fail_with(Exit::usage, config.error().message);
    return std::nullopt;
}

/// A JSON Schema for editors, made from the table of keys.
boost::json::object schema() {
    boost::json::object root;
    boost::json::object sections;
    auto add = [](boost::json::object& place, std::string_view name, const ConfigKey& key) {
        boost::json::object one;
        if (key.type == "list") {
            one["type"] = "array";
            one["items"] = {{"type", "string"}};
        } else {
            one["type"] = key.type == "integer" ? "integer" : "string";
        }
        one["description"] =
            std::string(key.help) + " (environment: " + std::string(key.environment) + ")";
        place[name] = std::move(one);
    };
    for (const ConfigKey& key : config_keys()) {
        const std::size_t dot = key.name.find('.');
        if (dot == std::string_view::npos) {
            add(sections, key.name, key);
            continue;
        }
        auto& section = sections[key.name.substr(0, dot)];
        if (!section.is_object()) {
            section = {{"type", "object"},
                       {"additionalProperties", false},
                       {"properties", boost::json::object{}}};
        }
        auto& place = section.at("properties").as_object();
        const std::string_view leaf = key.name.substr(dot + 1);
        add(place, leaf, key);
        if (!key.secret) continue;
        place[std::string(leaf) + "_file"] = {
            {"type", "string"}, {"description", "file that holds " + std::string(key.name)}};
    }
    root["$schema"] = "https://json-schema.org/draft/2020-12/schema";
    root["title"] = "herald.toml";
    root["type"] = "object";
    root["additionalProperties"] = false;
    root["properties"] = std::move(sections);
    return root;
}

}  // namespace

void add_config_commands(CLI::App& app, CommandLine& line) {
    auto* group = app.add_subcommand("config", "Look at the configuration of the server");
    group->require_subcommand(1);
    auto file = std::make_shared<std::string>();

    auto* printing = group->add_subcommand(
        "print", "The configuration in effect: defaults, file and environment, secrets masked");
    printing->add_option("-c,--config", *file, "Configuration file")->envname("HERALD_CONFIG");
    printing->callback([&line, file] {
        if (const auto config = load(line, *file))
            std::fputs(print_config(*config).c_str(), stdout);
    });

    auto* checking = group->add_subcommand("check", "Say what is wrong, if anything; exit 2 then");
    checking->add_option("-c,--config", *file, "Configuration file")->envname("HERALD_CONFIG");
    checking->callback([&line, file] {
        const auto config = load(line, *file);
        if (!config) return;
        for (const std::string& warning : config->warnings) {
            std::fputs(("warning: " + warning + "\n").c_str(), stderr);
        }
        std::fputs("the configuration is valid\n", stderr);
    });

    group->add_subcommand("schema", "A JSON Schema of the file, for editors")->callback([] {
        const auto text = canonical_json(boost::json::serialize(schema()));
        std::fputs((to_pretty_json(JsonView(*text)) + "\n").c_str(), stdout);
    });
}

}  // namespace herald
