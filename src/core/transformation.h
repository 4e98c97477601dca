#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/json.h"
#include "base/result.h"
#include "base/time.h"
#include "core/options.h"

namespace herald {

enum class Runtime : std::uint8_t { python, jinja2, jq };
[[nodiscard]] std::string_view to_text(Runtime runtime);
[[nodiscard]] std::optional<Runtime> parse_runtime(std::string_view text);

/// What a Python transformation is given (contract 6.1).
enum class TransformInput : std::uint8_t {
    body,  ///< the whole body: the original's newest behaviour
    data,  ///< its inner `data`, as older versions of the original
};
[[nodiscard]] std::string_view to_text(TransformInput input);
[[nodiscard]] std::optional<TransformInput> parse_transform_input(std::string_view text);

/// Where the code of a transformation lies, when it is not inline.
struct RepositorySource {
    std::string location;  ///< a folder on this machine, or a URL that git clones
    std::string transform;  ///< a name of the repository's list of transformations; or `file`
    std::string branch = "main";  ///< for events without a branch
    std::string username;
    std::string password;  ///< a reference; empty: none

    bool operator==(const RepositorySource&) const = default;
};

using NamedTexts = std::vector<std::pair<std::string, std::string>>;

/// Code that makes the body a receiver needs of an event's. Its name never changes.
struct Transformation {
    Uuid uuid;  ///< given when it is created
    std::string name;
    std::string description;
    Runtime runtime = Runtime::jq;
    std::string source;  ///< the code itself; empty: it lies in the repository
    std::optional<RepositorySource> repository;
    std::string file;        ///< within the repository
    std::string class_name;  ///< Python; empty: the host finds it
    std::string url;         ///< jinja2: a template for the request's URL; empty: the webhook's
    NamedTexts headers;      ///< jinja2: templates for header values, by name
    std::string content_type = "application/json";  ///< of what it makes
    TransformInput input = TransformInput::body;
    std::chrono::milliseconds timeout{10'000};  ///< 100 ms to 300 s
    std::uint32_t memory_mb = 256;              ///< 16 to 8,192
    std::uint32_t cpu_seconds = 10;             ///< for one event; 1 to 300
    std::uint32_t output_bytes = 1'500'000;     ///< 1 to limits::made_bytes
    bool network = false;                       ///< whether it may open connections
    NamedTexts environment;                     ///< variables; values may be references
    NamedTexts secrets;  ///< what the code reads as secrets.NAME; values are references

    Time created_at;
    Time updated_at;
    std::uint64_t version = 1;  ///< grows with each change; the ETag

    bool operator==(const Transformation&) const = default;
};

/// A transformation as a caller writes it; what is left out has its default, or with `stored` and
/// `merge` stays as it is (RFC 7396). The error names every wrong member by its pointer.
[[nodiscard]] Result<Transformation> read_transformation(JsonView input,
                                                         const Transformation* stored, bool merge);
/// All of it, for people: a value that is no reference is masked where it may be a secret.
void append_transformation(std::string& out, const Transformation& transformation, SecretForm form);

/// What the store keeps, and reading it.
[[nodiscard]] std::string stored_text(const Transformation& transformation);
[[nodiscard]] Result<Transformation> read_stored_transformation(std::string_view text);

}  // namespace herald
