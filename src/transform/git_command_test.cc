#include "transform/git_command.h"

#include <sys/stat.h>

#include <fstream>
#include <thread>

#include <gtest/gtest.h>

#include "support/temp_dir.h"

namespace herald {

namespace {

using namespace std::chrono_literals;

struct GitCommandTest : testing::Test {
    /// A git that runs `script`, as an alias does.
    GitCommand shell(const std::string& script) const {
        GitCommand command;
        command.arguments = {"-c", "alias.x=!" + script, "x"};
        command.environment = {{"PATH", std::getenv("PATH")}, {"ONLY", "this"}, {"LC_ALL", "C"}};
        command.timeout = 20s;
        return command;
    }

    test::TempDir folder;
};

std::string error_of(const Result<std::string>& result) {
    return result ? "none" : result.error().message;
}

TEST_F(GitCommandTest, GivesBackWhatGitWrites) {
    EXPECT_TRUE(run_git(shell("true")).value().empty());
    EXPECT_EQ(run_git(shell("printf 'a\\nb'")).value(), "a\nb");
}

TEST_F(GitCommandTest, TheErrorIsGitsOwnReasonInOneLine) {
    const auto failed =
        run_git(shell("printf 'hint: x\\nfatal: no such thing\\nmore\\n' >&2; false"));
    EXPECT_EQ(error_of(failed), "no such thing");
    EXPECT_EQ(failed.error().code, Errc::unavailable);
    EXPECT_EQ(error_of(run_git(shell("printf 'one\\ntw\\033o\\n' >&2; exit 3"))), "tw o");
    EXPECT_EQ(error_of(run_git(shell("printf 'Host key verification failed.\\n"
                                     "fatal: Could not read from remote repository.\\n\\n"
                                     "Please make sure\\n' >&2; false"))),
              "Host key verification failed.");
    EXPECT_LE(error_of(run_git(shell("head -c 100000 /dev/zero | tr '\\0' x >&2; false"))).size(),
              400U);
}

TEST_F(GitCommandTest, TheEnvironmentIsWhatWasGivenAndNoDescriptorIsInherited) {
    const test::TempDir other;
    std::ofstream open_here(other.path() / "open");
    ::setenv("HERALD_TEST_SECRET", "x", 1);
    const auto variables = run_git(shell("env"));
    ::unsetenv("HERALD_TEST_SECRET");
    EXPECT_TRUE(variables.value().contains("ONLY=this"));
    EXPECT_FALSE(variables.value().contains("HERALD_TEST_SECRET"));
    const auto files = run_git(shell("ls -l /proc/$$/fd"));
    EXPECT_FALSE(files.value().contains(other.path().string())) << *files;
}

TEST_F(GitCommandTest, WhatHangsIsEndedWithAllThatItStarted) {
    GitCommand command =
        shell("sh -c 'trap \"\" TERM; touch " + (folder.path() / "began").string() +
              "; sleep 30; touch " + (folder.path() / "late").string() + "'");
    command.timeout = 300ms;
    const auto began = std::chrono::steady_clock::now();
    EXPECT_EQ(error_of(run_git(command)), "git did not end within 300 ms");
    EXPECT_LT(std::chrono::steady_clock::now() - began, 10s);
    EXPECT_TRUE(std::filesystem::exists(folder.path() / "began"));
}

TEST_F(GitCommandTest, EndsSoonAfterItIsToldToStop) {
    std::atomic<bool> stopping = false;
    GitCommand command = shell("sleep 30");
    command.stopping = &stopping;
    std::jthread later([&] {
        std::this_thread::sleep_for(100ms);
        stopping = true;
    });
    const auto began = std::chrono::steady_clock::now();
    EXPECT_EQ(error_of(run_git(command)), "herald is stopping");
    EXPECT_LT(std::chrono::steady_clock::now() - began, 10s);
}

TEST_F(GitCommandTest, AnAnswerWithoutEndIsCutOff) {
    const auto result = run_git(shell("cat /dev/zero"));
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Errc::too_large);
}

TEST_F(GitCommandTest, AFolderThatGrowsTooLargeEndsTheCall) {
    GitCommand command =
        shell("head -c 2000000 /dev/zero > " + (folder.path() / "pack").string() + "; sleep 30");
    command.watched = folder.path();
    command.watched_bytes = 1'048'576;
    const auto result = run_git(command);
    EXPECT_EQ(error_of(result), "it is larger than 1 MiB");
    EXPECT_EQ(result.error().code, Errc::too_large);
}

TEST_F(GitCommandTest, AMissingGitSaysWhatToInstall) {
    const std::string path = std::getenv("PATH");
    ::setenv("PATH", folder.path().c_str(), 1);
    const auto result = run_git(GitCommand{.arguments = {"version"}});
    ::setenv("PATH", path.c_str(), 1);
    EXPECT_EQ(error_of(result), "the program git is not installed: install the package git");
}

}  // namespace

}  // namespace herald
