#include "transform/git_mirror.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/log.h"
#include "core/limits.h"
#include "core/redact.h"

namespace herald {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view mirror_name = "mirror";
constexpr std::size_t digest_bytes = 12;

/// All that git is told about how to work. It reads no other file but that of the repository.
constexpr std::string_view configuration =
    "[safe]\n\tdirectory = *\n"  // the repositories of other accounts are read, never written
    "[core]\n\thooksPath = /dev/null\n\tfsmonitor = false\n"
    "[gc]\n\tautoDetach = false\n\tpruneExpire = now\n"
    "[protocol]\n\tversion = 2\n"
    "[advice]\n\tdetachedHead = false\n";

/// Answers git from the environment: neither a file nor a command line ever holds the password.
constexpr std::string_view credential_answer =
    "!f() { test \"$1\" = get || exit 0; "
    "test -z \"$HERALD_GIT_USERNAME\" || printf 'username=%s\\n' \"$HERALD_GIT_USERNAME\"; "
    "printf 'password=%s\\n' \"$HERALD_GIT_PASSWORD\"; }; f";

/// What of herald's environment git needs to find its way: programs, proxies, certificates, keys.
constexpr std::string_view passed_on[] = {
    "HTTPS_PROXY", "https_proxy", "HTTP_PROXY",   "http_proxy",    "ALL_PROXY",    "all_proxy",
    "NO_PROXY",    "no_proxy",    "SSL_CERT_DIR", "SSH_AUTH_SOCK", "SSL_CERT_FILE"};

std::vector<std::pair<std::string, std::string>> environment(const fs::path& home) {
    std::vector<std::pair<std::string, std::string>> variables{
        {"LC_ALL", "C"},
        {"HOME", home.string()},
        {"GIT_CONFIG_NOSYSTEM", "1"},
        {"GIT_CONFIG_GLOBAL", (home / "gitconfig").string()},
        {"GIT_ATTR_NOSYSTEM", "1"},
        {"GIT_TERMINAL_PROMPT", "0"},
        {"GIT_ALLOW_PROTOCOL", "file:https:ssh:http"},
        {"GIT_OPTIONAL_LOCKS", "0"},
        {"GIT_NO_LAZY_FETCH", "1"},
        {"GIT_NO_REPLACE_OBJECTS", "1"},
        {"GIT_SSH_COMMAND", "ssh -oBatchMode=yes -oConnectTimeout=10"},
    };
    const char* path = std::getenv("PATH");
    variables.emplace_back("PATH", path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin");
    for (const std::string_view name : passed_on) {
        const char* value = std::getenv(std::string(name).c_str());
        if (value != nullptr) variables.emplace_back(name, value);
    }
    return variables;
}

std::string folder_name(const RepositoryAccess& access) {
    const Digest digest = sha256(access.location + '\n' + access.username);
    return to_hex(std::span(digest).first(digest_bytes));
}

/// "https://host:port" of a URL: whom the password is for.
std::string credential_scope(const std::string& location) {
    const std::size_t begin = location.find("://") + 3;
    const std::size_t end = std::min(location.find_first_of("/?#", begin), location.size());
    const std::size_t at = location.rfind('@', end);
    const std::size_t host = at == std::string::npos || at < begin ? begin : at + 1;
    return location.substr(0, begin) + location.substr(host, end - host);
}

bool takes_password(const std::string& location) {
    return location.starts_with("https://") || location.starts_with("http://");
}

/// What a killed git leaves behind and stumbles over, or forgets.
void remove_leftovers(const fs::path& mirror) {
    std::error_code error;
    std::vector<fs::path> found;
    fs::recursive_directory_iterator at(mirror, error);
    for (; !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
        const std::string name = at->path().filename();
        if (name.ends_with(".lock") || name.starts_with("tmp_")) found.push_back(at->path());
    }
    for (const fs::path& path : found) fs::remove_all(path, error);
}

struct Weight {
    std::uint64_t bytes = 0;
    std::size_t files = 0;
};

/// Of `ls-tree -l -z`: "mode type object size<tab>path<nul>"; the size of a submodule is "-".
Weight weigh_list(std::string_view list) {
    Weight weight;
    while (!list.empty()) {
        const std::size_t end = std::min(list.find('\0'), list.size());
        std::string_view entry = list.substr(0, end);
        list.remove_prefix(std::min(end + 1, list.size()));
        entry = entry.substr(0, entry.find('\t'));
        entry.remove_prefix(std::min(entry.rfind(' ') + 1, entry.size()));
        std::uint64_t size = 0;
        std::from_chars(entry.data(), entry.data() + entry.size(), size);
        weight.bytes += size;
        ++weight.files;
    }
    return weight;
}

/// As GIT_ALTERNATE_OBJECT_DIRECTORIES takes a path that may hold a colon.
std::string in_quotes(std::string_view path) {
    std::string text = "\"";
    for (const char c : path) {
        if (c == '"' || c == '\\') text += '\\';
        text += c;
    }
    return text + '"';
}

std::string without_line_end(std::string text) {
    while (text.ends_with('\n')) text.pop_back();
    return text;
}

/// git's words with what to do about them.
std::string with_advice(std::string reason) {
    if (reason.contains("could not read Username") || reason.contains("could not read Password")) {
        return reason + " (it wants a password: set username and password)";
    }
    if (reason.contains("Authentication failed")) {
        return reason + " (correct username and password)";
    }
    if (reason.contains("Host key verification failed")) {
        return reason + " (add the host's key to ~/.ssh/known_hosts of herald's account)";
    }
    return reason;
}

}  // namespace

GitMirror::GitMirror(fs::path home, const RepositoryAccess& access,
                     std::chrono::milliseconds timeout, const std::atomic<bool>& stopping)
    : home_(std::move(home)),
      folder_(home_ / folder_name(access)),
      mirror_(folder_ / mirror_name),
      location_(access.location),
      shown_(takes_password(access.location) ? redact_url(access.location) : access.location),
      local_(is_local(access.location)),
      timeout_(timeout),
      stopping_(stopping) {}

fs::path GitMirror::worktree(const std::string& commit) const { return folder_ / commit; }

std::unexpected<Error> GitMirror::refuse(Errc code, const std::string& what) const {
    return fail(code, "repository " + shown_ + ": " + what);
}

GitCommand GitMirror::command(const fs::path& repository,
                              std::vector<std::string> arguments) const {
    GitCommand command{
        .arguments = {"--no-pager", "-c", "core.hooksPath=/dev/null", "-c", "safe.directory=*"},
        .environment = environment(home_),
        .timeout = timeout_,
        .stopping = &stopping_};
    command.arguments.push_back("--git-dir=" + repository.string());
    for (std::string& argument : arguments) command.arguments.push_back(std::move(argument));
    return command;
}

Result<std::string> GitMirror::run(const GitCommand& command, const char* doing) const {
    auto answer = run_git(command);
    if (answer) return answer;
    return refuse(answer.error().code,
                  std::string(doing) + ": " + with_advice(answer.error().message));
}

Result<> GitMirror::open() {
    if (local_) {
        if (const auto found = local_repository(); !found) return fail(found.error());
    }
    std::error_code error;
    fs::create_directories(folder_, error);
    if (error) return refuse(Errc::unavailable, "cannot make a folder: " + error.message());
    fs::permissions(home_, fs::perms::owner_all, error);
    std::vector<fs::path> old;
    for (const auto& entry : fs::directory_iterator(folder_, error)) {
        if (entry.path().filename() != mirror_name) old.push_back(entry.path());
    }
    for (const fs::path& path : old) fs::remove_all(path, error);
    remove_leftovers(mirror_);
    const fs::path written = folder_ / "gitconfig";
    std::ofstream(written) << configuration;
    fs::rename(written, home_ / "gitconfig", error);
    if (error) return refuse(Errc::unavailable, "cannot write a file: " + error.message());
    fs::last_write_time(folder_, fs::file_time_type::clock::now(), error);
    return make_mirror();
}

Result<> GitMirror::make_mirror() const {
    std::error_code error;
    if (fs::exists(mirror_ / "HEAD", error)) return {};
    const fs::path beside = folder_ / "mirror.new";
    fs::remove_all(beside, error);
    const auto init = command(beside, {"init", "--quiet", "--bare", "--template="});
    if (const auto made = run(init, "cannot be copied"); !made) return fail(made.error());
    fs::rename(beside, mirror_, error);
    if (error) return refuse(Errc::unavailable, "cannot be copied: " + error.message());
    return {};
}

Result<fs::path> GitMirror::local_repository() const {
    std::error_code error;
    fs::path path(location_);
    if (!fs::is_directory(path, error)) {
        return refuse(Errc::invalid,
                      "is no folder that herald can read: correct the path, or its permissions");
    }
    if (fs::exists(path / ".git", error)) return path / ".git";
    if (fs::exists(path / "HEAD", error)) return path;
    return refuse(Errc::invalid, "is no git repository: name the folder that has a .git in it");
}

Result<> GitMirror::fetch(const RepositoryAccess& access) {
    if (local_) return {};
    const auto odd = [](char c) { return c == '\n' || c == '\r' || c == '\0'; };
    if (std::ranges::any_of(access.username, odd) || std::ranges::any_of(access.password, odd)) {
        return refuse(Errc::invalid, "username and password must have one line each");
    }
    auto done = fetch_once(access);
    std::error_code error;
    if (!done && done.error().code == Errc::too_large) {
        // What is not needed any more may have filled it: the second try begins with nothing.
        fs::remove_all(mirror_, error);
        done = fetch_once(access);
        if (!done) fs::remove_all(mirror_, error);
    }
    if (!done) {
        remove_leftovers(mirror_);
        return done;
    }
    const auto tidied = run_git(command(mirror_, {"gc", "--auto", "--quiet"}));
    if (!tidied) log::warn("repository.not_tidied", {{"repository", std::string_view(shown_)}});
    return {};
}

Result<> GitMirror::fetch_once(const RepositoryAccess& access) const {
    if (const auto made = make_mirror(); !made) return made;
    GitCommand fetch = command(
        mirror_, {"fetch", "--quiet", "--depth=1", "--prune", "--no-tags", "--force",
                  "--no-recurse-submodules", "--no-write-fetch-head", "--no-auto-maintenance",
                  "--update-shallow", "--", location_, "+refs/heads/*:refs/heads/*"});
    fetch.watched = mirror_;
    fetch.watched_bytes = limits::mirror_bytes;
    if (takes_password(location_) && !access.password.empty()) {
        const std::string key = "credential." + credential_scope(location_) + ".helper";
        fetch.environment.emplace_back("GIT_CONFIG_COUNT", "1");
        fetch.environment.emplace_back("GIT_CONFIG_KEY_0", key);
        fetch.environment.emplace_back("GIT_CONFIG_VALUE_0", credential_answer);
        fetch.environment.emplace_back("HERALD_GIT_USERNAME", access.username);
        fetch.environment.emplace_back("HERALD_GIT_PASSWORD", access.password);
    }
    auto fetched = run(fetch, "cannot be fetched");
    if (fetched) return {};
    // A server may repeat what it was sent.
    mask_secrets(fetched.error().message, std::vector{access.password});
    return fail(std::move(fetched.error()));
}

Result<Branches> GitMirror::branches() {
    fs::path repository = mirror_;
    if (local_) {
        auto found = local_repository();
        if (!found) return fail(found.error());
        repository = *found;
    } else if (const auto made = make_mirror(); !made) {
        return fail(made.error());
    }
    constexpr std::string_view prefix = "refs/heads/";
    const auto list = run(command(repository, {"for-each-ref", "--format=%(objectname) %(refname)",
                                               std::string(prefix)}),
                          "cannot be read");
    if (!list) return fail(list.error());
    Branches branches;
    std::string_view rest = *list;
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        const std::string_view line = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        const std::size_t space = line.find(' ');
        if (space == line.npos || !line.substr(space + 1).starts_with(prefix)) continue;
        branches.emplace(line.substr(space + 1 + prefix.size()), line.substr(0, space));
    }
    return branches;
}

