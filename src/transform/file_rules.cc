#include "transform/file_rules.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <string_view>

namespace herald {

namespace {

// What headers older than the kernel do not know.
constexpr std::uint64_t right_truncate = 1U << 14;     // version 3
constexpr std::uint64_t right_ioctl = 1U << 15;        // version 5
constexpr std::uint64_t net_bind_and_connect = 3;      // version 4
constexpr std::uint64_t scope_sockets_and_signals = 3;  // version 6

struct Handled {
    std::uint64_t files;
    std::uint64_t net;
    std::uint64_t scoped;
};

constexpr std::uint64_t rights_to_read = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr std::uint64_t rights_to_run = rights_to_read | LANDLOCK_ACCESS_FS_EXECUTE;
constexpr std::uint64_t rights_to_write =
    rights_to_read | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
    LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
    LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_REFER | right_truncate;
constexpr std::uint64_t rights_of_devices =
    LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE;
constexpr std::uint64_t rights_of_files = LANDLOCK_ACCESS_FS_EXECUTE |
                                          LANDLOCK_ACCESS_FS_READ_FILE |
                                          LANDLOCK_ACCESS_FS_WRITE_FILE | right_truncate;

constexpr auto programs =
    std::to_array<std::string_view>({"/usr", "/lib", "/lib32", "/lib64", "/bin"});
/// Not all of /etc: herald's configuration and other people's keys are there.
constexpr auto system_files = std::to_array<std::string_view>({"/etc/ld.so.cache",
                                                               "/etc/ld.so.preload",
                                                               "/etc/localtime",
                                                               "/etc/timezone",
                                                               "/etc/mime.types",
                                                               "/etc/passwd",
                                                               "/etc/group",
                                                               "/etc/nsswitch.conf",
                                                               "/etc/ssl/certs",
                                                               "/etc/ssl/openssl.cnf",
                                                               "/etc/pki/tls/certs",
                                                               "/etc/alternatives",
                                                               "/etc/python3",
                                                               "/etc/python3.9",
                                                               "/etc/python3.10",
                                                               "/etc/python3.11",
                                                               "/etc/python3.12",
                                                               "/etc/python3.13",
                                                               "/dev/urandom",
                                                               "/dev/random",
                                                               "/dev/zero",
                                                               "/proc/cpuinfo",
                                                               "/proc/meminfo",
                                                               "/proc/stat",
                                                               "/proc/sys/vm/overcommit_memory",
                                                               "/sys/devices/system/cpu/online",
                                                               "/sys/devices/system/cpu/possible"});
constexpr auto network_files = std::to_array<std::string_view>(
    {"/etc/resolv.conf", "/etc/hosts", "/etc/host.conf", "/etc/gai.conf", "/etc/services",
     "/etc/protocols", "/etc/networks"});

std::uint64_t rights_known_to(int version) {
    std::uint64_t rights = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;
    if (version >= 2) rights |= LANDLOCK_ACCESS_FS_REFER;
    if (version >= 3) rights |= right_truncate;
    if (version >= 5) rights |= right_ioctl;
    return rights;
}

std::size_t size_known_to(int version) {
    if (version >= 6) return sizeof(Handled);
    return version >= 4 ? offsetof(Handled, scoped) : offsetof(Handled, net);
}

/// Async-signal-safe. A path that is not there needs no rule.
void add_rule(int rules, const char* path, std::uint64_t rights) noexcept {
    const int file = ::open(path, O_PATH | O_CLOEXEC);
    if (file < 0) return;
    struct stat facts{};
    if (::fstat(file, &facts) == 0) {
        if (!S_ISDIR(facts.st_mode)) rights &= rights_of_files;
        const landlock_path_beneath_attr rule{.allowed_access = rights, .parent_fd = file};
        ::syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    }
    ::close(file);
}

}  // namespace

int landlock_version() {
    const auto version =
        ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
    return version < 0 ? 0 : static_cast<int>(version);
}

FileRules::FileRules(const std::filesystem::path& program,
                     const std::vector<std::filesystem::path>& readable, bool network)
    : version_(landlock_version()) {
    if (version_ == 0) return;
    handled_ = rights_known_to(version_);
    const Handled handled{.files = handled_,
                          .net = network ? 0 : net_bind_and_connect,
                          .scoped = scope_sockets_and_signals};
    rules_ = Descriptor(static_cast<int>(
        ::syscall(SYS_landlock_create_ruleset, &handled, size_known_to(version_), 0)));
    if (!rules_.open()) return;
    for (const auto path : programs) allow(path, rights_to_run);
    for (const auto path : system_files) allow(path, rights_to_read);
    if (network) {
        for (const auto path : network_files) allow(path, rights_to_read);
    }
    allow("/dev/null", rights_of_devices);
    allow(program, rights_to_run);
    for (const auto& path : readable) allow(path, rights_to_read);
}

void FileRules::allow(const std::filesystem::path& path, std::uint64_t rights) const {
    add_rule(rules_.number(), path.c_str(), rights & handled_);
}

bool FileRules::enforce() const noexcept {
    if (!rules_.open()) return false;
    // Its own folder and its own side of /proc are known in the child only.
    add_rule(rules_.number(), ".", rights_to_write & handled_);
    add_rule(rules_.number(), "/proc/self", rights_to_read & handled_);
    return ::syscall(SYS_landlock_restrict_self, rules_.number(), 0) == 0;
}

}  // namespace herald
