#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "transform/git_command.h"

namespace herald {

/// Where a repository is, and who we are there.
struct RepositoryAccess {
    /// The absolute path of a checkout or of a bare repository, or what git clones: a URL with
    /// https, http, ssh or file, or user@host:path.
    std::string location;
    std::string username;  ///< for https and http; some servers want one beside a token
    std::string password;  ///< for https and http; given to git alone, and only for this host

    bool operator==(const RepositoryAccess&) const = default;
};

/// What is wrong with where a repository is said to be, in one sentence with the fix; empty:
/// nothing.
[[nodiscard]] std::string location_complaint(const std::string& location);

/// Whether it is a path on this machine: its branches are read where they are.
[[nodiscard]] bool is_local(const std::string& location);

/// The name of a branch and the commit it is at.
using Branches = std::map<std::string, std::string, std::less<>>;

/// herald's own copy of one repository and the files of its commits, in a folder of its own. Every
/// call blocks: they run on one Worker, one after the other. Files are written by our own copy and
/// its configuration, so that no filter or hook that a repository names is run.
class GitMirror {
public:
    /// `home` holds the folders of all repositories and git's configuration. `stopping` ends calls.
    GitMirror(std::filesystem::path home, const RepositoryAccess& access,
              std::chrono::milliseconds timeout, const std::atomic<bool>& stopping);

    /// The first call: makes the folder, and removes what an earlier herald has left there besides
    /// the mirror: it may be broken, and nobody uses it.
    [[nodiscard]] Result<> open();
    /// Brings a remote's branches; only their newest commits.
    [[nodiscard]] Result<> fetch(const RepositoryAccess& access);
    [[nodiscard]] Result<Branches> branches();
    /// Writes the files of a commit to worktree(commit), unless they are there. Gives back their
    /// size together.
    [[nodiscard]] Result<std::uint64_t> check_out(const std::string& commit);
    void remove(const std::string& commit);

    [[nodiscard]] std::filesystem::path worktree(const std::string& commit) const;
    [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
    /// The location as people may see it.
    [[nodiscard]] const std::string& shown() const { return shown_; }

private:
    [[nodiscard]] GitCommand command(const std::filesystem::path& repository,
                                     std::vector<std::string> arguments) const;
    [[nodiscard]] Result<std::string> run(const GitCommand& command, const char* doing) const;
    [[nodiscard]] Result<std::filesystem::path> local_repository() const;
    [[nodiscard]] Result<> make_mirror() const;
    [[nodiscard]] Result<> fetch_once(const RepositoryAccess& access) const;
    [[nodiscard]] Result<GitCommand> reading_command() const;
    [[nodiscard]] Result<std::uint64_t> weigh(GitCommand like, const std::string& commit) const;
    [[nodiscard]] Result<> write_files(GitCommand like, const std::string& commit,
                                       const std::filesystem::path& into) const;
    [[nodiscard]] std::unexpected<Error> refuse(Errc code, const std::string& what) const;

    std::filesystem::path home_;
    std::filesystem::path folder_;
    std::filesystem::path mirror_;
    std::string location_;
    std::string shown_;
    bool local_;
    std::chrono::milliseconds timeout_;
    const std::atomic<bool>& stopping_;
};

}  // namespace herald
