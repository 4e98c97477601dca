#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"
#include "transform/worktree.h"

namespace herald {

/// The entry of `python_transforms` with this name, of the `.infrahub.yml` (or `.infrahub.yaml`) in
/// a worktree's root (contract 6.3). What Infrahub does not need for a transformation is not
/// looked at. The error names the file, the line and the fix. A TransformFinder
/// (transform/worktree.h).
[[nodiscard]] Result<FoundTransform> find_python_transform(const std::filesystem::path& root,
                                                           const std::string& name);

}  // namespace herald
