#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace herald {

/// One call of the program git.
struct GitCommand {
    std::vector<std::string> arguments;  ///< without "git"; never a secret: others can see them
    std::vector<std::pair<std::string, std::string>> environment;  ///< all of it
    std::chrono::milliseconds timeout{60'000};
    std::filesystem::path watched;  ///< a folder that the call fills; empty: none
    std::uint64_t watched_bytes = 0;  ///< the call ends when the folder has grown beyond
    const std::atomic<bool>* stopping = nullptr;  ///< the call ends soon after it becomes true
};

/// Runs git without a shell and gives back what it wrote to its standard output. Blocks. The error
/// is git's own last word in one short line. git and all that it started are ended on a timeout.
[[nodiscard]] Result<std::string> run_git(const GitCommand& command);

/// The sizes of the files in a folder and below, together.
[[nodiscard]] std::uint64_t folder_bytes(const std::filesystem::path& folder);

}  // namespace herald
