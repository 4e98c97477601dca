#include "transform/git_repositories.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "async/worker.h"
#include "base/log.h"
#include "core/limits.h"
#include "core/suggest.h"

namespace herald {

namespace {

namespace fs = std::filesystem;
using boost::asio::awaitable;
using std::chrono::steady_clock;

/// A repository that nobody used for so long gives its thread away when another needs it.
constexpr auto idle_after = std::chrono::minutes{10};
/// When a repository's worktrees are too large together, the files of a commit stay for so long.
constexpr auto keep_at_least = std::chrono::minutes{1};
constexpr std::size_t branches_named = 8;

Error lacks_branch(const std::string& shown, const std::string& branch, bool is_default,
                   const Branches& branches) {
    std::vector<std::string_view> names;
    std::string some;
    for (const auto& [name, commit] : branches) {
        if (names.size() < branches_named) some += (names.empty() ? "" : ", ") + name;
        names.push_back(name);
    }
    if (names.size() > branches_named) some += " and others";
    if (names.empty()) some = "none at all";
    std::string text = "repository " + shown + " has no branch " + branch;
    const std::string near = did_you_mean(branch, names);
    text += near.empty() ? ", it has " + some + ": " : near + " Or ";
    text +=
        is_default ? "correct the branch of the transformation" : "push the event's branch to it";
    return {Errc::invalid, std::move(text)};
}

}  // namespace

/// One call of git on its way, and who waits for it.
struct GitRepositories::Flight {
    explicit Flight(const boost::asio::any_io_executor& executor)
        : landed(executor, steady_clock::time_point::max()) {}

    void land(Result<> with) {
        result = std::move(with);
        landed.cancel();
    }

    boost::asio::steady_timer landed;
    std::optional<Result<>> result;
};

/// The files of one commit.
struct GitRepositories::Checkout {
    std::shared_ptr<Flight> flight;  ///< none: it has landed
    std::optional<Error> failed;     ///< none: they are there
    std::uint64_t bytes = 0;
    steady_clock::time_point used_at{};
};

/// What the loop knows of a repository. Its mirror is used on its worker only.
struct GitRepositories::Repository {
    Repository(const fs::path& home, RepositoryAccess with, const GitOptions& options,
               const std::atomic<bool>& stopping)
        : access(std::move(with)),
          local(is_local(access.location)),
          mirror(home, access, options.timeout, stopping),
          worker("git") {}

