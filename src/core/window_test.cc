#include "core/window.h"

#include <gtest/gtest.h>

namespace herald::test {
namespace {

constexpr std::size_t most = 64;

/// The successes it takes to bring the window to `size`.
int successes_to(Window& window, std::size_t size) {
    int n = 0;
    for (; window.size() < size && n < 100'000; ++n) window.succeeded(most);
    return n;
}

TEST(Window, StartsSmallAndDoublesWhileAllGoesWell) {
    Window window;
    EXPECT_EQ(window.size(), Window::start);
    for (int n = 0; n < 8; ++n) window.succeeded(most);
    EXPECT_EQ(window.size(), 2 * Window::start);
    EXPECT_EQ(successes_to(window, most), static_cast<int>(most - 2 * Window::start));
    for (int n = 0; n < 1'000; ++n) window.succeeded(most);
    EXPECT_EQ(window.size(), most);
}

TEST(Window, IsNeverLargerThanItMayBe) {
    Window window;
    window.succeeded(2);
    EXPECT_EQ(window.size(), 2U);
    window.succeeded(1);
    EXPECT_EQ(window.size(), 1U);
}

TEST(Window, ShrinksByOneForEachFailureAndNeverBelowOne) {
    Window window;
    window.failed();
    EXPECT_EQ(window.size(), Window::start - 1);
    for (int n = 0; n < 100; ++n) window.failed();
    EXPECT_EQ(window.size(), 1U);
}

TEST(Window, GrowsSlowlyOnceSomethingWentWrong) {
    Window window;
    for (int n = 0; n < 100; ++n) window.succeeded(most);
    window.failed();
    window.failed();
    EXPECT_EQ(window.size(), most - 2);
    const int successes = successes_to(window, most - 1);
    EXPECT_GE(successes, static_cast<int>(most - 2) - 1);
    EXPECT_LE(successes, static_cast<int>(most));
}

TEST(Window, APushBackHalvesItOnceForAllThatWasOnItsWay) {
    Window window;
    for (int n = 0; n < 100; ++n) window.succeeded(most);
    window.pushed_back(10);
    EXPECT_EQ(window.size(), most / 2);
    for (int n = 0; n < 10; ++n) window.pushed_back(0);
    EXPECT_EQ(window.size(), most / 2);
    window.pushed_back(0);
    EXPECT_EQ(window.size(), most / 4);
    for (int n = 0; n < 20; ++n) window.pushed_back(0);
    EXPECT_EQ(window.size(), 1U);
}

TEST(Window, AfterAnOutageItOpensFromOneByOneAWindow) {
    Window window;
    for (int n = 0; n < 100; ++n) window.succeeded(most);
    window.shut();
    EXPECT_EQ(window.size(), Window::restart);
    EXPECT_EQ(successes_to(window, 2), 1);
    EXPECT_EQ(successes_to(window, 3), 3);
    EXPECT_NEAR(successes_to(window, 10), 45, 10);
}

}  // namespace
}  // namespace herald::test
