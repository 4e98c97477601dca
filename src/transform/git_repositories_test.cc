#include "transform/git_repositories.h"

#include <algorithm>
#include <thread>

#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>

#include "support/git_work.h"
#include "support/raw_receiver.h"
#include "support/run.h"
#include "support/temp_dir.h"

namespace herald {

namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using boost::asio::awaitable;

/// What an author has written: main with one.py, feature with another one.
struct GitRepositoriesTest : testing::Test {
    GitRepositoriesTest() : work(folder.path() / "work") {
        work.commit("one.py", "main");
        work.git("checkout --quiet -b feature/one");
        work.commit("one.py", "feature");
        work.git("checkout --quiet main");
        options.read_every = 0ms;
        options.fetch_every = 0ms;
        options.again_after = 100ms;
        options.timeout = 20s;
        start();
    }
    ~GitRepositoriesTest() override { end(); }

    void start() {
        repositories = std::make_unique<GitRepositories>(loop.get_executor(), home(), options);
    }
    void end() {
        if (repositories) test::run(loop, repositories->stop());
        repositories.reset();
    }
    void restart() {
        end();
        start();
    }

    fs::path home() const { return folder.path() / "repositories"; }

    Result<Worktree> get(const RepositoryAccess& access, const std::string& branch = "",
                         const std::string& otherwise = "main") {
        return test::run(loop, repositories->worktree(access, branch, otherwise));
    }
    Result<Worktree> get(const std::string& location, const std::string& branch = "",
                         const std::string& otherwise = "main") {
        return get(RepositoryAccess{location, "", ""}, branch, otherwise);
    }
    /// What one.py says, or why there is none.
    std::string one(const std::string& location, const std::string& branch = "") {
        const auto tree = get(location, branch);
        if (!tree) return tree.error().message;
        const auto file = file_in(*tree, "one.py");
        return file ? test::text_of(*file) : file.error().message;
    }
    /// Asks until the answer is `expected`, for a change that arrives in the background.
    bool becomes(const std::string& location, const std::string& expected) {
        const auto until = std::chrono::steady_clock::now() + 20s;
        while (one(location) != expected) {
            if (std::chrono::steady_clock::now() > until) return false;
            std::this_thread::sleep_for(20ms);
            loop.restart();
            loop.poll();
        }
        return true;
    }

    test::TempDir folder;
    test::GitWork work;
    GitOptions options;
    boost::asio::io_context loop;
    std::unique_ptr<GitRepositories> repositories;
};

/// Everything that holds wherever the repository lies.
struct EveryLocation : GitRepositoriesTest, testing::WithParamInterface<const char*> {
    std::string location() const {
        return std::string(GetParam()) == "path" ? work.path().string() : work.url();
    }
};
INSTANTIATE_TEST_SUITE_P(Git, EveryLocation, testing::Values("path", "url"),
                         [](const auto& one) { return one.param; });

TEST_P(EveryLocation, TheEventsBranchIsTakenElseTheDefaultOne) {
    EXPECT_EQ(one(location(), "feature/one"), "feature");
    EXPECT_EQ(one(location(), ""), "main");
    const auto tree = get(location(), "", "feature/one");
    ASSERT_TRUE(tree) << tree.error().message;
    EXPECT_EQ(tree->branch, "feature/one");
    EXPECT_EQ(tree->commit.size(), 40U);
    EXPECT_EQ(tree->root.filename(), tree->commit);
}

TEST_P(EveryLocation, ANewCommitIsTakenAndTheOldOneStaysForThoseWhoUseIt) {
    EXPECT_EQ(one(location()), "main");
    const Worktree before = get(location()).value();
    work.commit("one.py", "newer");
    EXPECT_TRUE(becomes(location(), "newer"));
    EXPECT_NE(get(location()).value().commit, before.commit);
    EXPECT_EQ(test::text_of(before.root / "one.py"), "main");
}

TEST_P(EveryLocation, ANewBranchIsFoundAtOnce) {
    EXPECT_EQ(one(location()), "main");
    work.git("checkout --quiet -b late");
    work.commit("one.py", "late");
    EXPECT_EQ(one(location(), "late"), "late");
}

TEST_P(EveryLocation, ABranchThatIsNotThereSaysWhichAndWhatToDo) {
    const auto missing = get(location(), "elsewhere");
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, Errc::invalid);
    EXPECT_EQ(
        missing.error().message,
        "repository " + location() +
            " has no branch elsewhere, it has feature/one, main: push the event's branch to it");
    EXPECT_EQ(one(location(), "feature/on"),
              "repository " + location() +
                  " has no branch feature/on: did you mean feature/one? Or push the event's branch "
                  "to it");
    const auto wrong = get(location(), "", "trunk");
    ASSERT_FALSE(wrong);
    EXPECT_TRUE(wrong.error().message.ends_with("correct the branch of the transformation"));
}

