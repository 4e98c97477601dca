#include "transform/git_command.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>
#include <string_view>

#include "core/limits.h"

namespace herald {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// How long git has to remove its lock files once it is asked to end.
constexpr auto grace = std::chrono::seconds{2};
constexpr auto look_every = milliseconds{50};
constexpr auto weigh_every = milliseconds{500};
constexpr std::size_t said_bytes = 8'192;  ///< kept of the standard error
constexpr std::size_t reason_bytes = 400;

/// One end of a pipe.
class Descriptor {
public:
    explicit Descriptor(int fd = -1) : fd_(fd) {}
    ~Descriptor() { reset(); }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;

    void reset(int fd = -1) {
        if (fd_ >= 0) ::close(fd_);
        fd_ = fd;
    }
    [[nodiscard]] int get() const { return fd_; }
    [[nodiscard]] bool open() const { return fd_ >= 0; }

private:
    int fd_;
};

struct Pipe {
    Descriptor ours;
    Descriptor theirs;

    [[nodiscard]] bool make() {
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC) != 0) return false;
        ours.reset(ends[0]);
        theirs.reset(ends[1]);
        return ::fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0;
    }
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> list;
    list.reserve(texts.size() + 1);
    for (std::string& text : texts) list.push_back(text.data());
    list.push_back(nullptr);
    return list;
}

/// git, in a session of its own: nothing it starts finds a terminal to ask for a password.
class Child {
public:
    Child() = default;
    ~Child() { end(); }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    /// Gives back the system's error number; 0: it runs.
    [[nodiscard]] int start(const GitCommand& command, const Pipe& out, const Pipe& said) {
        std::vector<std::string> words{"git"};
        words.insert(words.end(), command.arguments.begin(), command.arguments.end());
        std::vector<std::string> variables;
        variables.reserve(command.environment.size());
        for (const auto& [name, value] : command.environment) {
            variables.push_back(name);
            variables.back().append("=").append(value);
        }
        posix_spawn_file_actions_t files;
        posix_spawn_file_actions_init(&files);
        posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
        posix_spawn_file_actions_adddup2(&files, out.theirs.get(), 1);
        posix_spawn_file_actions_adddup2(&files, said.theirs.get(), 2);
        posix_spawn_file_actions_addclosefrom_np(&files, 3);
        posix_spawnattr_t how;
        posix_spawnattr_init(&how);
        sigset_t none;
        sigemptyset(&none);
        sigset_t all;
        sigfillset(&all);
        posix_spawnattr_setsigmask(&how, &none);
        posix_spawnattr_setsigdefault(&how, &all);
        posix_spawnattr_setflags(
            &how, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
        pid_t pid = 0;
        const int failed = ::posix_spawnp(&pid, "git", &files, &how, pointers(words).data(),
                                          pointers(variables).data());
        posix_spawnattr_destroy(&how);
        posix_spawn_file_actions_destroy(&files);
        if (failed == 0) pid_ = pid;
        return failed;
    }

    /// Whether it has ended by itself. It stays a zombie, so that its number is not given away.
    [[nodiscard]] bool ended() const {
        siginfo_t info{};
        const int answer =
            ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT);
        return answer != 0 || info.si_pid == pid_;
    }

    void ask_to_end() const { ::kill(-pid_, SIGTERM); }

    /// Ends the whole group, reaps it, and gives back the status as waitpid() does.
    int end() {
        if (pid_ <= 0) return status_;
        ::kill(-pid_, SIGKILL);
        while (::waitpid(pid_, &status_, 0) < 0 && errno == EINTR) {
        }
        pid_ = -1;
        return status_;
    }

private:
    pid_t pid_ = -1;
    int status_ = -1;
};

/// Reads what there is; at the end the descriptor is closed.
void drain(Descriptor& from, std::string& into) {
    std::array<char, 65'536> buffer{};
    while (from.open() && into.size() <= limits::git_answer_bytes) {
        const ssize_t got = ::read(from.get(), buffer.data(), buffer.size());
        if (got > 0) {
            into.append(buffer.data(), static_cast<std::size_t>(got));
            continue;
        }
        if (got < 0 && errno == EINTR) continue;
        if (got == 0 || errno != EAGAIN) from.reset();
        return;
    }
}

void keep_end(std::string& text, std::size_t bytes) {
    if (text.size() > bytes) text.erase(0, text.size() - bytes);
}

/// What git says when ssh has already said why.
constexpr std::string_view says_nothing = "fatal: Could not read from remote repository.";

