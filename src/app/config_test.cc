#include "app/config.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>

#include "support/temp_dir.h"

namespace herald {

namespace {

using Variables = std::map<std::string, std::string>;

class ConfigTest : public testing::Test {
protected:
    std::string write(const std::string& name, const std::string& text) const {
        const auto path = dir.path() / name;
        std::ofstream(path, std::ios::binary) << text;
        return path.string();
    }

    static Result<Config> read(const Variables& variables, const std::string& file = "") {
        std::vector<std::string> names;
        for (const auto& [name, value] : variables) names.push_back(name);
        const EnvironmentReader environment = [&](const std::string& name) {
            const auto found = variables.find(name);
            return found == variables.end() ? std::nullopt : std::optional(found->second);
        };
        return read_config(file, environment, names);
    }

    Result<Config> read_text(const std::string& toml, const Variables& variables = {}) const {
        return read(variables, write("herald.toml", toml));
    }

    std::string error(const std::string& toml) const {
        const auto config = read_text(toml);
        return config ? "" : config.error().message;
    }

    static std::string error(const Variables& variables) {
        const auto config = read(variables);
        return config ? "" : config.error().message;
    }

    test::TempDir dir;
};

/// A value of each key that is not its default, as TOML and as environment.
struct Sample {
    std::string_view name;
    std::string_view toml;
    std::string_view text;
};
constexpr Sample samples[] = {
    {"listen", "\"127.0.0.1:9000\"", "127.0.0.1:9000"},
    {"data_dir", "\"/data\"", "/data"},
    {"default_branch", "\"trunk\"", "trunk"},
    {"shutdown_grace", "\"7s\"", "7s"},
    {"log.level", "\"debug\"", "debug"},
    {"log.format", "\"json\"", "json"},
    {"api.tokens", R"(["0123456789abcdef","fedcba9876543210"])",
     "0123456789abcdef,fedcba9876543210"},
    {"api.allowed_hosts", R"(["a.example","b.example"])", "a.example,b.example"},
    {"delivery.ca_bundle", "\"/ca.pem\"", "/ca.pem"},
    {"network.allow", R"(["127.0.0.0/8","::1","*.lab.example"])", "127.0.0.0/8,::1,*.lab.example"},
    {"network.deny", R"(["*"])", "*"},
    {"retention.events", "\"90d\"", "90d"},
    {"retention.deliveries", "\"3d\"", "3d"},
    {"secrets.key", R"("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f")",
     "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"},
    {"secrets.environment", R"(["WEBHOOK_*","RECEIVER_KEY"])", "WEBHOOK_*,RECEIVER_KEY"},
    {"secrets.directories", R"(["/etc/hooks"])", "/etc/hooks"},
    {"transforms.python", "\"/opt/python\"", "/opt/python"},
    {"transforms.processes", "3", "3"},
    {"store.segment_events", "1000", "1000"},
};

const ConfigKey& key_named(std::string_view name) {
    return *std::ranges::find(config_keys(), name, &ConfigKey::name);
}

TEST_F(ConfigTest, WithoutAnythingTheDefaultsServeOnLoopback) {
    const auto config = read({});
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->listen, "127.0.0.1:8300");
    EXPECT_EQ(config->data_dir, "herald-data");
    EXPECT_EQ(config->default_branch, "main");
    EXPECT_TRUE(config->tokens.empty());
    EXPECT_TRUE(check_config(*config));
}

TEST_F(ConfigTest, EveryKeyIsReadFromFileAndEnvironment) {
    ASSERT_EQ(std::size(samples), config_keys().size()) << "give each key a sample";
    for (const Sample& sample : samples) {
        const ConfigKey& key = key_named(sample.name);
        ASSERT_NE(key.get(Config{}), sample.text) << sample.name;
        const auto from_file =
            read_text(std::string(sample.name) + " = " + std::string(sample.toml));
        ASSERT_TRUE(from_file) << from_file.error().message;
        EXPECT_EQ(key.get(*from_file), sample.text) << sample.name;
        const auto from_environment =
            read({{std::string(key.environment), std::string(sample.text)}});
        ASSERT_TRUE(from_environment) << from_environment.error().message;
        EXPECT_EQ(key.get(*from_environment), sample.text) << sample.name;
    }
}

TEST_F(ConfigTest, SecretsAreReadFromTheFilesThatTheFileNames) {
    const std::string first(64, '1');
    const std::string second(64, '2');
    const std::string keys = write("keys", first + "\n" + second + "\r\n");
    const std::string tokens = write("tokens", "0123456789abcdef\n");
    for (const std::string& path : {keys, tokens}) {
        std::filesystem::permissions(path, std::filesystem::perms(0600));
    }
    const auto config = read_text("secrets.key_file = \"" + keys + "\"\n" + "api.tokens_file = \"" +
                                  tokens + "\"\n");
    ASSERT_TRUE(config) << config.error().message;
    ASSERT_EQ(config->seal_keys.size(), 2U);
    EXPECT_EQ(config->seal_keys[0].text(), first) << "the first seals";
    EXPECT_EQ(config->tokens, std::vector<std::string>{"0123456789abcdef"});
    EXPECT_EQ(config->secret_files.size(), 2U) << "webhooks may not refer to them";
    EXPECT_TRUE(config->warnings.empty());
    EXPECT_NE(error("log.level_file = \"x\"").find("log.level_file is not known"),
              std::string::npos);
    EXPECT_NE(error("secrets.key_file = \"/nonexistent\"").find("cannot read"), std::string::npos);
}

TEST_F(ConfigTest, AFileWithASecretThatEveryoneCanReadIsWarnedOf) {
    const std::string path = write("key", std::string(64, '1'));
    std::filesystem::permissions(path, std::filesystem::perms(0644));
    const auto config = read({{"HERALD_SECRETS_KEY_FILE", path}});
    ASSERT_TRUE(config);
    ASSERT_EQ(config->warnings.size(), 1U);
    EXPECT_NE(config->warnings[0].find(path), std::string::npos);
    EXPECT_EQ(config->warnings[0].find("1111"), std::string::npos);
}

TEST_F(ConfigTest, AKeyThatIsNoneIsRefusedWithoutRepeatingIt) {
    const std::string message = error({{"HERALD_SECRETS_KEY", "password-of-people"}});
    EXPECT_NE(message.find("openssl rand -hex 32"), std::string::npos) << message;
    EXPECT_EQ(message.find("password-of-people"), std::string::npos) << message;
    EXPECT_NE(error("secrets.directories = [\"relative\"]").find("absolute"), std::string::npos);
}

TEST_F(ConfigTest, EnvironmentStandsOverTheFile) {
    const auto config = read_text("default_branch = \"file\"\n[log]\nlevel = \"warn\"\n",
                                  {{"HERALD_DEFAULT_BRANCH", "environment"}});
    ASSERT_TRUE(config);
    EXPECT_EQ(config->default_branch, "environment");
    EXPECT_EQ(config->log_level, log::Level::warn);
}

TEST_F(ConfigTest, SecretIsReadFromTheFileThatAVariableNames) {
    const std::string path = write("token", "0123456789abcdef\r\n");
    const auto config = read({{"HERALD_API_TOKEN_FILE", path}});
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->tokens, std::vector<std::string>{"0123456789abcdef"});
}

