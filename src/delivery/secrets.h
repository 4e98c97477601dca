#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace herald {

/// Where references of webhooks may lead: who may change webhooks may read no more than this.
struct SecretSources {
    /// Reads a variable of the environment; nullopt: it is not set.
    std::function<std::optional<std::string>(const std::string& name)> environment;
    /// Globs of the names that may be read. Those of herald itself (HERALD_...) never are.
    std::vector<std::string> variables{"*"};
    /// Files below these may be read,
    std::vector<std::filesystem::path> directories{"/run/secrets"};
    /// but for these: herald's own.
    std::vector<std::filesystem::path> hidden = {};
};

/// Reads what references (core/reference.h) stand for. Nothing is kept: a changed file counts for
/// the next attempt. Reads files on the calling thread, at most limits::secret_file_bytes.
class Secrets {
public:
    explicit Secrets(SecretSources sources);

    /// The text itself, or what it refers to. The error names the reference and what to do.
    [[nodiscard]] Result<std::string> read(std::string_view text) const;
    /// A variable of the environment, by its name.
    [[nodiscard]] Result<std::string> variable(const std::string& name) const;

private:
    [[nodiscard]] Result<std::string> file(const std::filesystem::path& path) const;
    [[nodiscard]] bool may_read(const std::filesystem::path& real) const;

    SecretSources sources_;
};

}  // namespace herald
