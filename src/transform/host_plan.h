#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/limits.h"

namespace herald {

/// What a transformation's code may use. For a number 0 means: no limit.
struct HostLimits {
    std::chrono::milliseconds timeout = limits::transform_timeout;  ///< of one transformation
    std::uint64_t memory_bytes = limits::host_memory_bytes;
    std::uint32_t cpu_seconds = limits::host_cpu_seconds;  ///< of one transformation
    std::size_t output_bytes = limits::event_bytes;        ///< of one answer
    bool network = false;
};

/// What one host is started with, and for which transformation it works.
struct HostPlan {
    /// The program and its arguments. A program without "/" is looked up in /usr/local/bin,
    /// /usr/bin and /bin.
    std::vector<std::string> command;
    /// Sent as the frame `host` ahead of `load` when not empty. Borrowed: text of the program.
    std::string_view program;
    std::string load;  ///< the JSON object of the frame `load`
    std::vector<std::pair<std::string, std::string>> environment;  ///< all that it has
    /// Files and folders it may read besides the system's libraries, Python and its own folder.
    std::vector<std::filesystem::path> readable;
    HostLimits limits;
    std::string key;  ///< plans with equal keys are the same: they share children
};

}  // namespace herald
