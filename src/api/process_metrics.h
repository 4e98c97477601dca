#pragma once

#include <string>

namespace herald {

/// What Prometheus' own client libraries say about a process: CPU time, memory, open files, start
/// time. Read from /proc; what cannot be read is left out.
void append_process_metrics(std::string& out);

}  // namespace herald
