#include "core/suggest.h"

#include <gtest/gtest.h>

#include <array>

namespace herald {

namespace {

constexpr std::array<std::string_view, 4> words{"listen", "data_dir", "log.level", "log.format"};

TEST(Suggest, NearestWordIsProposedForATypingError) {
    EXPECT_EQ(did_you_mean("lisen", words), ": did you mean listen?") << "a letter is missing";
    EXPECT_EQ(did_you_mean("listenn", words), ": did you mean listen?") << "one too many";
    EXPECT_EQ(did_you_mean("lisetn", words), ": did you mean listen?") << "two are swapped";
    EXPECT_EQ(did_you_mean("log.levle", words), ": did you mean log.level?");
}

TEST(Suggest, NothingIsProposedForAWordThatIsFar) {
    EXPECT_EQ(did_you_mean("retention", words), "");
    EXPECT_EQ(did_you_mean("x", words), "");
    EXPECT_EQ(did_you_mean("", words), "");
    EXPECT_EQ(did_you_mean("listen", {}), "");
}

TEST(Suggest, LongWordIsNotCompared) {
    EXPECT_EQ(did_you_mean(std::string(100'000, 'l'), words), "");
}

}  // namespace

}  // namespace herald