TEST_F(ConfigTest, SecretFileThatIsMissingOrEmptyIsAnError) {
    EXPECT_NE(error({{"HERALD_API_TOKEN_FILE", "/nonexistent"}}).find("cannot read"),
              std::string::npos);
    EXPECT_NE(error({{"HERALD_API_TOKEN_FILE", write("empty", "\n")}}).find("is empty"),
              std::string::npos);
}

TEST_F(ConfigTest, OnlySecretsHaveAFileVariable) {
    EXPECT_NE(error({{"HERALD_LISTEN_FILE", "x"}}).find("HERALD_LISTEN_FILE is not known"),
              std::string::npos);
}

TEST_F(ConfigTest, StateDirectoryOfTheServiceManagerIsTheDefaultDataFolder) {
    EXPECT_EQ(read({{"STATE_DIRECTORY", "/var/lib/herald"}})->data_dir, "/var/lib/herald");
    EXPECT_EQ(read({{"STATE_DIRECTORY", "/s"}, {"HERALD_DATA_DIR", "/d"}})->data_dir, "/d");
}

TEST_F(ConfigTest, UnknownKeysAreRefusedWithASuggestionAndTheirPlace) {
    const std::string message = error("\n[log]\nlevl = \"info\"\n");
    EXPECT_NE(message.find("log.levl is not known: did you mean log.level?"), std::string::npos)
        << message;
    EXPECT_NE(message.find("herald.toml, line 3"), std::string::npos) << message;
    EXPECT_NE(error("[nothing.at.all]\nx = 1\n"), "");
    EXPECT_NE(error("[[log]]\nlevel = \"info\"\n"), "");
}

TEST_F(ConfigTest, UnknownVariablesAreRefusedWithASuggestion) {
    EXPECT_EQ(error({{"HERALD_LISEN", "x"}}),
              "the environment variable HERALD_LISEN is not known: did you mean HERALD_LISTEN?");
    EXPECT_EQ(error({{"HERALD_ADDRESS", "x"}, {"HERALD_CONFIG", "y"}, {"HERALDRY", "z"}}), "")
        << "those of the command line, and those of others";
}

