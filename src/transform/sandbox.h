#pragma once

#include <sys/resource.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "transform/call_filter.h"
#include "transform/file_rules.h"
#include "transform/host_plan.h"

namespace herald {

/// One of the walls around a host.
enum class SandboxLayer : std::uint32_t {
    limits = 1U << 0,              ///< memory, CPU time, file sizes, descriptors
    no_new_privileges = 1U << 1,   ///< no set-user-id program lends it anything
    no_capabilities = 1U << 2,     ///< nothing of root's is left, also where herald runs as root
    user_namespace = 1U << 3,      ///< its privileges mean nothing outside
    network_namespace = 1U << 4,   ///< no network device
    system_namespaces = 1U << 5,   ///< shared memory and names of its own
    own_file_system = 1U << 6,     ///< its folder is in memory and bounded, the rest read-only
    files = 1U << 7,               ///< Landlock: reads what it needs, writes its folder only
    calls = 1U << 8,               ///< a filter of system calls: no processes, no sockets
};

/// Which walls are in force.
struct SandboxReport {
    std::uint32_t layers = 0;

    [[nodiscard]] bool has(SandboxLayer layer) const {
        return (layers & static_cast<std::uint32_t>(layer)) != 0;
    }
    /// Every wall by name and whether it is in force, for people.
    [[nodiscard]] std::vector<std::pair<std::string_view, bool>> by_name() const;
};

/// What this system gives to a host without the network. Forks a child that tries, and blocks until
/// it has ended.
[[nodiscard]] SandboxReport sandbox_support();

/// Whether the program is a herald that a sanitizer watches: it needs terabytes of address space,
/// and calls that hosts may not make unless its options say otherwise.
[[nodiscard]] bool is_watched(const std::filesystem::path& program);

/// What a child does to itself between fork and exec. It is built before the fork, since after the
/// fork of a process with threads only async-signal-safe calls are allowed. What the system refuses
/// is left out and missing in the report, except for the limits, privileges and the folder.
class Sandbox {
public:
    /// `folder` becomes the child's working folder; `program` is what it will run.
    Sandbox(const HostLimits& limits, const std::vector<std::filesystem::path>& readable,
            const std::filesystem::path& program, std::filesystem::path folder);

    struct Entered {
        SandboxReport report;
        int error = 0;  ///< not 0: an errno; the child must not go on
        const char* step = "";  ///< what failed
    };
    /// `parent`: the process that ends it when it dies. Async-signal-safe.
    [[nodiscard]] Entered enter(pid_t parent) noexcept;

private:
    struct Limit {
        __rlimit_resource resource;
        rlimit value;
    };

    void limit(__rlimit_resource resource, std::uint64_t most, std::uint64_t hard);
    [[nodiscard]] std::uint32_t enter_namespaces() const noexcept;
    [[nodiscard]] bool own_folder() const noexcept;
    [[nodiscard]] bool set_limits(bool own_user_namespace) const noexcept;

    std::filesystem::path folder_;
    std::string folder_options_;  ///< of the file system in memory
    std::string user_map_;
    std::string group_map_;
    bool network_;
    std::vector<Limit> limits_;
    FileRules files_;
    CallFilter calls_;
};

}  // namespace herald