    RepositoryAccess access;  ///< with the newest password
    bool local;
    std::optional<Branches> branches;  ///< none: not opened yet
    std::shared_ptr<Flight> refreshing;
    steady_clock::time_point asked_at{};  ///< when the last refresh began,
    steady_clock::time_point as_of{};     ///< and the last one that brought `branches`
    std::optional<Error> failed;          ///< why the last refresh brought nothing
    unsigned failures = 0;                ///< one after the other
    std::map<std::string, steady_clock::time_point, std::less<>> looked_for;  ///< branches
    std::map<std::string, Checkout, std::less<>> checkouts;                   ///< by commit
    steady_clock::time_point used_at{};
    GitMirror mirror;
    Worker worker;  ///< last: it ends before what its jobs use
};

GitRepositories::GitRepositories(boost::asio::any_io_executor executor, fs::path folder,
                                 GitOptions options)
    : executor_(executor),
      folder_(fs::absolute(folder)),
      options_(options),
      tasks_(std::move(executor)) {}

GitRepositories::~GitRepositories() { stopping_ = true; }

awaitable<void> GitRepositories::stop() {
    stopping_ = true;
    co_await tasks_.join();
}

awaitable<Result<Worktree>> GitRepositories::worktree(const RepositoryAccess& access,
                                                      const std::string& branch,
                                                      const std::string& default_branch) {
    if (stopping_) co_return fail(Errc::unavailable, "herald is stopping");
    auto found = find(access);
    if (!found) co_return fail(std::move(found.error()));
    const Known repository = *found;
    const bool is_default = branch.empty();
    const std::string wanted = is_default ? default_branch : branch;
    auto known = co_await know_branches(repository);
    if (!known) co_return fail(std::move(known.error()));
    auto looked = co_await look_for(repository, wanted);
    if (!looked) co_return fail(std::move(looked.error()));
    const auto at = repository->branches->find(wanted);
    if (at == repository->branches->end()) {
        const std::string& shown = repository->mirror.shown();
        co_return fail(lacks_branch(shown, wanted, is_default, *repository->branches));
    }
    const std::string commit = at->second;
    if (const auto flight = begin_check_out(repository, commit)) {
        auto ready = co_await wait_for(flight);
        if (!ready) co_return fail(std::move(ready.error()));
    }
    co_return Worktree{repository->mirror.worktree(commit), commit, wanted};
}

Result<GitRepositories::Known> GitRepositories::find(const RepositoryAccess& access) {
    const auto now = steady_clock::now();
    std::pair key(access.location, access.username);
    if (const auto known = repositories_.find(key); known != repositories_.end()) {
        Repository& repository = *known->second;
        repository.used_at = now;
        if (repository.access.password != access.password) {
            repository.access.password = access.password;
            repository.failed.reset();  // the new one may be right
            repository.failures = 0;
        }
        return known->second;
    }
    if (const std::string complaint = location_complaint(access.location); !complaint.empty()) {
        return fail_field("/repository/location", complaint);
    }
    if (repositories_.size() >= limits::repositories && !make_room_for_one()) {
        return fail(Errc::busy, "more than " + std::to_string(limits::repositories) +
                                    " repositories are in use: put transformations together");
    }
    auto made = std::make_shared<Repository>(folder_, access, options_, stopping_);
    made->used_at = now;
    forget_oldest_folder(made);
    repositories_.emplace(std::move(key), made);
    return made;
}

bool GitRepositories::make_room_for_one() {
    const auto older = [](const auto& a, const auto& b) {
        return a.second->used_at < b.second->used_at;
    };
    const auto oldest = std::ranges::min_element(repositories_, older);
    // Somebody else holds it: it is in use, however long that takes.
    const bool idle = oldest->second.use_count() == 1 &&
                      steady_clock::now() - oldest->second->used_at > idle_after;
    if (idle) repositories_.erase(oldest);
    return idle;
}

/// Mirrors stay for the next start; beyond the limit the one goes that was opened longest ago.
void GitRepositories::forget_oldest_folder(const Known& newcomer) {
    std::error_code error;
    std::vector<std::pair<fs::file_time_type, fs::path>> closed;
    std::size_t folders = 0;
    for (const auto& entry : fs::directory_iterator(folder_, error)) {
        std::error_code gone;
        if (!entry.is_directory(gone)) continue;
        ++folders;
        const auto is_it = [&](const auto& known) {
            return known.second->mirror.folder() == entry.path();
        };
        const bool open =
            entry.path() == newcomer->mirror.folder() || std::ranges::any_of(repositories_, is_it);
        if (!open) closed.emplace_back(entry.last_write_time(gone), entry.path());
    }
    if (folders <= limits::repositories || closed.empty()) return;
    const fs::path oldest = std::ranges::min(closed).second;
    newcomer->worker.post([oldest] {
        std::error_code ignored;
        fs::remove_all(oldest, ignored);
    });
}

awaitable<Result<>> GitRepositories::wait_for(std::shared_ptr<Flight> flight) {
    constexpr auto answer = boost::asio::as_tuple(boost::asio::use_awaitable);
    while (!flight->result) co_await flight->landed.async_wait(answer);
    co_return *flight->result;
}

bool GitRepositories::is_due(const Repository& repository) const {
    const auto every = repository.local ? options_.read_every : options_.fetch_every;
    return steady_clock::now() - repository.asked_at >= every;
}

/// Whether the last refresh failed and the next would so soon only bother the server.
bool GitRepositories::is_too_soon(const Repository& repository) const {
    if (!repository.failed) return false;
    constexpr unsigned most_doublings = 6;
    const auto doubled =
        options_.again_after * (1U << std::min(repository.failures, most_doublings)) / 2;
    const auto longest = std::max(options_.fetch_every, options_.again_after);
    const auto wait = repository.local ? options_.read_every : std::min(doubled, longest);
    return steady_clock::now() - repository.asked_at < wait;
}

/// The refresh that is on its way, or a new one.
std::shared_ptr<GitRepositories::Flight> GitRepositories::begin_refresh(const Known& repository) {
    if (repository->refreshing) return repository->refreshing;
    auto flight = std::make_shared<Flight>(executor_);
    if (stopping_) {
        flight->land(fail(Errc::unavailable, "herald is stopping"));
        return flight;
    }
    repository->refreshing = flight;
    tasks_.start(refresh(repository, flight));
    return flight;
}

/// Opens the repository with what an earlier herald has left there; when it is open, asks for what
/// is new.
awaitable<void> GitRepositories::refresh(Known repository, std::shared_ptr<Flight> flight) {
    const bool opens = !repository->branches;
    const auto began = steady_clock::now();
    auto job = [&mirror = repository->mirror, access = repository->access,
                opens]() -> Result<Branches> {
        const auto done = opens ? mirror.open() : mirror.fetch(access);
        if (!done) return fail(done.error());
        return mirror.branches();
    };
    auto read = co_await repository->worker.run(std::move(job));
    if (!opens || repository->local) repository->asked_at = began;
    if (read) {
        if (!opens || repository->local) repository->as_of = began;
        repository->branches = std::move(*read);
        repository->failed.reset();
        repository->failures = 0;
    } else {
        if (!repository->failed && !stopping_) {
            log::warn("repository.failed", {{"reason", std::string_view(read.error().message)}});
        }
        repository->asked_at = began;
        repository->failed = read.error();
        ++repository->failures;
    }
    repository->refreshing.reset();
    flight->land(read ? Result<>{} : fail(std::move(read.error())));
}

/// Sees to it that there are branches, and that they are not too old. Waits for a remote only when
/// nothing is known of it.
awaitable<Result<>> GitRepositories::know_branches(Known repository) {
    if (!repository->branches) {
        if (is_too_soon(*repository)) co_return fail(*repository->failed);
        const auto opened = begin_refresh(repository);
        auto known = co_await wait_for(opened);
        if (!known) co_return known;
    }
    if (repository->local) {
        if (is_due(*repository)) {
            const auto reading = begin_refresh(repository);
            auto known = co_await wait_for(reading);
            if (!known) co_return known;
        }
        // What is gone is not used from memory: its owner looks at the folder, not at us.
        if (repository->failed) co_return fail(*repository->failed);
    } else if (is_due(*repository) && !is_too_soon(*repository)) {
        begin_refresh(repository);
    }
    co_return Result<>{};
}

/// Asks for a branch that is not known, unless that was done a moment ago.
awaitable<Result<>> GitRepositories::look_for(Known repository, const std::string& branch) {
    while (!repository->branches->contains(branch)) {
        const auto now = steady_clock::now();
        auto& looked = repository->looked_for;
        const auto last = looked.find(branch);
        const bool lately = last != looked.end() && now - last->second < options_.again_after;
        if (lately && repository->as_of >= last->second) break;
        if (!repository->refreshing) {
            if (is_too_soon(*repository)) co_return fail(*repository->failed);
            const auto is_old = [&](const auto& one) {
                return now - one.second >= options_.again_after;
            };
            std::erase_if(looked, is_old);
            looked[branch] = now;
        }
        const auto flight = begin_refresh(repository);
        auto asked = co_await wait_for(flight);
        if (!asked) co_return asked;
    }
    co_return Result<>{};
}

/// Null: the files are there.
std::shared_ptr<GitRepositories::Flight> GitRepositories::begin_check_out(
    const Known& repository, const std::string& commit) {
    const auto now = steady_clock::now();
    auto [at, is_new] = repository->checkouts.try_emplace(commit);
    Checkout& checkout = at->second;
    if (checkout.flight) return checkout.flight;
    if (!is_new && !checkout.failed) {
        checkout.used_at = now;
        return nullptr;
    }
    auto flight = std::make_shared<Flight>(executor_);
    // The same commit failed a moment ago, and commits do not change.
    if (checkout.failed && now - checkout.used_at < options_.again_after) {
        flight->land(fail(*checkout.failed));
        return flight;
    }
    checkout = {.flight = flight, .failed = std::nullopt, .used_at = now};
    const bool full = remove_old(*repository) > limits::worktrees_bytes;
    if (stopping_ || full) {
        repository->checkouts.erase(at);
        flight->land(stopping_ ? fail(Errc::unavailable, "herald is stopping")
                               : fail(Errc::out_of_space,
                                      "repository " + repository->mirror.shown() +
                                          ": too many of its branches are used at a time"));
        return flight;
    }
    tasks_.start(check_out(repository, commit));
    return flight;
}

awaitable<void> GitRepositories::check_out(Known repository, std::string commit) {
    auto job = [&mirror = repository->mirror, commit] { return mirror.check_out(commit); };
    auto done = co_await repository->worker.run(std::move(job));
    Checkout& checkout = repository->checkouts[commit];
    const auto flight = std::move(checkout.flight);
    checkout = {.used_at = steady_clock::now()};
    if (done) checkout.bytes = *done;
    if (!done) checkout.failed = done.error();
    flight->land(done ? Result<>{} : fail(std::move(done.error())));
}

/// Removes the files of commits that nobody asks for any more. Gives back the bytes of the others.
std::uint64_t GitRepositories::remove_old(Repository& repository) {
    std::uint64_t bytes = 0;
    std::vector<std::pair<steady_clock::time_point, std::string>> oldest;
    for (const auto& [commit, checkout] : repository.checkouts) {
        bytes += checkout.bytes;
        if (!checkout.flight) oldest.emplace_back(checkout.used_at, commit);
    }
    std::ranges::sort(oldest);
    std::size_t left = oldest.size();
    const auto now = steady_clock::now();
    for (const auto& [used_at, commit] : oldest) {
        const auto unused = now - used_at;
        const bool many = left > limits::worktrees_kept && unused >= options_.keep;
        const bool large = bytes > limits::worktrees_bytes && unused >= keep_at_least;
        if (!many && !large) break;
        bytes -= repository.checkouts[commit].bytes;
        repository.checkouts.erase(commit);
        repository.worker.post([&mirror = repository.mirror, commit] { mirror.remove(commit); });
        --left;
    }
    return bytes;
}

}  // namespace herald