/// The line that says why: the first with "fatal:" or "error:", else the last one.
std::string reason(std::string_view said) {
    std::string_view best;
    bool sure = false;
    while (!said.empty()) {
        const std::size_t end = std::min(said.find_first_of("\r\n"), said.size());
        const std::string_view line = said.substr(0, end);
        said.remove_prefix(std::min(end + 1, said.size()));
        if (line.empty() || sure) continue;
        if (line == says_nothing && !best.empty()) break;
        best = line;
        sure = line.starts_with("fatal: ") || line.starts_with("error: ");
    }
    for (const std::string_view word : {"fatal: ", "error: "}) {
        if (best.starts_with(word)) best.remove_prefix(word.size());
    }
    std::string text(best.substr(0, reason_bytes));
    for (char& c : text) {
        if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = ' ';
    }
    return text;
}

/// A running call: what it wrote, and why it has to end.
class Call {
public:
    explicit Call(const GitCommand& command)
        : command_(command), until_(steady_clock::now() + command.timeout) {}

    Result<std::string> run() {
        if (!out_.make() || !said_.make()) {
            return fail(Errc::unavailable, "git cannot be started: no file descriptors are left");
        }
        if (const int failed = child_.start(command_, out_, said_); failed != 0) {
            if (failed == ENOENT) {
                return fail(Errc::unavailable,
                            "the program git is not installed: install the package git");
            }
            return fail(Errc::unavailable,
                        std::string("git cannot be started: ") + std::strerror(failed));
        }
        out_.theirs.reset();
        said_.theirs.reset();
        while (!child_.ended()) {
            look();
            if (auto why = verdict()) return cut_off(std::move(*why));
        }
        drain(out_.ours, answer_);
        drain(said_.ours, said_text_);
        return result();
    }

private:
    void look() {
        std::array<pollfd, 2> wanted{{{out_.ours.get(), POLLIN, 0}, {said_.ours.get(), POLLIN, 0}}};
        // Both ends closed: it is about to end.
        const bool quiet = !out_.ours.open() && !said_.ours.open();
        ::poll(wanted.data(), wanted.size(), quiet ? 1 : static_cast<int>(look_every.count()));
        drain(out_.ours, answer_);
        drain(said_.ours, said_text_);
        keep_end(said_text_, said_bytes);
    }

    std::optional<Error> verdict() {
        const auto now = steady_clock::now();
        if (command_.stopping != nullptr && *command_.stopping) {
            return Error{Errc::unavailable, "herald is stopping"};
        }
        if (now >= until_) {
            const auto limit = std::to_string(command_.timeout.count());
            return Error{Errc::unavailable, "git did not end within " + limit + " ms"};
        }
        if (answer_.size() > limits::git_answer_bytes) {
            return Error{Errc::too_large, "it has too many files or branches"};
        }
        if (!command_.watched.empty() && now >= weigh_at_) {
            weigh_at_ = now + weigh_every;
            if (folder_bytes(command_.watched) > command_.watched_bytes) {
                const auto most = std::to_string(command_.watched_bytes >> 20);
                return Error{Errc::too_large, "it is larger than " + most + " MiB"};
            }
        }
        return std::nullopt;
    }

    std::unexpected<Error> cut_off(Error why) {
        child_.ask_to_end();
        const auto last = steady_clock::now() + grace;
        while (!child_.ended() && steady_clock::now() < last) look_away();
        child_.end();
        return fail(std::move(why));
    }

    /// Goes on reading, so that git does not wait for us, and forgets what it reads.
    void look_away() {
        look();
        answer_.clear();
    }

    Result<std::string> result() {
        const int status = child_.end();
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return std::move(answer_);
        std::string why = reason(said_text_);
        if (why.empty()) why = "git ended with the status " + std::to_string(status);
        return fail(Errc::unavailable, std::move(why));
    }

    const GitCommand& command_;
    steady_clock::time_point until_;
    steady_clock::time_point weigh_at_{};
    Pipe out_;
    Pipe said_;
    Child child_;
    std::string answer_;
    std::string said_text_;
};

}  // namespace

Result<std::string> run_git(const GitCommand& command) { return Call(command).run(); }

std::uint64_t folder_bytes(const std::filesystem::path& folder) {
    namespace fs = std::filesystem;
    std::uint64_t bytes = 0;
    std::error_code error;
    constexpr auto options = fs::directory_options::skip_permission_denied;
    fs::recursive_directory_iterator at(folder, options, error);
    // git renames and removes files meanwhile: what is gone weighs nothing.
    for (; !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
        std::error_code gone;
        if (at->is_symlink(gone) || !at->is_regular_file(gone)) continue;
        const std::uint64_t size = at->file_size(gone);
        if (!gone) bytes += size;
    }
    return bytes;
}

}  // namespace herald
