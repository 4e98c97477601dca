#include "transform/host_failure.h"

#include <sys/wait.h>

#include <csignal>
#include <cstring>

#include "base/json.h"
#include "base/time.h"

namespace herald {

namespace {

/// Code that gets no more memory ends in a crash more often than at the very limit.
constexpr double nearly_all = 0.8;

std::string signal_text(int number) {
    const char* name = ::sigdescr_np(number);
    std::string text = "signal " + std::to_string(number);
    if (name != nullptr) text += " (" + std::string(name) + ')';
    return text;
}

std::string bytes_text(std::uint64_t bytes) {
    constexpr std::uint64_t mega = std::uint64_t{1} << 20;
    if (bytes >= mega && bytes % mega == 0) return std::to_string(bytes / mega) + " MiB";
    return std::to_string(bytes) + " bytes";
}

std::string exit_text(const HostEnd& end) {
    if (WIFSIGNALED(end.status)) return "was ended by " + signal_text(WTERMSIG(end.status));
    return "ended with exit status " + std::to_string(WEXITSTATUS(end.status));
}

}  // namespace

std::string failure_json(bool load, std::string_view message) {
    std::string text = R"({"class":")";
    text += load ? "CONFIG" : "TRANSFORM";
    text += R"(","message":)";
    append_json_string(text, message);
    text += R"(,"line":null,"column":null,"traceback":null})";
    return text;
}

HostFault fault_of(const HostEnd& end, const HostLimits& limits) {
    if (end.left) return HostFault::protocol;
    if (!WIFSIGNALED(end.status)) return HostFault::exit;
    const int signal = WTERMSIG(end.status);
    if (signal == SIGXCPU) return HostFault::cpu;
    const auto most = static_cast<double>(limits.memory_bytes) * nearly_all;
    const bool full = limits.memory_bytes > 0 && static_cast<double>(end.peak_bytes) >= most;
    // Nobody but the kernel that is out of memory ends it so.
    if (signal == SIGKILL || full) return HostFault::memory;
    return HostFault::crash;
}

std::string fault_message(HostFault fault, const HostEnd& end, const HostLimits& limits) {
    switch (fault) {
        case HostFault::code: return "the code failed";
        case HostFault::hang:
            return "took longer than " + duration_text(limits.timeout) + " and was ended";
        case HostFault::crash: return "its process " + exit_text(end);
        case HostFault::exit:
            return "the code ended its process (exit status " +
                   std::to_string(WEXITSTATUS(end.status)) + ')';
        case HostFault::memory:
            return limits.memory_bytes > 0
                       ? "its process was out of memory (limit " + bytes_text(limits.memory_bytes) +
                             ") and " + exit_text(end)
                       : "the system was out of memory and ended its process";
        case HostFault::cpu:
            return "used more than " + std::to_string(limits.cpu_seconds) +
                   " s of CPU time and was ended";
        case HostFault::output:
            return "its result is longer than " + bytes_text(limits.output_bytes);
        case HostFault::protocol:
            return "its process does not answer as herald expects: the code must leave file "
                   "descriptor 3 alone";
        case HostFault::start: return "its process cannot be started";
        case HostFault::busy: return "too many events wait for this transformation; try later";
        case HostFault::stopped: return "herald stops";
    }
    return {};
}

}  // namespace herald
