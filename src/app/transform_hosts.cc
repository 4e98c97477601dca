#include "app/transform_hosts.h"

#include <filesystem>

#include "infrahub/assets.h"
#include "transform/assets.h"

namespace herald {

HostCommand host_command(Runtime runtime, const std::string& python) {
    if (runtime == Runtime::jq) {
        // What runs now, even when the file was replaced by a newer version since.
        const auto program = std::filesystem::read_symlink("/proc/self/exe");
        return {{program.string(), std::string(jq_host_argument)}};
    }
    // Isolated: no folder of herald's, no variable and no user's packages are looked at.
    return {{python, "-I", "-c", std::string(assets::bootstrap_py)}, assets::host_py};
}

NamedTexts host_modules() {
    return {{"herald_templates", std::string(assets::herald_templates_py)},
            {"infrahub_sdk", std::string(assets::infrahub_sdk_py)},
            {"infrahub_sdk.transforms", std::string(assets::infrahub_sdk_transforms_py)}};
}

}  // namespace herald
