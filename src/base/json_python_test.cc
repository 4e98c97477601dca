#include <gtest/gtest.h>

#include <cstdio>
#include <memory>
#include <string>

#include "base/json.h"

namespace herald {
namespace {

TEST(PythonRepr, WritesEveryKindOfValue) {
    const std::pair<std::string_view, std::string_view> cases[] = {
        {"null", "None"},
        {"true", "True"},
        {"{}", "{}"},
        {R"({"a":null,"b":[1,false]})", "{'a': None, 'b': [1, False]}"},
        {R"("it's")", R"("it's")"},
        {R"("say \"hi\"")", R"('say "hi"')"},
        {R"("both ' and \"")", R"('both \' and "')"},
        {R"("a\nb\tc\\d")", R"('a\nb\tc\\d')"},
        {R"("\u00e9\u00ad\u200b\u2028")", "'é\\xad\\u200b\\u2028'"},
        {R"("\ud83d\ude00")", "'😀'"},
        {"-0", "0"},
        {"-0.0", "-0.0"},
        {"1e400", "inf"},
        {"-1e400", "-inf"},
        {"1e-400", "0.0"},
        {"1E5", "100000.0"},
        {"1e16", "1e+16"},
        {"0.00001", "1e-05"},
        {"123456789012345678901234567890", "123456789012345678901234567890"},
    };
    for (const auto& [input, expected] : cases) {
        const auto canonical = canonical_json(input);
        ASSERT_TRUE(canonical) << input;
        EXPECT_EQ(to_python_repr(*canonical), expected);
    }
}

TEST(SpacedJson, PutsSpacesBehindSeparatorsButNotInStrings) {
    EXPECT_EQ(to_spaced_json(R"({"a,b:c":[1,2],"d":"\",:"})"), R"({"a,b:c": [1, 2], "d": "\",:"})");
}

/// Lines that a program prints.
class Lines {
public:
    explicit Lines(const std::string& command) : pipe_(popen(command.c_str(), "r"), pclose) {}
    bool next(std::string& line) {
        line.clear();
        for (int c = std::fgetc(pipe_.get()); c != EOF; c = std::fgetc(pipe_.get())) {
            if (c == '\n') return true;
            line += static_cast<char>(c);
        }
        return false;
    }

private:
    std::unique_ptr<FILE, int (*)(FILE*)> pipe_;
};

std::string unquote(const std::string& line) {
    return JsonView(*canonical_json(line)).string().value();
}

TEST(PythonJson, TwoThousandRandomValuesComeOutAsPythonPrintsThem) {
    Lines lines("python3 " HERALD_SOURCE_DIR "/tests/support/json_vectors.py 2000 20250313");
    std::string input;
    std::string compact;
    std::string spaced;
    std::string repr;
    int count = 0;
    while (lines.next(input) && lines.next(compact) && lines.next(spaced) && lines.next(repr)) {
        const auto canonical = canonical_json(unquote(input));
        ASSERT_TRUE(canonical) << input << canonical.error().message;
        ASSERT_EQ(*canonical, compact);
        ASSERT_EQ(to_spaced_json(*canonical), spaced);
        ASSERT_EQ(to_python_repr(*canonical), unquote(repr));
        ++count;
    }
    EXPECT_EQ(count, 2000) << "python3 did not print its values";
}

}  // namespace
}  // namespace herald
