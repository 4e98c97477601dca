#pragma once

namespace herald {

/// The host of jq programs: serves the frames (transform/frame.h) on the socket `fd` until it is
/// closed, with libjq. The program sees `$secrets`, and `import "herald" as h;`
/// (assets/herald.jq). It has to make exactly one value. For a process of its own: needs the
/// working folder to write the module to. Returns the exit code.
int run_jq_host(int fd);

}  // namespace herald
