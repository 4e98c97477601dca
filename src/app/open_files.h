#pragma once

namespace herald {

/// Lets the process open as many files as the system allows it: the usual soft limit, 1,024, is for
/// programs that call select(), and each connection takes one. Failing is no reason not to serve.
void raise_open_files();

}  // namespace herald
