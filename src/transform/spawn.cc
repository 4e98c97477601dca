#include "transform/spawn.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>

namespace herald {

namespace {

constexpr int host_socket = 3;
constexpr int first_free = 10;  ///< beyond the numbers that the child gives away
constexpr unsigned close_on_exec = 1U << 2;  ///< of close_range()

/// Of a folder's name; the number of herald's process follows.
constexpr std::string_view folder_prefix = "herald-host-";

/// What the child says before its program runs: nothing more comes when it does.
struct Word {
    SandboxReport sandbox;
    int error = 0;
    char step[32] = {};
};

/// All that the child needs, ready before the fork.
struct Launch {
    Sandbox sandbox;
    std::vector<char*> arguments;
    std::vector<char*> environment;
    int socket;
    int null;
    int word;
    int open_most;  ///< no descriptor is beyond it
    pid_t parent;
};

Error system_error(const std::string& what, int error) {
    return {Errc::unavailable, what + ": " + std::strerror(error), {}};
}

/// A duplicate that lies beyond what the child gives away.
Descriptor move_up(Descriptor file) {
    return Descriptor(::fcntl(file.number(), F_DUPFD_CLOEXEC, first_free));
}

Result<std::filesystem::path> find_program(const std::string& name) {
    if (name.contains('/')) return std::filesystem::path(name);
    for (const char* folder : {"/usr/local/bin", "/usr/bin", "/bin"}) {
        auto path = std::filesystem::path(folder) / name;
        if (::access(path.c_str(), X_OK) == 0) return path;
    }
    return fail(Errc::unavailable,
                name + " is not installed: it is in none of /usr/local/bin, /usr/bin, /bin");
}

Result<std::filesystem::path> make_folder() {
    std::error_code error;
    const auto parent = std::filesystem::temp_directory_path(error);
    if (error) return fail(Errc::unavailable, "the folder for temporary files is missing");
    const std::string own = std::string(folder_prefix) + std::to_string(::getpid()) + "-XXXXXX";
    std::string name = (parent / own).string();
    if (::mkdtemp(name.data()) == nullptr) return fail(system_error(name, errno));
    return std::filesystem::path(name);
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> all;
    all.reserve(texts.size() + 1);
    for (std::string& text : texts) all.push_back(text.data());
    all.push_back(nullptr);
    return all;
}

// --- In the child: async-signal-safe calls only -------------------------------------------------

void close_all_on_exec(int most) noexcept {
    const int first = host_socket + 1;
    if (::syscall(SYS_close_range, first, ~0U, close_on_exec) == 0) return;
    for (int file = first; file < most; ++file) ::fcntl(file, F_SETFD, FD_CLOEXEC);
}

/// As a program expects them: none is blocked, ignored or handled by code of ours.
void reset_signals() noexcept {
    struct sigaction plain{};
    plain.sa_handler = SIG_DFL;
    for (int number = 1; number < NSIG; ++number) ::sigaction(number, &plain, nullptr);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

[[noreturn]] void give_up(int to, Word word, int error, const char* step) noexcept {
    word.error = error;
    std::strncpy(word.step, step, sizeof word.step - 1);
    [[maybe_unused]] const auto written = ::write(to, &word, sizeof word);
    ::_exit(127);
}

[[noreturn]] void become_host(Launch& launch) noexcept {
    reset_signals();
    Word word;
    for (int file = 0; file < host_socket; ++file) {
        if (::dup2(launch.null, file) < 0) give_up(launch.word, word, errno, "open /dev/null");
    }
    if (::dup2(launch.socket, host_socket) < 0) give_up(launch.word, word, errno, "keep fd 3");
    close_all_on_exec(launch.open_most);
    const auto entered = launch.sandbox.enter(launch.parent);
    if (entered.error != 0) give_up(launch.word, word, entered.error, entered.step);
    word.sandbox = entered.report;
    [[maybe_unused]] const auto written = ::write(launch.word, &word, sizeof word);
    ::execve(launch.arguments[0], launch.arguments.data(), launch.environment.data());
    give_up(launch.word, word, errno, "run its program");
}

// --- In herald ----------------------------------------------------------------------------------

/// With all signals blocked: a handler of ours must not run in the child.
pid_t fork_host(Launch& launch) {
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    const pid_t child = ::fork();
    if (child == 0) become_host(launch);
    const int error = errno;
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    errno = error;
    return child;
}

/// The child's last word; it comes when its program runs or the child has given up.
Word last_word(const Descriptor& from) {
    Word word{.error = ECHILD, .step = "start"};
    for (;;) {
        Word next;
        const auto size = ::read(from.number(), &next, sizeof next);
        if (size < 0 && errno == EINTR) continue;
        if (size != sizeof next) return word;
        word = next;
    }
}

struct Ends {
    Descriptor ours;
    Descriptor theirs;
};

Result<Ends> make_ends(bool socket) {
    int numbers[2];
    const int failed = socket ? ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, numbers)
                              : ::pipe2(numbers, O_CLOEXEC);
    if (failed != 0) return fail(system_error("the way to its process", errno));
    Ends ends{.ours = Descriptor(numbers[0]), .theirs = move_up(Descriptor(numbers[1]))};
    if (!ends.theirs.open()) return fail(system_error("the way to its process", errno));
    return ends;
}

int highest_descriptor() {
    rlimit open{};
    ::getrlimit(RLIMIT_NOFILE, &open);
    constexpr rlim_t reasonable = 1U << 20;
    return static_cast<int>(std::min(open.rlim_cur, reasonable));
}

/// `folder` is removed by the caller when this fails.
Result<SpawnedHost> spawn_in(const HostPlan& plan, const std::filesystem::path& folder) {
    if (plan.command.empty()) return fail(Errc::unavailable, "no program to run");
    const auto program = find_program(plan.command.front());
    if (!program) return fail(program.error());
    std::vector<std::string> arguments = plan.command;
    arguments.front() = program->string();
    std::vector<std::string> environment;
    environment.reserve(plan.environment.size());
    for (const auto& [name, value] : plan.environment) {
        environment.push_back(name);
        environment.back().append("=").append(value);
    }
    if (is_watched(*program)) {
        environment.emplace_back("ASAN_OPTIONS=disable_coredump=0:detect_leaks=0");
    }
    auto socket = make_ends(true);
    if (!socket) return fail(socket.error());
    auto word = make_ends(false);
    if (!word) return fail(word.error());
    const Descriptor null = move_up(Descriptor(::open("/dev/null", O_RDWR | O_CLOEXEC)));
    if (!null.open()) return fail(system_error("/dev/null", errno));

    Launch launch{.sandbox = Sandbox(plan.limits, plan.readable, *program, folder),
                  .arguments = pointers(arguments),
                  .environment = pointers(environment),
                  .socket = socket->theirs.number(),
                  .null = null.number(),
                  .word = word->theirs.number(),
                  .open_most = highest_descriptor(),
                  .parent = ::getpid()};
    const pid_t child = fork_host(launch);
    if (child < 0) return fail(system_error("a process for it", errno));
    word->theirs.close();
    const Word said = last_word(word->ours);
    if (said.error != 0) {
        ::kill(child, SIGKILL);
        ::waitpid(child, nullptr, 0);
        return fail(system_error(
            "its process cannot " + std::string(said.step) + " (" + program->string() + ")",
            said.error));
    }
    return SpawnedHost{
        .pid = child, .socket = std::move(socket->ours), .folder = folder, .sandbox = said.sandbox};
}

/// Whether the folder belongs to a herald that is no more.
bool is_left_over(const std::string& folder) {
    if (!folder.starts_with(folder_prefix)) return false;
    pid_t herald = 0;
    const char* end = folder.data() + folder.size();
    const auto [rest, error] = std::from_chars(folder.data() + folder_prefix.size(), end, herald);
    if (error != std::errc{} || rest == end || *rest != '-') return false;
    return herald > 0 && ::kill(herald, 0) != 0 && errno == ESRCH;
}

}  // namespace

void remove_left_folders() {
    std::error_code error;
    const auto parent = std::filesystem::temp_directory_path(error);
    std::vector<std::filesystem::path> left;
    for (std::filesystem::directory_iterator at(parent, error), end; at != end;
         at.increment(error)) {
        if (is_left_over(at->path().filename().string())) left.push_back(at->path());
    }
    for (const auto& folder : left) std::filesystem::remove_all(folder, error);
}

Result<SpawnedHost> spawn_host(const HostPlan& plan) {
    const auto folder = make_folder();
    if (!folder) return fail(folder.error());
    auto spawned = spawn_in(plan, *folder);
    if (!spawned) {
        std::error_code ignored;
        std::filesystem::remove_all(*folder, ignored);
    }
    return spawned;
}

}  // namespace herald
