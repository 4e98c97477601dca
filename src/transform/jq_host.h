#pragma once

namespace herald {

/// The host of the runtime `jq`: reads frames from `fd` and answers them until it is closed, then
/// gives the status to exit with. Its modules are written to the working folder, since jq reads
/// them from files only. Meant to be all that its process does: it has SIGALRM for itself.
[[nodiscard]] int run_jq_host(int fd);

}  // namespace herald
