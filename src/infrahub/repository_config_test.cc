#include "infrahub/repository_config.h"

#include <fstream>

#include <gtest/gtest.h>

#include "support/temp_dir.h"

namespace herald {

namespace {

struct RepositoryConfig : testing::Test {
    void write(const std::string& text, const char* name = ".infrahub.yml") const {
        std::ofstream(folder.path() / name) << text;
    }
    Result<FoundTransform> find(const std::string& name) const {
        return find_python_transform(folder.path(), name);
    }
    std::string complaint(const std::string& name) const {
        const auto found = find(name);
        return found ? "none" : found.error().message;
    }

    test::TempDir folder;
};

constexpr const char* guide = R"(---
jinja2_transforms: []
python_transforms:
  - name: slack_webhook_transform
    class_name: SlackWebhookTransform
    file_path: "transforms/slack_webhook.py"
  - name: plain
    file_path: transforms/plain.py
    convert_query_response: true
queries:
  - name: placeholder_query
    file_path: "queries/placeholder.gql"
)";

TEST_F(RepositoryConfig, FindsAnEntryOfTheGuides) {
    write(guide);
    const FoundTransform slack{"transforms/slack_webhook.py", "SlackWebhookTransform", false};
    EXPECT_EQ(find("slack_webhook_transform").value(), slack);
}

TEST_F(RepositoryConfig, TheClassIsTransformWhenItIsNotGiven) {
    write(guide);
    const FoundTransform plain{"transforms/plain.py", "Transform", true};
    EXPECT_EQ(find("plain").value(), plain);
}

TEST_F(RepositoryConfig, TheLongerEndOfTheNameWillDo) {
    write(guide, ".infrahub.yaml");
    EXPECT_EQ(find("plain").value().file, "transforms/plain.py");
}

TEST_F(RepositoryConfig, AMisspeltNameGetsASuggestion) {
    write(guide);
    EXPECT_EQ(complaint("slack_webhok_transform"),
              ".infrahub.yml: python_transforms has no entry slack_webhok_transform: did you mean "
              "slack_webhook_transform?");
    EXPECT_EQ(complaint("teams"),
              ".infrahub.yml: python_transforms has no entry teams, it has "
              "slack_webhook_transform, plain: add it, or correct the name");
    write("queries: []\n");
    EXPECT_TRUE(complaint("teams").contains("it has none at all"));
}

TEST_F(RepositoryConfig, AMissingFileSaysWhatToAdd) {
    EXPECT_EQ(complaint("x"),
              "the repository has no .infrahub.yml: add it with an entry x under "
              "python_transforms, or name the transformation's file itself");
}

TEST_F(RepositoryConfig, MistakesAreNamedWithTheirLine) {
    const std::pair<const char*, const char*> cases[] = {
        {"a: [1,\nb: 2", "line "},
        {"", "write a mapping"},
        {"- 1\n", "line 1: write a mapping"},
        {"python_transforms: x\n", "line 1: write python_transforms as a list"},
        {"python_transforms:\n  - x\n", "line 2: write the entry as a mapping"},
        {"python_transforms:\n  - file_path: a.py\n", "line 2: this entry"},
        {"python_transforms:\n  - name: a\n", "has no file_path"},
        {"python_transforms:\n  - name: a\n    file_path:\n      - b\n",
         "write file_path as a text"},
        {"python_transforms:\n  - name: a\n    file_path: b\n    convert_query_response: 7\n",
         "line 4: write convert_query_response as true or false"},
        {"python_transforms:\n  - {name: a, file_path: b}\n  - {name: a, file_path: c}\n",
         "line 3: a second python_transforms entry has the name a"},
    };
    for (const auto& [text, expected] : cases) {
        write(text);
        EXPECT_TRUE(complaint("a").starts_with(".infrahub.yml")) << complaint("a");
        EXPECT_TRUE(complaint("a").contains(expected)) << text << "\n" << complaint("a");
    }
}

TEST_F(RepositoryConfig, ALinkOutOfTheRepositoryIsRefused) {
    const test::TempDir other;
    std::ofstream(other.path() / "x") << guide;
    std::filesystem::create_symlink(other.path() / "x", folder.path() / ".infrahub.yml");
    EXPECT_TRUE(complaint("plain").contains("cannot be used"));
}

TEST_F(RepositoryConfig, DeepNestingIsRefusedAndNotFollowed) {
    write(std::string(100'000, '['));
    EXPECT_TRUE(complaint("a").contains("no YAML")) << complaint("a");
}

}  // namespace

}  // namespace herald
