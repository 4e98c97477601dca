#pragma once

#include <array>
#include <string>
#include <string_view>

#include "transform/host_plan.h"
#include "transform/host_process.h"

namespace herald {

/// Why there is no answer from a host, or which answer it was. The word of the metric.
enum class HostFault {
    code,      ///< the host said that the code failed
    hang,      ///< longer than the time it may take
    crash,     ///< ended by a signal
    exit,      ///< the code ended its process
    memory,    ///< more than it may use, or the system had none
    cpu,       ///< more CPU time than it may use
    output,    ///< a longer answer than it may give
    protocol,  ///< it does not speak as a host does
    start,     ///< it cannot be started, or did not load its code
    busy,      ///< too many events wait
    stopped,   ///< herald stops
};

inline constexpr std::array<std::string_view, 11> host_fault_names{
    "code",   "hang",     "crash", "exit", "memory", "cpu",
    "output", "protocol", "start", "busy", "stopped"};

/// The payload of a failure that the pool states for a host: the object of FrameKind::failure.
/// `load`: the transformation cannot run at all (class CONFIG) and not just on this event.
[[nodiscard]] std::string failure_json(bool load, std::string_view message);

/// What the end of a child says about it, when the pool did not end it for a reason of its own.
[[nodiscard]] HostFault fault_of(const HostEnd& end, const HostLimits& limits);

/// One line for people: what happened, and which limit it was.
[[nodiscard]] std::string fault_message(HostFault fault, const HostEnd& end,
                                        const HostLimits& limits);

}  // namespace herald
