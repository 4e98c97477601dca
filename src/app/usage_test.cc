#include <gtest/gtest.h>

#include "app/commands.h"

namespace herald {

namespace {

class UsageTest : public testing::Test {
protected:
    UsageTest() {
        app.add_option("-o,--output", text, "How");
        app.fallthrough();
        auto* webhook = app.add_subcommand("webhook", "Webhooks\n\nwith an example");
        auto* create = webhook->add_subcommand("create", "Create one");
        create->add_option("name", text);
        create->add_option("--url", text);
        create->add_flag("--inactive");
        webhook->add_subcommand("list", "List them");
        app.add_subcommand("serve", "Serve");
        app.formatter(help_formatter());
    }

    std::string explain(const std::vector<std::string>& arguments) const {
        return explain_arguments(app, arguments);
    }

    CLI::App app{"a program", "herald"};
    std::string text;
};

TEST_F(UsageTest, RightArgumentsNeedNoExplanation) {
    EXPECT_EQ(explain({"webhook", "create", "a", "--url", "x", "--inactive"}), "");
    EXPECT_EQ(explain({"-o", "json", "webhook", "list"}), "");
    EXPECT_EQ(explain({"webhook", "list", "--output=json"}), "") << "also behind the command";
    EXPECT_EQ(explain({"webhook", "create", "--", "--odd"}), "");
}

TEST_F(UsageTest, UnknownCommandsGetASuggestion) {
    EXPECT_EQ(explain({"srve"}), "unknown command srve: did you mean serve?");
    EXPECT_EQ(explain({"-o", "json", "webhook", "lst"}), "unknown command lst: did you mean list?");
    EXPECT_EQ(explain({"xyzzy"}), "unknown command xyzzy");
}

TEST_F(UsageTest, UnknownOptionsGetASuggestion) {
    EXPECT_EQ(explain({"webhook", "create", "--ulr", "x"}),
              "unknown option --ulr: did you mean --url?");
    EXPECT_EQ(explain({"webhook", "create", "--otput=json"}),
              "unknown option --otput: did you mean --output?");
}

TEST_F(UsageTest, MissingCommandsAreListed) {
    EXPECT_EQ(explain({"webhook"}), "a command is missing: one of create, list");
}

TEST_F(UsageTest, HelpShowsTheFirstLineOfEachCommand) {
    const std::string help = app.help();
    EXPECT_NE(help.find("webhook"), std::string::npos);
    EXPECT_EQ(help.find("with an example"), std::string::npos) << help;
}

}  // namespace

}  // namespace herald
