#include "transform/worktree.h"

#include <fstream>

#include <gtest/gtest.h>

#include "core/limits.h"
#include "support/temp_dir.h"

namespace herald {

namespace {

namespace fs = std::filesystem;

struct WorktreeTest : testing::Test {
    WorktreeTest() {
        fs::create_directories(tree.root / "transforms");
        std::ofstream(tree.root / "transforms" / "a.py") << "x";
        std::ofstream(folder.path() / "secret") << "x";
    }

    std::string refusal(const std::string& path) const {
        const auto found = file_in(tree, path);
        return found ? "none" : found.error().message;
    }

    test::TempDir folder;
    Worktree tree{folder.path() / "tree", "0123456789abcdef", "main"};
};

TEST_F(WorktreeTest, FindsAFile) {
    EXPECT_EQ(file_in(tree, "transforms/a.py").value(),
              fs::canonical(tree.root) / "transforms" / "a.py");
    EXPECT_EQ(file_in(tree, "./transforms//a.py").value().filename(), "a.py");
}

TEST_F(WorktreeTest, RefusesPathsThatLeaveIt) {
    for (const char* path : {"", "/etc/passwd", "../secret", "transforms/../../secret", ".."}) {
        EXPECT_TRUE(refusal(path).contains("within the repository")) << path;
    }
    EXPECT_NE(refusal(std::string("a\0b", 3)), "none");
}

TEST_F(WorktreeTest, RefusesLinksThatLeaveItAndFollowsOthers) {
    fs::create_symlink("../secret", tree.root / "out");
    fs::create_directory_symlink("/etc", tree.root / "etc");
    fs::create_symlink("transforms/a.py", tree.root / "in");
    fs::create_symlink("loop", tree.root / "loop");
    EXPECT_TRUE(refusal("out").contains("leads out of the repository"));
    EXPECT_TRUE(refusal("etc/passwd").contains("leads out of the repository"));
    EXPECT_NE(refusal("loop"), "none");
    EXPECT_EQ(file_in(tree, "in").value().filename(), "a.py");
}

TEST_F(WorktreeTest, ALinkToAFolderWhoseNameBeginsTheSameLeadsOut) {
    fs::create_directories(folder.path() / "tree2");
    std::ofstream(folder.path() / "tree2" / "a.py") << "x";
    fs::create_directory_symlink("../tree2", tree.root / "two");
    EXPECT_TRUE(refusal("two/a.py").contains("leads out of the repository"));
}

TEST_F(WorktreeTest, AMissingFileIsNamedWithBranchAndCommit) {
    EXPECT_EQ(refusal("transforms/b.py"),
              "file transforms/b.py (branch main, commit 0123456789): is not there: correct the "
              "path, or commit the file to this branch");
}

TEST_F(WorktreeTest, RefusesAFolderAPipeAndAHugeFile) {
    EXPECT_TRUE(refusal("transforms").contains("is no file"));
    EXPECT_NE(refusal("."), "none");
    std::ofstream(tree.root / "huge.py") << std::string(limits::source_file_bytes + 1, 'x');
    std::ofstream(tree.root / "large.py") << std::string(limits::source_file_bytes, 'x');
    EXPECT_TRUE(refusal("huge.py").contains("larger than 1024 KiB"));
    EXPECT_EQ(refusal("large.py"), "none");
}

}  // namespace

}  // namespace herald
