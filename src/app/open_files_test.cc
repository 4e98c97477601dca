#include "app/open_files.h"

#include <sys/resource.h>

#include <gtest/gtest.h>

namespace herald {

namespace {

TEST(OpenFiles, TheProcessMayOpenAsManyAsTheSystemAllowsIt) {
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    const rlimit low{.rlim_cur = 200, .rlim_max = before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
    for (int time = 0; time < 2; ++time) {
        raise_open_files();
        rlimit now{};
        ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &now), 0);
        EXPECT_EQ(now.rlim_cur, before.rlim_max);
        EXPECT_EQ(now.rlim_max, before.rlim_max);
    }
    ::setrlimit(RLIMIT_NOFILE, &before);
}

}  // namespace

}  // namespace herald
