#pragma once

#include <sys/types.h>

#include <filesystem>

#include "base/result.h"
#include "transform/descriptor.h"
#include "transform/host_plan.h"
#include "transform/sandbox.h"

namespace herald {

struct SpawnedHost {
    pid_t pid = 0;  ///< 0: there is none
    Descriptor socket;  ///< herald's end
    std::filesystem::path folder;
    SandboxReport sandbox;
};

/// Starts the plan's program in its sandbox, in a session, a process group and a folder of its own,
/// with nothing of herald's open but the socket as descriptor 3. Blocks until the program runs. The
/// Error says why it cannot. The kernel ends the child when the calling thread ends.
[[nodiscard]] Result<SpawnedHost> spawn_host(const HostPlan& plan);

/// Removes the folders of hosts whose herald was killed. Blocks.
void remove_left_folders();

}  // namespace herald
