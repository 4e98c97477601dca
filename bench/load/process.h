#pragma once

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace herald::bench {

/// A child process with what it says in a file. Ended with its owner.
class Process {
public:
    Process(std::vector<std::string> command, const std::filesystem::path& log) : pid_(::fork()) {
        if (pid_ != 0) return;
        const int fd = ::open(log.c_str(), O_CREAT | O_WRONLY | O_TRUNC, 0600);
        ::dup2(fd, 1);
        ::dup2(fd, 2);
        std::vector<char*> words;
        words.reserve(command.size() + 1);
        for (std::string& word : command) words.push_back(word.data());
        words.push_back(nullptr);
        ::execvp(words[0], words.data());
        ::_exit(127);
    }
    /// This process, to be measured only.
    [[nodiscard]] static Process self() {
        Process process;
        process.pid_ = ::getpid();
        process.ours_ = false;
        return process;
    }
    Process(Process&& other) noexcept : pid_(std::exchange(other.pid_, 0)), ours_(other.ours_) {}
    ~Process() {
        if (ours_) end(SIGTERM);
    }

    void end(int signal) {
        if (pid_ <= 0) return;
        ::kill(pid_, signal);
        int status = 0;
        ::waitpid(pid_, &status, 0);
        pid_ = 0;
    }

    /// CPU of the process and its children (a worker of nginx is one), in microseconds.
    [[nodiscard]] double cpu() const {
        double ticks = cpu_of(pid_);
        std::ifstream children("/proc/" + std::to_string(pid_) + "/task/" + std::to_string(pid_) +
                               "/children");
        for (int child = 0; children >> child;) ticks += cpu_of(child);
        return ticks * 1e6 / static_cast<double>(::sysconf(_SC_CLK_TCK));
    }
    /// Kilobytes in memory: `field` is VmRSS (now) or VmHWM (at most so far).
    [[nodiscard]] long memory(const std::string& field) const {
        std::ifstream file("/proc/" + std::to_string(pid_) + "/status");
        for (std::string line; std::getline(file, line);) {
            if (line.starts_with(field)) return std::stol(line.substr(field.size() + 1));
        }
        return 0;
    }

private:
    static double cpu_of(int pid) {
        std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
        std::string text;
        std::getline(file, text);
        std::istringstream rest(text.substr(text.rfind(')') + 2));
        std::string skipped;
        for (int i = 0; i < 11; ++i) rest >> skipped;
        double user = 0;
        double system = 0;
        rest >> user >> system;
        return user + system;
    }

    Process() = default;

    pid_t pid_ = 0;
    bool ours_ = true;
};

/// What the file says behind `mark`, up to a quote, once it does.
[[nodiscard]] inline std::string wait_for(const std::filesystem::path& log,
                                          const std::string& mark) {
    for (int i = 0; i < 3'000; ++i) {
        std::ifstream file(log);
        const std::string text(std::istreambuf_iterator<char>(file), {});
        if (const std::size_t at = text.find(mark); at != std::string::npos) {
            const std::size_t begin = at + mark.size();
            return text.substr(begin, text.find_first_of("\"\n", begin) - begin);
        }
        std::this_thread::sleep_for(std::chrono::milliseconds{10});
    }
    std::fprintf(stderr, "nothing like %s in %s\n", mark.c_str(), log.c_str());
    std::exit(1);
}

}  // namespace herald::bench
