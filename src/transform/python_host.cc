#include "transform/python_host.h"

#include <array>
#include <string_view>
#include <utility>

#include "base/json.h"
#include "transform/assets.h"

namespace herald {

std::vector<std::string> python_host_command(const std::string& interpreter) {
    // -I: nothing of the environment or the working folder, -B: writes no caches.
    return {interpreter, "-I", "-B", "-X", "utf8", "-c", std::string(assets::python_bootstrap_py)};
}

const std::string& python_host_program() {
    static const std::string program = [] {
        const auto modules = std::to_array<std::pair<std::string_view, std::string_view>>({
            {"herald_modules", assets::python_herald_modules_py},
            {"herald_host", assets::python_herald_host_py},
            {"herald_failures", assets::python_herald_failures_py},
            {"herald_code", assets::python_herald_code_py},
            {"herald_templates", assets::python_herald_templates_py},
            {"herald_filters", assets::python_herald_filters_py},
        });
        std::string out;
        for (const auto& [name, text] : modules) {
            out += out.empty() ? '{' : ',';
            append_json_string(out, name);
            out += ':';
            append_json_string(out, text);
        }
        return out + '}';
    }();
    return program;
}

}  // namespace herald
