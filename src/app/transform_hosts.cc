#include "app/transform_hosts.h"

#include <filesystem>

#include "infrahub/python_modules.h"
#include "transform/python_host.h"

namespace herald {

HostCommand host_command(Runtime runtime, const std::string& python) {
    if (runtime != Runtime::jq) return {python_host_command(python), python_host_program()};
    // What runs now, even when the file was replaced by a newer version since.
    const auto program = std::filesystem::read_symlink("/proc/self/exe");
    return {{program.string(), std::string(jq_host_argument)}};
}

NamedTexts host_modules() {
    NamedTexts modules;
    for (const auto& [name, text] : infrahub::python_modules()) modules.emplace_back(name, text);
    return modules;
}

}  // namespace herald
