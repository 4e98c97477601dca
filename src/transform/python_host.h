#pragma once

#include <string>
#include <vector>

namespace herald {

/// How the host of the runtimes `python` and `jinja2` is started. It waits for a first frame `H`
/// with python_host_program(): so it needs no file that its sandbox would have to let it read.
[[nodiscard]] std::vector<std::string> python_host_command(const std::string& interpreter);

/// The payload of that frame: a JSON object of module texts.
[[nodiscard]] const std::string& python_host_program();

}  // namespace herald
