#include "core/preset.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

namespace herald {
namespace {

constexpr std::string_view document =
    R"({"name":"chat","title":"Chat","parameters":[)"
    R"({"name":"api","description":"the server","default":"https://chat.example.com",)"
    R"("example":"https://chat.example.com"},)"
    R"({"name":"room","description":"where messages go","example":"net/ops"},)"
    R"({"name":"token","description":"a token that may post","secret":true,)"
    R"("example":"env:CHAT_TOKEN"}],)"
    R"("webhook":{"kind":"custom","url":"{api}/rooms/{room}/send?v={unknown}",)"
    R"("timeout":3,"headers":[{"key":"X-Room","value":"<{room}>"}],)"
    R"("authentication":{"type":"bearer","token":"{token}"}},)"
    R"("transformation":{"runtime":"jq","source":"{room}","secrets":{"token":"{token}"}}})";

Preset chat() { return *read_preset(JsonView(document)); }

std::string complaint(const PresetValues& values) {
    const auto used = use(chat(), "x", values);
    return used ? "" : used.error().message;
}

TEST(Preset, IsRead) {
    const Preset preset = chat();
    EXPECT_EQ(preset.name, "chat");
    ASSERT_EQ(preset.parameters.size(), 3U);
    EXPECT_EQ(preset.parameters[0].otherwise, "https://chat.example.com");
    EXPECT_EQ(preset.parameters[1].otherwise, std::nullopt);
    EXPECT_FALSE(preset.parameters[1].secret);
    EXPECT_TRUE(preset.parameters[2].secret);
}

TEST(Preset, OtherDocumentsAreRefused) {
    for (const std::string_view text :
         {"null", "[]", "{}", R"({"name":1,"parameters":[],"webhook":{}})",
          R"({"name":"x","parameters":[],"webhook":[]})", R"({"name":"x","webhook":{}})"}) {
        EXPECT_FALSE(read_preset(JsonView(text))) << text;
    }
}

TEST(Preset, ValuesStandInPlaceOfParameters) {
    const auto used = use(chat(), "ops", {{"room", "net/ops"}, {"token", "env:CHAT"}});
    ASSERT_TRUE(used) << used.error().message;
    EXPECT_EQ(used->webhook,
              R"({"name":"ops","kind":"custom",)"
              R"("url":"https://chat.example.com/rooms/net%2Fops/send?v={unknown}","timeout":3,)"
              R"("headers":[{"key":"X-Room","value":"<net/ops>"}],)"
              R"("authentication":{"type":"bearer","token":"env:CHAT"},"transformation":"ops"})");
    EXPECT_EQ(used->transformation, R"({"name":"ops","runtime":"jq","source":"{room}",)"
                                    R"("secrets":{"token":"env:CHAT"}})");
}

TEST(Preset, ValueIsNoPlaceholderItself) {
    const auto used = use(chat(), "x", {{"room", "{token}\"}"}, {"token", "env:CHAT"}});
    ASSERT_TRUE(used);
    EXPECT_NE(used->webhook.find(R"("<{token}\"}>")"), std::string::npos) << used->webhook;
    EXPECT_NE(used->webhook.find("/rooms/%7Btoken%7D%22%7D/send"), std::string::npos);
}

TEST(Preset, AddressAtTheBeginningOfUrlLosesItsLastSlash) {
    const auto used =
        use(chat(), "x", {{"api", "http://h:1/a//"}, {"room", "\xc3\xbc"}, {"token", "env:CHAT"}});
    ASSERT_TRUE(used);
    EXPECT_NE(used->webhook.find(R"("url":"http://h:1/a/rooms/%C3%BC/send)"), std::string::npos);

    const auto whole = read_preset(
        JsonView(R"({"name":"any","parameters":[{"name":"url","description":"d","example":"e"}],)"
                 R"("webhook":{"url":"{url}"}})"));
    EXPECT_EQ(use(*whole, "x", {{"url", "http://h/?a=b&c={d}/"}})->webhook,
              R"({"name":"x","url":"http://h/?a=b&c={d}/"})");
}

TEST(Preset, MissingParameterIsNamedWithItsPurpose) {
    const auto used = use(chat(), "x", {});
    ASSERT_FALSE(used);
    EXPECT_EQ(used.error().code, Errc::invalid);
    EXPECT_EQ(used.error().message,
              "parameter room is missing: where messages go, such as net/ops\n"
              "parameter token is missing: a token that may post, such as env:CHAT_TOKEN");
    ASSERT_EQ(used.error().fields.size(), 2U);
    EXPECT_EQ(used.error().fields[1].pointer, "/parameters/token");
    EXPECT_EQ(complaint({{"room", ""}, {"token", "env:T"}}),
              "parameter room is empty: give where messages go, such as net/ops");
}

TEST(Preset, UnknownParameterGetsASuggestion) {
    const PresetValues good{{"room", "r"}, {"token", "env:T"}};
    PresetValues given = good;
    given.emplace_back("rom", "r");
    EXPECT_EQ(complaint(given),
              "parameter rom is no parameter of the preset chat: did you mean room?");
    given.back().first = "colour";
    EXPECT_EQ(complaint(given),
              "parameter colour is no parameter of the preset chat, it has api, room, token");
    given.back().first = "room";
    EXPECT_EQ(complaint(given), "parameter room is given twice");
}

TEST(Preset, SecretHasToBeAReference) {
    const auto token = [](const std::string& value) {
        return complaint({{"room", "r"}, {"token", value}});
    };
    EXPECT_EQ(token("env:T"), "");
    EXPECT_EQ(token("file:/run/secrets/t"), "");
    const std::string said = token("hunter2");
    EXPECT_EQ(said,
              "parameter token is a secret: give where herald reads it, env:NAME or file:/path "
              "(it is a token that may post)");
    for (const std::string wrong : {"env:", "file:relative", "env:HERALD_API_TOKEN", "env:A\nB"}) {
        EXPECT_NE(token(wrong), "") << wrong;
    }
}

TEST(Preset, TransformationIsNamedAsTheWebhook) {
    EXPECT_EQ(transformation_name("slack-2.prod_x"), "slack-2.prod_x");
    EXPECT_EQ(transformation_name("my hook/\xc3\xbc"), "my-hook---");
    EXPECT_EQ(transformation_name(std::string(300, 'x')).size(), 255U);
}

std::string read_file(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

PresetValues examples(const Preset& preset) {
    PresetValues values;
    for (const PresetParameter& parameter : preset.parameters) {
        values.emplace_back(parameter.name, parameter.example);
    }
    return values;
}

TEST(Preset, ShippedOnesGiveTheRequestsOfTheirSamples) {
    std::size_t count = 0;
    const std::filesystem::path folder = std::filesystem::path(HERALD_SOURCE_DIR) / "presets";
    for (const auto& file : std::filesystem::directory_iterator(folder)) {
        SCOPED_TRACE(file.path().filename().string());
        const auto text = canonical_json(read_file(file.path()));
        ASSERT_TRUE(text) << text.error().message;
        const JsonView shipped(*text);
        const auto preset = read_preset(shipped);
        ASSERT_TRUE(preset) << preset.error().message;
        EXPECT_EQ(preset->name + ".json", file.path().filename().string());
        const auto used = use(*preset, preset->name, examples(*preset));
        ASSERT_TRUE(used) << used.error().message;
        const JsonView webhook(used->webhook);
        EXPECT_EQ(webhook.find("transformation").has_value(), !used->transformation.empty());
        for (auto samples = shipped.find("samples")->items(); samples.next();) {
            const JsonView expected = *samples.value().find("expected");
            EXPECT_EQ(webhook.string("url"), expected.string("url"));
        }
        EXPECT_FALSE(use(*preset, preset->name, {}));
        ++count;
    }
    EXPECT_GE(count, 21U);
}

}  // namespace
}  // namespace herald
