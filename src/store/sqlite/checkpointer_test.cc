#include "store/sqlite/checkpointer.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "support/temp_dir.h"

namespace herald::sqlite {
namespace {

constexpr std::uint64_t page_bytes = 8'192;
constexpr std::uint64_t long_log = 50;  ///< pages

class CheckpointerTest : public testing::Test {
protected:
    CheckpointerTest() {
        writer_.run("CREATE TABLE event (seq INTEGER PRIMARY KEY, body BLOB)");
        checkpointer_.emplace(file_, writer_, long_log);
    }

    /// Commits that write a few pages each.
    void write(int commits) {
        Statement insert = writer_.prepare("INSERT INTO event (body) VALUES (?)");
        const std::string body(3 * page_bytes, 'x');
        for (int i = 0; i < commits; ++i) insert.bind(std::string_view(body)).run();
        written_ += commits;
    }
    [[nodiscard]] std::uint64_t log_pages() const {
        return std::filesystem::file_size(file_.string() + "-wal") / page_bytes;
    }
    void expect_all_is_there() const {
        const Database reader(file_, Access::read_only);
        EXPECT_EQ(reader.number("SELECT count(*) FROM event"), written_);
        Statement check = reader.prepare("PRAGMA integrity_check");
        ASSERT_TRUE(check.step());
        EXPECT_EQ(check.text(0), "ok");
    }

    const test::TempDir dir_;
    const std::filesystem::path file_ = dir_.path() / "log.db";
    Database writer_{file_, Access::create};
    std::optional<Checkpointer> checkpointer_;
    int written_ = 0;
};

TEST_F(CheckpointerTest, TheLogBeginsAnewWhileCommitsGoOn) {
    write(1'000);
    // Never longer than the length at which commits wait, and a little: 4,000 pages were written.
    EXPECT_LT(log_pages(), 17 * long_log);
    expect_all_is_there();
}

TEST_F(CheckpointerTest, WhatAReaderHoldsBackIsCopiedOnceItIsGone) {
    {
        const Database reader(file_, Access::read_only);
        reader.run("BEGIN");
        EXPECT_EQ(reader.number("SELECT count(*) FROM event"), 0);
        write(300);
        EXPECT_GT(log_pages(), 900);
        EXPECT_EQ(reader.number("SELECT count(*) FROM event"), 0);
    }
    expect_all_is_there();
    const std::uint64_t longest = log_pages();
    write(1'000);
    EXPECT_LT(log_pages(), longest + 17 * long_log);
    expect_all_is_there();
}

TEST_F(CheckpointerTest, WhenItGoesTheConnectionTakesCareOfItsLogAgain) {
    write(100);
    checkpointer_.reset();
    write(2'000);
    EXPECT_LT(log_pages(), long_log_pages + 100);
    expect_all_is_there();
}

}  // namespace
}  // namespace herald::sqlite
