#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "transform/descriptor.h"

namespace herald {

/// The version of Landlock that the kernel has; 0: none.
[[nodiscard]] int landlock_version();

/// What a child may open (Landlock): the system's libraries and Python, its program, what it was
/// given to read, and its own folder, the only one it may write to. Everything else is refused, so
/// herald's data needs no rule. Built before a fork; enforce() may be called after it, where only
/// async-signal-safe calls may be made.
class FileRules {
public:
    FileRules(const std::filesystem::path& program,
              const std::vector<std::filesystem::path>& readable, bool network);

    /// Puts the calling process, which stands in its own folder, under the rules. False: the kernel
    /// has no Landlock.
    [[nodiscard]] bool enforce() const noexcept;

private:
    void allow(const std::filesystem::path& path, std::uint64_t rights) const;

    int version_ = 0;
    std::uint64_t handled_ = 0;
    Descriptor rules_;
};

}  // namespace herald