TEST_P(EveryLocation, ABranchsNameIsNeverTakenForAnythingElse) {
    for (const char* odd : {"HEAD", "main~0", "main^{tree}", "--all", "../main", "refs/heads/main",
                            "@", "feature", "main\n", "$(touch x)", ":/x"}) {
        EXPECT_TRUE(one(location(), odd).contains("has no branch")) << odd;
    }
}

TEST_P(EveryLocation, ADeletedBranchIsGone) {
    EXPECT_EQ(one(location(), "feature/one"), "feature");
    work.git("branch --quiet -D feature/one");
    work.commit("one.py", "newer");
    EXPECT_TRUE(becomes(location(), "newer"));
    EXPECT_TRUE(one(location(), "feature/one").contains("has no branch feature/one"));
}

TEST_P(EveryLocation, ARewrittenBranchIsTaken) {
    EXPECT_EQ(one(location()), "main");
    work.write("one.py", "rewritten");
    work.git("commit --quiet --all --amend -m y");
    EXPECT_TRUE(becomes(location(), "rewritten"));
}

TEST_P(EveryLocation, TheSameAfterARestart) {
    EXPECT_EQ(one(location()), "main");
    restart();
    EXPECT_EQ(one(location()), "main");
    EXPECT_EQ(one(location(), "feature/one"), "feature");
}

TEST_P(EveryLocation, HalfWrittenFoldersAndLocksOfAKilledHeraldDoNoHarm) {
    const Worktree tree = get(location()).value();
    end();
    fs::remove(tree.root / "one.py");  // as when the machine lost its power
    const fs::path own = tree.root.parent_path();
    fs::create_directories(own / ("new-" + tree.commit) / "rest");
    for (const char* lock : {"packed-refs.lock", "shallow.lock", "config.lock"}) {
        std::ofstream(own / "mirror" / lock) << "x";
    }
    start();
    EXPECT_EQ(one(location()), "main");
    EXPECT_EQ(one(location(), "feature/one"), "feature");
    work.commit("one.py", "newer");
    EXPECT_TRUE(becomes(location(), "newer"));
}

TEST_P(EveryLocation, NoHookOrFilterOfTheRepositoryIsRun) {
    const fs::path mark = folder.path() / "was-run";
    for (const char* hook : {"post-checkout", "post-index-change", "reference-transaction"}) {
        work.write(std::string(".git/hooks/") + hook, "#!/bin/sh\ntouch " + mark.string() + "\n");
        fs::permissions(work.path() / ".git/hooks" / hook, fs::perms::owner_all);
    }
    work.write(".gitattributes", "*.py filter=bad\n");
    work.commit("one.py", "filtered");
    work.git("config filter.bad.smudge 'touch " + mark.string() + "; cat'");
    work.git("config core.fsmonitor 'touch " + mark.string() + "'");
    fs::remove(mark);  // the author's own commit ran them
    EXPECT_EQ(one(location()), "filtered");
    EXPECT_FALSE(fs::exists(mark));
}

TEST_P(EveryLocation, LinksThatLeaveTheWorktreeAreNotOpened) {
    fs::create_symlink("/etc/passwd", work.path() / "out.py");
    fs::create_symlink("one.py", work.path() / "in.py");
    work.commit("two.py", "x");
    const auto tree = get(location());
    ASSERT_TRUE(tree) << tree.error().message;
    EXPECT_FALSE(file_in(*tree, "out.py"));
    EXPECT_TRUE(file_in(*tree, "in.py"));
}

awaitable<void> ask(GitRepositories& repositories, RepositoryAccess access, std::string branch,
                    std::vector<std::string>& answers) {
    const std::string otherwise = "main";
    const auto tree = co_await repositories.worktree(access, branch, otherwise);
    answers.push_back(tree ? tree->commit : tree.error().message);
}

TEST_P(EveryLocation, ManyAtOnceShareTheCallsOfGit) {
    std::vector<std::string> answers;
    TaskGroup tasks(loop.get_executor());
    for (int i = 0; i < 200; ++i) {
        tasks.start(ask(*repositories, {location(), "", ""}, i % 2 ? "main" : "gone", answers));
    }
    test::run(loop, tasks.join());
    ASSERT_EQ(answers.size(), 200U);
    const auto gone = [](const std::string& text) { return text.contains("has no branch gone"); };
    EXPECT_EQ(std::ranges::count_if(answers, gone), 100);
    EXPECT_EQ(std::ranges::count(answers, get(location())->commit), 100);
}

