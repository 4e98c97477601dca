#pragma once

#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

namespace herald::test {

/// A checkout that a test's author works in, in the folder `path`.
class GitWork {
public:
    explicit GitWork(std::filesystem::path path) : path_(std::move(path)) {
        std::filesystem::create_directories(path_);
        git("init --quiet --initial-branch=main");
    }

    /// Runs git with these words; the shell takes them apart.
    void git(const std::string& words) const {
        const std::string command = "cd '" + path_.string() +
                                    "' && env GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 " +
                                    "git -c user.name=A -c user.email=a@example.com " + words +
                                    " >/dev/null 2>&1";
        const int status = std::system(command.c_str());
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) throw std::runtime_error(command);
    }

    void write(const std::string& file, const std::string& text) const {
        const std::filesystem::path path = path_ / file;
        std::filesystem::create_directories(path.parent_path());
        std::ofstream(path, std::ios::binary) << text;
    }

    void commit(const std::string& file, const std::string& text) const {
        write(file, text);
        git("add --all --force");
        git("commit --quiet -m x");
    }

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    [[nodiscard]] std::string url() const { return "file://" + path_.string(); }

private:
    std::filesystem::path path_;
};

/// All that is in a file.
inline std::string text_of(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace herald::test