TEST_F(ConfigTest, WrongValueIsNamedWithItsPlaceAndTheFix) {
    EXPECT_EQ(error({{"HERALD_SHUTDOWN_GRACE", "soon"}}),
              "shutdown_grace = \"soon\" (HERALD_SHUTDOWN_GRACE): must be a duration such as "
              "250ms, 10s, 5m, 2h or 30d");
    for (const char* text :
         {"listen = 5", "listen = \"\"", "listen = \"127.0.0.1\"", "listen = \"h:1\"",
          "listen = \"127.0.0.1:70000\"", "log.level = true", "log.format = \"xml\"",
          "store.segment_events = 1", "store.segment_events = 1e9", "data_dir = \"\"",
          "default_branch = \"\"", "retention.events = \"-1s\"", "api.tokens = [\"short\"]"}) {
        EXPECT_NE(error(text).find("line 1"), std::string::npos) << text << ": " << error(text);
    }
}

TEST_F(ConfigTest, SecretIsNotRepeatedInAnError) {
    const std::string message = error({{"HERALD_API_TOKEN", "short-secret"}});
    EXPECT_NE(message, "");
    EXPECT_EQ(message.find("short-secret"), std::string::npos) << message;
}

TEST_F(ConfigTest, BrokenOrMissingFileIsNamed) {
    EXPECT_NE(error("listen = \n").find("herald.toml, line 1"), std::string::npos);
    const std::pair<std::string, std::string> cases[] = {
        {"/nonexistent.toml", "cannot read the configuration file /nonexistent.toml"},
        {dir.path().string(), "cannot read the configuration file " + dir.path().string()}};
    for (const auto& [path, message] : cases) {
        const auto config = read({}, path);
        ASSERT_FALSE(config);
        EXPECT_EQ(config.error().message, message);
    }
}

TEST_F(ConfigTest, PrintedConfigurationMasksSecretsAndCanBeReadAgain) {
    std::string toml;
    for (const Sample& sample : samples) {
        toml += std::string(sample.name) + " = " + std::string(sample.toml) + "\n";
    }
    const auto config = read_text(toml);
    ASSERT_TRUE(config) << config.error().message;
    std::string printed = print_config(*config);
    EXPECT_EQ(printed.find("0123456789abcdef"), std::string::npos);
    EXPECT_NE(printed.find("tokens = [\"***\"]"), std::string::npos) << printed;
    EXPECT_NE(printed.find("key = [\"***\"]"), std::string::npos) << printed;
    for (std::size_t at = 0; (at = printed.find("[\"***\"]")) != std::string::npos;) {
        printed.replace(at, 7, "[]");
    }
    const auto again = read_text(printed);
    ASSERT_TRUE(again) << again.error().message;
    for (const ConfigKey& key : config_keys()) {
        EXPECT_TRUE(key.secret || key.get(*again) == key.get(*config)) << key.name;
    }
}

TEST(ParseListen, AddressesAreTakenApart) {
    struct Case {
        std::string_view text;
        std::string_view host;
        std::uint16_t port;
        bool loopback;
    };
    constexpr Case cases[] = {{"127.0.0.1:8300", "127.0.0.1", 8300, true},
                              {"127.9.9.9:1", "127.9.9.9", 1, true},
                              {"localhost:0", "127.0.0.1", 0, true},
                              {"[::1]:8300", "::1", 8300, true},
                              {"0.0.0.0:80", "0.0.0.0", 80, false},
                              {":80", "0.0.0.0", 80, false},
                              {"[::]:80", "::", 80, false},
                              {"192.0.2.1:65535", "192.0.2.1", 65535, false}};
    for (const Case& one : cases) {
        const auto address = parse_listen(one.text);
        ASSERT_TRUE(address) << one.text;
        EXPECT_EQ(address->host, one.host) << one.text;
        EXPECT_EQ(address->port, one.port) << one.text;
        EXPECT_EQ(address->loopback, one.loopback) << one.text;
    }
}

TEST(ParseListen, WhatIsNoAddressAndPortIsRefused) {
    for (const char* text :
         {"", "8300", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:80x",
          "127.evil.example:80", "host:80", "[127.0.0.1:80", "[::1:80", "127.0.0:80"}) {
        EXPECT_FALSE(parse_listen(text)) << text;
    }
}

TEST(CheckConfig, WithoutATokenOnlyLoopbackIsListenedOn) {
    Config config;
    for (const char* listen : {"0.0.0.0:8300", ":8300", "[::]:8300", "192.0.2.1:8300"}) {
        config.listen = listen;
        config.tokens.clear();
        const auto checked = check_config(config);
        ASSERT_FALSE(checked) << listen;
        EXPECT_NE(checked.error().message.find("HERALD_API_TOKEN"), std::string::npos);
        config.tokens = {"0123456789abcdef"};
        EXPECT_TRUE(check_config(config)) << listen;
    }
}

}  // namespace

}  // namespace herald
