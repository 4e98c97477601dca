#include "delivery/secrets.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "core/event_types.h"
#include "core/limits.h"
#include "core/reference.h"

namespace herald {

namespace {

namespace fs = std::filesystem;

std::unexpected<Error> cannot_read(const fs::path& path, const std::string& why) {
    return fail(Errc::invalid, "cannot read file:" + path.string() + ": " + why);
}

std::string last_error() { return std::generic_category().message(errno); }

class OpenFile {
public:
    // Not blocking: a pipe without a writer must not hold the loop.
    explicit OpenFile(const fs::path& path)
        : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW)) {}
    ~OpenFile() {
        if (fd_ >= 0) ::close(fd_);
    }
    OpenFile(const OpenFile&) = delete;
    OpenFile& operator=(const OpenFile&) = delete;

    [[nodiscard]] bool is_open() const { return fd_ >= 0; }
    [[nodiscard]] bool is_regular() const {
        struct stat status{};
        return ::fstat(fd_, &status) == 0 && S_ISREG(status.st_mode);
    }
    /// Up to `most` bytes and one more, by which a longer file is known; nullopt: it failed.
    [[nodiscard]] std::optional<std::string> read(std::size_t most) const {
        std::string text(most + 1, '\0');
        std::size_t size = 0;
        while (size < text.size()) {
            const ssize_t got = ::read(fd_, text.data() + size, text.size() - size);
            if (got < 0 && errno == EINTR) continue;
            if (got < 0) return std::nullopt;
            if (got == 0) break;
            size += static_cast<std::size_t>(got);
        }
        text.resize(size);
        return text;
    }

private:
    int fd_;
};

bool lies_in(const fs::path& path, const fs::path& directory) {
    const auto [end, rest] = std::ranges::mismatch(directory, path);
    return end == directory.end();
}

}  // namespace

Secrets::Secrets(SecretSources sources) : sources_(std::move(sources)) {}

Result<std::string> Secrets::read(std::string_view text) const {
    const auto reference = parse_reference(text);
    if (!reference) return std::string(plain_text(text));
    if (reference->kind == Reference::Kind::file) return file(reference->name);
    return variable(std::string(reference->name));
}

Result<std::string> Secrets::variable(const std::string& name) const {
    const bool allowed = std::ranges::any_of(
        sources_.variables, [&](const std::string& glob) { return glob_match(glob, name); });
    if (is_own_variable(name) || !allowed) {
        return fail(Errc::invalid, "Environment variable '" + name +
                                       "' may not be read: secrets.environment does not allow it");
    }
    auto value = sources_.environment(name);
    if (!value) return fail(Errc::invalid, "Environment variable '" + name + "' not found");
    return std::move(*value);
}

Result<std::string> Secrets::file(const fs::path& path) const {
    std::error_code error;
    const fs::path real = fs::canonical(path, error);
    // Said before whether there is such a file: who may not read it need not know.
    if (!may_read(error ? path.lexically_normal() : real)) {
        return cannot_read(path, "it is in none of the folders that secrets.directories names");
    }
    if (error) return cannot_read(path, error.message());
    const OpenFile opened(real);
    if (!opened.is_open()) return cannot_read(path, last_error());
    if (!opened.is_regular()) return cannot_read(path, "it is no regular file");
    auto text = opened.read(limits::secret_file_bytes);
    if (!text) return cannot_read(path, last_error());
    if (text->size() > limits::secret_file_bytes) {
        return cannot_read(
            path, "it is longer than " + std::to_string(limits::secret_file_bytes) + " bytes");
    }
    while (text->ends_with('\n') || text->ends_with('\r')) text->pop_back();
    if (text->empty()) return cannot_read(path, "it is empty");
    return std::move(*text);
}

bool Secrets::may_read(const fs::path& real) const {
    std::error_code error;
    for (const fs::path& hidden : sources_.hidden) {
        if (fs::weakly_canonical(hidden, error) == real) return false;
    }
    return std::ranges::any_of(sources_.directories, [&](const fs::path& directory) {
        return lies_in(real, fs::weakly_canonical(directory, error));
    });
}

}  // namespace herald