TEST_F(GitRepositoriesTest, ABareRepositoryAndAnotherWorktreeOfItAreFineToo) {
    work.git("clone --quiet --bare . ../bare.git");
    EXPECT_EQ(one((folder.path() / "bare.git").string(), "feature/one"), "feature");
    work.git("worktree add --quiet ../second feature/one");
    EXPECT_EQ(one((folder.path() / "second").string()), "main");
}

TEST_F(GitRepositoriesTest, APathMayHoldWhatGitTakesForASeparator) {
    const test::GitWork odd(folder.path() / "a:b\"c");
    odd.commit("one.py", "odd");
    EXPECT_EQ(one(odd.path().string()), "odd");
}

TEST_F(GitRepositoriesTest, AWrongPathSaysWhatIsWrongWithIt) {
    fs::create_directories(folder.path() / "plain");
    const auto wrong = get((folder.path() / "plain").string());
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().code, Errc::invalid);
    EXPECT_TRUE(wrong.error().message.contains("is no git repository"));
    EXPECT_TRUE(one("/nowhere/at/all").contains("is no folder that herald can read"));
    EXPECT_TRUE(one("work").contains("write the absolute path"));
    EXPECT_EQ(one(work.path().string()), "main");
}

TEST_F(GitRepositoriesTest, ALocalRepositoryThatGoesAwayIsMissedAndItsReturnSeen) {
    EXPECT_EQ(one(work.path().string()), "main");
    fs::rename(work.path(), folder.path() / "away");
    EXPECT_TRUE(one(work.path().string()).contains("is no folder"));
    fs::rename(folder.path() / "away", work.path());
    EXPECT_EQ(one(work.path().string()), "main");
}

TEST_F(GitRepositoriesTest, ARemoteThatIsGoneLeavesTheOldCommitInUseAlsoAfterARestart) {
    EXPECT_EQ(one(work.url()), "main");
    EXPECT_EQ(one(work.url(), "feature/one"), "feature");
    fs::rename(work.path(), folder.path() / "away");
    for (int i = 0; i < 5; ++i) {
        EXPECT_EQ(one(work.url()), "main");
        std::this_thread::sleep_for(20ms);
        loop.restart();
        loop.poll();
    }
    restart();
    EXPECT_EQ(one(work.url()), "main");
    EXPECT_EQ(one(work.url(), "feature/one"), "feature");
    fs::rename(folder.path() / "away", work.path());
    work.commit("one.py", "newer");
    EXPECT_TRUE(becomes(work.url(), "newer"));
}

TEST_F(GitRepositoriesTest, ARemoteIsNotAskedAgainBeforeItsTime) {
    options.fetch_every = 1h;
    options.again_after = 1h;
    restart();
    EXPECT_EQ(one(work.url()), "main");
    work.commit("one.py", "newer");
    std::this_thread::sleep_for(100ms);
    EXPECT_EQ(one(work.url()), "main");
    EXPECT_TRUE(one(work.url(), "late").contains("has no branch late"));  // asks, and brings newer
    EXPECT_EQ(one(work.url()), "newer");
    work.git("branch late");
    EXPECT_TRUE(one(work.url(), "late").contains("has no branch late"));
    EXPECT_EQ(one(work.url(), "feature/one"), "feature");
}

TEST_F(GitRepositoriesTest, ARemoteThatWasNeverReachedIsUnavailableAndNotAskedByEveryEvent) {
    options.again_after = 1h;
    restart();
    test::RawReceiver server({test::always(test::an_answer(503))});
    const auto failed = get(server.url("/x.git"));
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, Errc::unavailable);
    EXPECT_TRUE(failed.error().message.starts_with("repository " + server.url("/x.git") +
                                                   ": cannot be fetched: "))
        << failed.error().message;
    const auto asked = server.requests().size();
    for (int i = 0; i < 10; ++i) EXPECT_FALSE(get(server.url("/x.git")));
    EXPECT_EQ(server.requests().size(), asked);
}

TEST_F(GitRepositoriesTest, APasswordIsGivenToItsHostAndToNobodyElse) {
    const std::string challenge =
        test::an_answer(401, "", "WWW-Authenticate: Basic realm=\"x\"\r\n");
    test::RawReceiver other({test::always(challenge)});
    test::RawReceiver server({test::always(challenge)});
    const RepositoryAccess access{server.url("/x.git"), "herald", "s3cret-word"};
    const auto failed = get(access);
    ASSERT_FALSE(failed);
    EXPECT_TRUE(failed.error().message.contains("correct username and password"))
        << failed.error().message;
    EXPECT_FALSE(failed.error().message.contains("s3cret"));
    const auto sent = server.requests();
    const auto has_it = [](const std::string& text) {
        return text.contains("Authorization: Basic aGVyYWxkOnMzY3JldC13b3Jk");
    };
    EXPECT_TRUE(std::ranges::any_of(sent, has_it));

    const std::string away = test::an_answer(
        302, "", "Location: " + other.url("/x.git/info/refs?service=git-upload-pack") + "\r\n");
    test::RawReceiver sends_away({test::always(away)});
    const auto led = get(RepositoryAccess{sends_away.url("/x.git"), "herald", "s3cret-word"});
    EXPECT_FALSE(led);
    EXPECT_FALSE(other.requests().empty());
    for (const std::string& request : other.requests()) {
        EXPECT_FALSE(request.contains("Authorization")) << request;
    }
}

