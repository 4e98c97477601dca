#include "infrahub/python_modules.h"

#include "infrahub/assets.h"

namespace herald::infrahub {

std::vector<std::pair<std::string_view, std::string_view>> python_modules() {
    return {
        {"herald_adapter", assets::python_herald_adapter_py},
        {"infrahub_sdk", assets::python_infrahub_sdk___init___py},
        {"infrahub_sdk.node", assets::python_infrahub_sdk_node_py},
        {"infrahub_sdk.transforms", assets::python_infrahub_sdk_transforms_py},
    };
}

}  // namespace herald::infrahub
