#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "base/result.h"

namespace herald {

/// The files of one commit of a repository. Not to be written to.
struct Worktree {
    std::filesystem::path root;
    std::string commit;
    std::string branch;

    bool operator==(const Worktree&) const = default;
};

/// A file of the worktree by its path in the repository, to be opened. Refused: what is not below
/// the root (an absolute path, "..", a link that leads out), what is no regular file, and what is
/// larger than code is (limits::source_file_bytes). Links within the worktree are followed: the
/// path given back has none.
[[nodiscard]] Result<std::filesystem::path> file_in(const Worktree& worktree,
                                                    const std::string& path);

/// An entry of a repository's own list of transformations.
struct FoundTransform {
    std::string file;  ///< path in the repository: goes through file_in() before it is opened
    std::string class_name;
    bool convert_query_response = false;

    bool operator==(const FoundTransform&) const = default;
};

/// Looks a name up in the list that a repository keeps in the folder `root`. Reads files: keep the
/// answer for the commit.
using TransformFinder = std::function<Result<FoundTransform>(const std::filesystem::path& root,
                                                             const std::string& name)>;

}  // namespace herald