TEST_F(GitRepositoriesTest, APasswordIsInNoFile) {
    const std::string challenge =
        test::an_answer(401, "", "WWW-Authenticate: Basic realm=\"x\"\r\n");
    test::RawReceiver server({test::always(challenge)});
    EXPECT_FALSE(get(RepositoryAccess{server.url("/x.git"), "herald", "s3cret-word"}));
    std::size_t files = 0;
    for (const auto& entry : fs::recursive_directory_iterator(home())) {
        if (!entry.is_regular_file()) continue;
        ++files;
        EXPECT_FALSE(test::text_of(entry.path()).contains("s3cret-word")) << entry.path();
    }
    EXPECT_GT(files, 0U);
}

TEST_F(GitRepositoriesTest, ANewPasswordIsTriedAtOnce) {
    options.again_after = 1h;
    restart();
    const std::string challenge =
        test::an_answer(401, "", "WWW-Authenticate: Basic realm=\"x\"\r\n");
    test::RawReceiver server({test::always(challenge)});
    EXPECT_FALSE(get(RepositoryAccess{server.url("/x.git"), "herald", "wrong-word"}));
    const auto asked = server.requests().size();
    EXPECT_FALSE(get(RepositoryAccess{server.url("/x.git"), "herald", "right-word"}));
    EXPECT_GT(server.requests().size(), asked);
}

TEST_F(GitRepositoriesTest, AServerThatHangsHoldsUpNeitherOtherRepositoriesNorTheEnd) {
    test::RawReceiver server({{test::hold_open()}});
    std::vector<std::string> answers;
    TaskGroup tasks(loop.get_executor());
    tasks.start(ask(*repositories, {server.url("/x.git"), "", ""}, "main", answers));
    EXPECT_EQ(one(work.url()), "main");
    EXPECT_EQ(one(work.path().string()), "main");
    EXPECT_TRUE(answers.empty());
    const auto began = std::chrono::steady_clock::now();
    test::run(loop, repositories->stop());
    test::run(loop, tasks.join());
    EXPECT_LT(std::chrono::steady_clock::now() - began, 10s);
    EXPECT_TRUE(answers.at(0).contains("herald is stopping")) << answers.at(0);
}

TEST_F(GitRepositoriesTest, ACommitWithTooManyFilesIsRefusedBeforeItIsWritten) {
    // 2,000 names of one tree of 100 files: small to keep, too much to write.
    for (int i = 0; i < 100; ++i) work.write("t/" + std::to_string(i), "x");
    work.git("add --all");
    work.write("../many.sh",
               "tree=$(git write-tree --prefix=t/)\n"
               "root=$(for i in $(seq 2000); do printf '040000 tree %s\\t%s\\n' $tree $i; done |"
               " git mktree)\n"
               "git branch many $(git -c user.name=A -c user.email=a commit-tree -m x $root)\n");
    work.git("-c 'alias.many=!sh ../many.sh' many");
    const auto refused = get(work.path().string(), "many");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::too_large);
    EXPECT_TRUE(refused.error().message.contains("200000 files")) << refused.error().message;
    EXPECT_EQ(one(work.path().string()), "main");
}

TEST_F(GitRepositoriesTest, TheFilesOfCommitsThatNobodyAsksForAreRemoved) {
    options.keep = 0ms;
    restart();
    fs::path own;
    for (int i = 0; i < 30; ++i) {
        work.commit("one.py", std::to_string(i));
        const auto tree = get(work.path().string());
        ASSERT_TRUE(tree) << tree.error().message;
        EXPECT_EQ(test::text_of(tree->root / "one.py"), std::to_string(i));
        own = tree->root.parent_path();
    }
    end();  // what is to be removed has been when the worker ends
    const auto entries = std::distance(fs::directory_iterator(own), fs::directory_iterator());
    EXPECT_LE(entries, 12);
    EXPECT_GE(entries, 8);
}

TEST_F(GitRepositoriesTest, OthersCannotReadTheFolder) {
    EXPECT_EQ(one(work.path().string()), "main");
    EXPECT_EQ(fs::status(home()).permissions(), fs::perms::owner_all);
}

}  // namespace

}  // namespace herald
