#include "transform/sandbox.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "base/sanitizers.h"

namespace herald {

namespace {

constexpr std::uint32_t bit(SandboxLayer layer) { return static_cast<std::uint32_t>(layer); }

constexpr std::array names{
    std::pair{SandboxLayer::limits, std::string_view("limits")},
    std::pair{SandboxLayer::no_new_privileges, std::string_view("no new privileges")},
    std::pair{SandboxLayer::no_capabilities, std::string_view("no capabilities")},
    std::pair{SandboxLayer::user_namespace, std::string_view("user namespace")},
    std::pair{SandboxLayer::network_namespace, std::string_view("network namespace")},
    std::pair{SandboxLayer::system_namespaces, std::string_view("IPC and UTS namespaces")},
    std::pair{SandboxLayer::own_file_system, std::string_view("own file system")},
    std::pair{SandboxLayer::files, std::string_view("file rules (Landlock)")},
    std::pair{SandboxLayer::calls, std::string_view("system call filter (seccomp)")},
};

/// Address space that is not memory: libraries, and what allocators reserve ahead.
constexpr std::uint64_t reserved_bytes = std::uint64_t{2} << 30;

void write_file(const char* path, std::string_view text) noexcept {
    const int file = ::open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0) return;
    // What it is for is missing in the report when this fails.
    [[maybe_unused]] const auto written = ::write(file, text.data(), text.size());
    ::close(file);
}

bool drop_capabilities() noexcept {
    for (unsigned long capability = 0; capability < 64; ++capability) {
        // Fails at the first that this kernel does not know, or when there are none to drop.
        if (::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0) break;
    }
    ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    __user_cap_header_struct head{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    __user_cap_data_struct none[2]{};
    return ::syscall(SYS_capset, &head, none) == 0;
}

}  // namespace

std::vector<std::pair<std::string_view, bool>> SandboxReport::by_name() const {
    std::vector<std::pair<std::string_view, bool>> all;
    all.reserve(names.size());
    for (const auto& [layer, name] : names) all.emplace_back(name, has(layer));
    return all;
}

bool is_watched(const std::filesystem::path& program) {
    std::error_code error;
    return (watches_addresses || watches_threads) &&
           std::filesystem::equivalent(program, "/proc/self/exe", error);
}

Sandbox::Sandbox(const HostLimits& limits, const std::vector<std::filesystem::path>& readable,
                 const std::filesystem::path& program, std::filesystem::path folder)
    : folder_(std::move(folder)),
      folder_options_("mode=0700,size=" + std::to_string(limits::host_file_bytes) +
                      ",nr_inodes=" + std::to_string(limits::host_files)),
      user_map_(std::to_string(::geteuid()) + ' ' + std::to_string(::geteuid()) + " 1\n"),
      group_map_(std::to_string(::getegid()) + ' ' + std::to_string(::getegid()) + " 1\n"),
      network_(limits.network),
      files_(program, readable, limits.network),
      calls_(limits.network) {
    if (limits.memory_bytes > 0 && !is_watched(program)) {
        limit(RLIMIT_DATA, limits.memory_bytes, limits.memory_bytes);
        // RLIMIT_DATA does not count memory that is mapped as shared.
        const std::uint64_t space = limits.memory_bytes + reserved_bytes;
        limit(RLIMIT_AS, space, space);
    }
    // The pool raises it from one transformation to the next, which only the soft one allows.
    if (limits.cpu_seconds > 0) limit(RLIMIT_CPU, limits.cpu_seconds, RLIM_INFINITY);
    limit(RLIMIT_CORE, 0, 0);
    limit(RLIMIT_FSIZE, limits::host_file_bytes, limits::host_file_bytes);
    limit(RLIMIT_NOFILE, limits::host_descriptors, limits::host_descriptors);
    limit(RLIMIT_MEMLOCK, 0, 0);
    limit(RLIMIT_MSGQUEUE, 0, 0);
    // Counted for the user as a whole, unless it has a namespace of its own: see set_limits().
    limit(RLIMIT_NPROC, limits::host_threads, limits::host_threads);
}

void Sandbox::limit(__rlimit_resource resource, std::uint64_t most, std::uint64_t hard) {
    rlimit now{};
    ::getrlimit(resource, &now);
    const rlim_t ceiling = std::min<rlim_t>(hard, now.rlim_max);
    const rlimit value{.rlim_cur = std::min<rlim_t>(most, ceiling), .rlim_max = ceiling};
    limits_.push_back({.resource = resource, .value = value});
}

std::uint32_t Sandbox::enter_namespaces() const noexcept {
    const int network = network_ ? 0 : CLONE_NEWNET;
    const int rest = CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | network;
    std::uint32_t entered = 0;
    if (::unshare(CLONE_NEWUSER | rest) == 0) {
        write_file("/proc/self/setgroups", "deny");
        write_file("/proc/self/uid_map", user_map_);
        write_file("/proc/self/gid_map", group_map_);
        entered |= bit(SandboxLayer::user_namespace);
    } else if (::unshare(rest) != 0) {
        return 0;
    }
    entered |= bit(SandboxLayer::system_namespaces);
    if (!network_) entered |= bit(SandboxLayer::network_namespace);
    if (own_folder()) entered |= bit(SandboxLayer::own_file_system);
    return entered;
}

bool Sandbox::own_folder() const noexcept {
    if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return false;
    // Where root's process owns its files, and there is no Landlock. Older kernels do not know it.
    mount_attr read_only{.attr_set = MOUNT_ATTR_RDONLY};
    ::mount_setattr(-1, "/", AT_RECURSIVE, &read_only, sizeof read_only);
    return ::mount("herald", folder_.c_str(), "tmpfs", MS_NOSUID | MS_NODEV,
                   folder_options_.c_str()) == 0;
}

bool Sandbox::set_limits(bool own_user_namespace) const noexcept {
    return std::ranges::all_of(limits_, [own_user_namespace](const Limit& limit) {
        if (limit.resource == RLIMIT_NPROC && !own_user_namespace) return true;
        return ::setrlimit(limit.resource, &limit.value) == 0;
    });
}

Sandbox::Entered Sandbox::enter(pid_t parent) noexcept {
    Entered entered;
    const auto failed = [&entered](const char* step) {
        entered.error = errno != 0 ? errno : EPERM;
        entered.step = step;
        return entered;
    };
    ::umask(S_IRWXG | S_IRWXO);
    ::setsid();
    // When memory runs out the kernel ends a host, not herald.
    write_file("/proc/self/oom_score_adj", "1000");
    std::uint32_t layers = enter_namespaces();
    if (::chdir(folder_.c_str()) != 0) return failed("enter its folder");
    const bool own_users = (layers & bit(SandboxLayer::user_namespace)) != 0;
    if (!set_limits(own_users)) return failed("set its limits");
    layers |= bit(SandboxLayer::limits);
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return failed("give up new privileges");
    layers |= bit(SandboxLayer::no_new_privileges);
    if (files_.enforce()) layers |= bit(SandboxLayer::files);
    if (!drop_capabilities()) return failed("drop its capabilities");
    layers |= bit(SandboxLayer::no_capabilities);
    // After the change of privileges, which would clear it. The parent may have died before.
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) return failed("follow its parent");
    if (::getppid() != parent) return failed("find its parent");
    if (calls_.install()) layers |= bit(SandboxLayer::calls);
    entered.report.layers = layers;
    return entered;
}

SandboxReport sandbox_support() {
    Sandbox sandbox(HostLimits{}, {}, "/proc/self/exe", std::filesystem::temp_directory_path());
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return {};
    const Descriptor read_end(ends[0]);
    Descriptor write_end(ends[1]);
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child == 0) {
        const auto entered = sandbox.enter(parent);
        const auto size = ::write(ends[1], &entered.report, sizeof entered.report);
        ::_exit(size > 0 ? 0 : 1);
    }
    write_end.close();
    if (child < 0) return {};
    SandboxReport report;
    if (::read(read_end.number(), &report, sizeof report) != sizeof report) report = {};
    ::waitpid(child, nullptr, 0);
    return report;
}

}  // namespace herald
