#include "delivery/secrets.h"

#include <sys/stat.h>

#include <fstream>
#include <map>

#include <gmock/gmock.h>

#include "core/limits.h"
#include "support/temp_dir.h"

namespace herald {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

struct SecretsTest : testing::Test {
    test::TempDir dir;
    std::map<std::string, std::string> environment{{"RECEIVER_KEY", "from outside"},
                                                   {"HERALD_API_TOKEN", "of herald"}};
    SecretSources sources{[this](const std::string& name) -> std::optional<std::string> {
                              if (!environment.contains(name)) return std::nullopt;
                              return environment.at(name);
                          },
                          {"*"},
                          {dir.path() / "allowed"}};

    SecretsTest() {
        fs::create_directory(dir.path() / "allowed");
        write("allowed/key", "from a file\n");
        write("other", "must not be read");
    }
    fs::path write(const std::string& name, const std::string& text) {
        std::ofstream(dir.path() / name) << text;
        return dir.path() / name;
    }
    Result<std::string> read(const std::string& text) { return Secrets(sources).read(text); }
    Result<std::string> read_file(const std::string& name) {
        return read("file:" + (dir.path() / name).string());
    }
    void refuses_file(const std::string& name, const std::string& why) {
        const auto text = read_file(name);
        ASSERT_FALSE(text) << name;
        EXPECT_THAT(text.error().message, HasSubstr(why));
        EXPECT_THAT(text.error().message, HasSubstr("file:"));
    }
};

TEST_F(SecretsTest, ATextStandsForItself) {
    EXPECT_EQ(read("supersecretkey"), "supersecretkey");
    EXPECT_EQ(read(""), "");
    EXPECT_EQ(read("plain:env:prod"), "env:prod");
}

TEST_F(SecretsTest, AVariableIsReadEachTime) {
    EXPECT_EQ(read("env:RECEIVER_KEY"), "from outside");
    environment["RECEIVER_KEY"] = "changed";
    EXPECT_EQ(read("env:RECEIVER_KEY"), "changed");
    const auto missing = read("env:NOT_THERE");
    ASSERT_FALSE(missing);
    EXPECT_THAT(missing.error().message, HasSubstr("'NOT_THERE' not found"));
}

TEST_F(SecretsTest, VariablesThatAreNotAllowedAreNotRead) {
    EXPECT_FALSE(read("env:HERALD_API_TOKEN"));
    EXPECT_FALSE(Secrets(sources).variable("HERALD_API_TOKEN"));
    sources.variables = {"WEBHOOK_*"};
    const auto other = read("env:RECEIVER_KEY");
    ASSERT_FALSE(other);
    EXPECT_THAT(other.error().message, HasSubstr("secrets.environment"));
    environment["WEBHOOK_KEY"] = "allowed";
    EXPECT_EQ(read("env:WEBHOOK_KEY"), "allowed");
}

TEST_F(SecretsTest, AFileIsReadEachTimeWithoutItsLineEnd) {
    EXPECT_EQ(read_file("allowed/key"), "from a file");
    write("allowed/key", "changed\r\n\n");
    EXPECT_EQ(read_file("allowed/key"), "changed");
    write("allowed/key", " two\nlines ");
    EXPECT_EQ(read_file("allowed/key"), " two\nlines ");
    write("allowed/key", std::string(limits::secret_file_bytes, 'x'));
    EXPECT_EQ(read_file("allowed/key")->size(), limits::secret_file_bytes);
}

TEST_F(SecretsTest, FilesElsewhereAreNotRead) {
    const std::string why = "secrets.directories";
    refuses_file("other", why);
    refuses_file("allowed/../other", why);
    refuses_file("not there", why);
    refuses_file("allowed/../not there", why);
    fs::create_symlink(dir.path() / "other", dir.path() / "allowed" / "link");
    refuses_file("allowed/link", why);
    write("allowed but not", "a name that begins alike");
    refuses_file("allowed but not", why);
    sources.directories.clear();
    refuses_file("allowed/key", why);
}

TEST_F(SecretsTest, ALinkWithinTheFolderIsFollowed) {
    // As Kubernetes mounts secrets: key -> ..data/key.
    fs::create_directory(dir.path() / "allowed" / "data");
    write("allowed/data/key", "behind a link");
    fs::create_symlink("data/key", dir.path() / "allowed" / "link");
    EXPECT_EQ(read_file("allowed/link"), "behind a link");
    fs::create_directory_symlink(dir.path() / "allowed", dir.path() / "linked");
    sources.directories = {dir.path() / "linked"};
    EXPECT_EQ(read_file("linked/key"), "from a file") << "the folder itself may be a link";
}

TEST_F(SecretsTest, FilesOfHeraldItselfAreNotRead) {
    sources.hidden = {write("allowed/master", "seals everything")};
    refuses_file("allowed/master", "secrets.directories");
    fs::create_symlink("master", dir.path() / "allowed" / "link");
    refuses_file("allowed/link", "secrets.directories");
}

TEST_F(SecretsTest, WhatIsNoSmallFileIsRefused) {
    refuses_file("allowed/missing", "No such file");
    fs::create_directory(dir.path() / "allowed" / "folder");
    refuses_file("allowed/folder", "no regular file");
    ASSERT_EQ(::mkfifo((dir.path() / "allowed" / "pipe").c_str(), 0600), 0);
    refuses_file("allowed/pipe", "no regular file");
    write("allowed/empty", "\n");
    refuses_file("allowed/empty", "is empty");
    write("allowed/large", std::string(limits::secret_file_bytes + 1, 'x'));
    refuses_file("allowed/large", "longer than 65536 bytes");
}

}  // namespace
}  // namespace herald
