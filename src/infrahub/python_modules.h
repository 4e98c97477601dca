#pragma once

#include <string_view>
#include <utility>
#include <vector>

namespace herald::infrahub {

/// The `modules` of a load object for Python, by their dotted names: what runs classes written for
/// Infrahub, and a stand-in for infrahub_sdk, taken where the real one is not installed.
[[nodiscard]] std::vector<std::pair<std::string_view, std::string_view>> python_modules();

}  // namespace herald::infrahub
