#include "transform/worktree.h"

#include <algorithm>

#include "core/limits.h"

namespace herald {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t longest_path = 1'024;
constexpr std::size_t shown_commit = 10;

std::string where(const Worktree& worktree) {
    return "branch " + worktree.branch + ", commit " + worktree.commit.substr(0, shown_commit);
}

bool leaves(const fs::path& path) {
    return path.is_absolute() || std::ranges::find(path, fs::path("..")) != path.end();
}

bool is_below(const fs::path& path, const fs::path& root) {
    return std::ranges::mismatch(path, root).in2 == root.end() && path != root;
}

}  // namespace

Result<fs::path> file_in(const Worktree& worktree, const std::string& path) {
    const bool odd = path.empty() || path.size() > longest_path || path.contains('\0');
    if (odd || leaves(path)) {
        return fail(Errc::invalid, "file: write a path within the repository, without \"..\"");
    }
    const auto refuse = [&](std::string what) {
        return fail(Errc::invalid, "file " + path + " (" + where(worktree) + "): " + what);
    };
    std::error_code error;
    const fs::path root = fs::canonical(worktree.root, error);
    if (error) return fail(Errc::unavailable, "the worktree of " + where(worktree) + " is gone");
    fs::path real = fs::canonical(root / path, error);
    if (error) return refuse("is not there: correct the path, or commit the file to this branch");
    if (!is_below(real, root)) return refuse("is a link that leads out of the repository");
    if (!fs::is_regular_file(real, error)) return refuse("is no file");
    const std::uint64_t size = fs::file_size(real, error);
    if (error || size > limits::source_file_bytes) {
        const std::string most = std::to_string(limits::source_file_bytes >> 10);
        return refuse("is larger than " + most + " KiB, the most that code may have");
    }
    return real;
}

}  // namespace herald
