#pragma once

#include <string>

#include "transform/hosted_transform.h"

namespace herald {

/// How the hosts of transformations are started: jq in this program itself (`herald jq-host`),
/// Python and Jinja2 in the interpreter `python`.
[[nodiscard]] HostCommand host_command(Runtime runtime, const std::string& python);

/// The Python modules that hosts have for code whose own are not installed.
[[nodiscard]] NamedTexts host_modules();

/// The argument that makes this program a host of jq.
inline constexpr std::string_view jq_host_argument = "jq-host";

}  // namespace herald
