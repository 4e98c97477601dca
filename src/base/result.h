#pragma once

#include <expected>
#include <string>
#include <utility>
#include <vector>

namespace herald {

/// What kind of failure an Error is. Maps one to one to an HTTP status in api/problem.
enum class Errc {
    invalid,              ///< the caller's input is wrong (400 / 422)
    unauthorized,         ///< no or wrong credentials (401)
    forbidden,            ///< known caller, not allowed (403)
    not_found,            ///< no such thing (404)
    conflict,             ///< exists already, or its state forbids the operation (409)
    precondition_failed,  ///< If-Match did not match (412)
    too_large,            ///< over a limit of core/limits.h (413)
    unsupported,          ///< a media type or form we do not take (415)
    busy,                 ///< a queue of ours is full; try again later (503)
    out_of_space,         ///< the disk is full (507)
    unavailable,          ///< a part of ours cannot do its work now (503)
    internal,             ///< a defect or a broken store (500)
};

/// One wrong field of an input: a JSON pointer ("/url"), and what to do about it.
struct FieldError {
    std::string pointer;
    std::string detail;

    bool operator==(const FieldError&) const = default;
};

/// An expected failure of ours, in words for people. A failed delivery is not an Error
/// but an Outcome (core/attempt.h). Never contains a secret.
struct [[nodiscard]] Error {
    Errc code = Errc::internal;
    std::string message;
    std::vector<FieldError> fields = {};

    bool operator==(const Error&) const = default;
};

template <class T = void>
using Result = std::expected<T, Error>;

[[nodiscard]] inline std::unexpected<Error> fail(Errc code, std::string message) {
    return std::unexpected(Error{code, std::move(message), {}});
}

[[nodiscard]] inline std::unexpected<Error> fail(Error error) {
    return std::unexpected(std::move(error));
}

/// A failure of one named field: `pointer` is a JSON pointer, `detail` says what to do.
[[nodiscard]] inline std::unexpected<Error> fail_field(std::string pointer, std::string detail) {
    std::string message = pointer + ": " + detail;
    return std::unexpected(
        Error{Errc::invalid, std::move(message), {{std::move(pointer), std::move(detail)}}});
}

/// A failure of all these fields, of which there is at least one. `what` says of what, such as "the
/// webhook is wrong", or nothing.
[[nodiscard]] inline std::unexpected<Error> fail_fields(std::string_view what,
                                                        std::vector<FieldError> fields) {
    std::string message(what);
    for (const FieldError& field : fields) {
        if (!message.empty()) message += &field == fields.data() ? ": " : "; ";
        message += field.pointer + ": " + field.detail;
    }
    return std::unexpected(Error{Errc::invalid, std::move(message), std::move(fields)});
}

}  // namespace herald
