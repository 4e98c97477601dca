#pragma once

#include <linux/filter.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace herald {

/// A filter of system calls (seccomp): no other process is made, traced or signalled, nothing is
/// mounted, no limit is raised, and without the network no socket is opened. What it refuses fails
/// with EPERM, so that the code sees an error it can report. It is built before a fork; install()
/// may be called after it, where only async-signal-safe calls may be made.
class CallFilter {
public:
    explicit CallFilter(bool network);

    /// Puts the calling process, which has one thread, under the filter. False: the system has no
    /// filters.
    [[nodiscard]] bool install() noexcept;

private:
    void load(std::size_t offset);
    void jump(std::uint16_t code, std::uint32_t value, std::uint8_t yes, std::uint8_t no);
    void give(std::uint32_t answer);
    void refuse(int call, int error);
    /// `call` passes when its argument is `value` (0 as a placeholder for the own pid).
    void pass_only(int call, unsigned argument, std::vector<std::uint32_t> values);
    void pass_own_pid(int call);
    void refuse_when_given(int call, unsigned argument);
    void special_calls(bool network);

    std::vector<sock_filter> code_;
    std::vector<std::size_t> own_pid_;  ///< instructions that compare with it
};

}  // namespace herald