/// On our own copy, which for a local repository borrows that one's objects.
Result<GitCommand> GitMirror::reading_command() const {
    if (const auto made = make_mirror(); !made) return fail(made.error());
    GitCommand reading = command(mirror_, {});
    if (!local_) return reading;
    const auto repository = local_repository();
    if (!repository) return fail(repository.error());
    const auto objects =
        run(command(*repository, {"rev-parse", "--path-format=absolute", "--git-path", "objects"}),
            "cannot be read");
    if (!objects) return fail(objects.error());
    reading.environment.emplace_back("GIT_ALTERNATE_OBJECT_DIRECTORIES",
                                     in_quotes(without_line_end(*objects)));
    return reading;
}

Result<std::uint64_t> GitMirror::check_out(const std::string& commit) {
    std::error_code error;
    const fs::path place = worktree(commit);
    const auto like = reading_command();
    if (!like) return fail(like.error());
    const auto bytes = weigh(*like, commit);
    if (!bytes || fs::exists(place, error)) return bytes;
    const fs::path beside = folder_ / ("new-" + commit);
    fs::remove_all(beside, error);
    fs::create_directory(beside, error);
    if (error) return refuse(Errc::unavailable, "cannot make a folder: " + error.message());
    const auto written = write_files(*like, commit, beside);
    if (written) fs::rename(beside, place, error);
    if (written && !error) return bytes;
    std::error_code ignored;
    fs::remove_all(beside, ignored);
    if (!written) return fail(written.error());
    return refuse(Errc::unavailable, "cannot be checked out: " + error.message());
}

