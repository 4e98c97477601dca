#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "async/task_group.h"
#include "base/result.h"
#include "transform/git_mirror.h"
#include "transform/worktree.h"

namespace herald {

struct GitOptions {
    /// A remote's branches are used for so long before it is asked again.
    std::chrono::milliseconds fetch_every{60'000};
    /// The same for a repository on this machine, where asking costs some milliseconds.
    std::chrono::milliseconds read_every{1'000};
    /// A branch that the repository lacks is looked for again after this; a remote that fails is
    /// asked again after this, then after twice, up to fetch_every.
    std::chrono::milliseconds again_after{5'000};
    std::chrono::milliseconds timeout{60'000};  ///< of one call of git
    /// The files of a commit that nobody asked for during this time may be removed.
    std::chrono::milliseconds keep{600'000};
};

/// The files of the commits that branches of repositories are at. Each repository has a Worker of
/// its own, so that a slow remote holds up nobody else's. Lives on one loop thread; needs the
/// program git.
class GitRepositories {
public:
    /// `folder` is made when it is needed and belongs to this object alone.
    GitRepositories(boost::asio::any_io_executor executor, std::filesystem::path folder,
                    GitOptions options = {});
    ~GitRepositories();
    GitRepositories(const GitRepositories&) = delete;
    GitRepositories& operator=(const GitRepositories&) = delete;

    /// The worktree of `branch` (empty: of `default_branch`) at its current commit. Waits only
    /// for what is not known: a remote is asked in the background while its old commit is given.
    /// Errc::invalid says what the user has to correct (a branch that is not there, a wrong
    /// path); Errc::unavailable may pass.
    [[nodiscard]] boost::asio::awaitable<Result<Worktree>> worktree(
        const RepositoryAccess& access, const std::string& branch,
        const std::string& default_branch);

    /// Ends the calls of git that run, and waits for them. Call it before the object dies; no
    /// call of worktree() may begin after it, and those that wait end with an Error.
    boost::asio::awaitable<void> stop();

private:
    struct Flight;
    struct Checkout;
    struct Repository;
    using Known = std::shared_ptr<Repository>;

    Result<Known> find(const RepositoryAccess& access);
    bool make_room_for_one();
    void forget_oldest_folder(const Known& newcomer);

    [[nodiscard]] bool is_due(const Repository& repository) const;
    [[nodiscard]] bool is_too_soon(const Repository& repository) const;
    std::shared_ptr<Flight> begin_refresh(const Known& repository);
    boost::asio::awaitable<void> refresh(Known repository, std::shared_ptr<Flight> flight);
    boost::asio::awaitable<Result<>> know_branches(Known repository);
    boost::asio::awaitable<Result<>> look_for(Known repository, const std::string& branch);

    std::shared_ptr<Flight> begin_check_out(const Known& repository, const std::string& commit);
    boost::asio::awaitable<void> check_out(Known repository, std::string commit);
    boost::asio::awaitable<Result<>> wait_for(std::shared_ptr<Flight> flight);
    std::uint64_t remove_old(Repository& repository);

    boost::asio::any_io_executor executor_;
    std::filesystem::path folder_;
    GitOptions options_;
    std::atomic<bool> stopping_ = false;  ///< the workers' threads look at it
    TaskGroup tasks_;
    std::map<std::pair<std::string, std::string>, Known> repositories_;  ///< location, username
};

}  // namespace herald