Result<std::uint64_t> GitMirror::weigh(GitCommand like, const std::string& commit) const {
    for (const char* word : {"ls-tree", "-r", "-l", "-z", "--full-tree"}) {
        like.arguments.emplace_back(word);
    }
    like.arguments.push_back(commit);
    const auto list = run(like, "cannot be checked out");
    if (!list) return fail(list.error());
    const Weight weight = weigh_list(*list);
    if (weight.bytes > limits::worktree_bytes || weight.files > limits::worktree_files) {
        return refuse(Errc::too_large,
                      "its files have " + std::to_string(weight.bytes >> 20) + " MiB in " +
                          std::to_string(weight.files) + " files; " +
                          std::to_string(limits::worktree_bytes >> 20) + " MiB in " +
                          std::to_string(limits::worktree_files) +
                          " are allowed: keep transformations in a repository of their own");
    }
    return weight.bytes;
}

Result<> GitMirror::write_files(GitCommand like, const std::string& commit,
                                const fs::path& into) const {
    std::error_code error;
    const fs::path index = folder_ / ("index-" + commit);
    like.environment.emplace_back("GIT_INDEX_FILE", index.string());
    like.arguments.push_back("--work-tree=" + into.string());
    GitCommand read = like;
    read.arguments.insert(read.arguments.end(), {"read-tree", commit});
    GitCommand write = like;
    write.arguments.insert(write.arguments.end(), {"checkout-index", "--all", "--quiet"});
    auto done = run(read, "cannot be checked out");
    if (done) done = run(write, "cannot be checked out");
    fs::remove(index, error);
    if (!done) return fail(done.error());
    return {};
}

void GitMirror::remove(const std::string& commit) {
    std::error_code error;
    // Renamed first: half a worktree never has the name of a whole one.
    const fs::path aside = folder_ / ("old-" + commit);
    fs::rename(worktree(commit), aside, error);
    fs::remove_all(aside, error);
}

}  // namespace herald
