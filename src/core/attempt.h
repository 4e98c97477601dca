#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/time.h"

namespace herald {

/// How an attempt failed (contract 5.3), or that it did not.
enum class FailureClass : std::uint8_t {
    none,  ///< 2xx
    config,
    connection,
    tls,
    timeout,
    http_client_error,  ///< any answer below 500 that is not 2xx
    http_server_error,
    unknown,
    transform,  ///< the transformation's code failed
};

/// "CONFIG", "CONNECTION" ...; none is "" on the wire.
[[nodiscard]] std::string_view to_text(FailureClass failure);
[[nodiscard]] std::optional<FailureClass> parse_failure_class(std::string_view text);
/// One sentence that says what to do about a failure of this class.
[[nodiscard]] std::string_view remediation(FailureClass failure);
/// The class of an answer with this status.
[[nodiscard]] FailureClass classify_status(int status);

using HeaderList = std::vector<std::pair<std::string, std::string>>;

/// How an attempt ended. A failed delivery is a result, not an Error.
struct [[nodiscard]] Outcome {
    FailureClass failure = FailureClass::none;
    std::string message = {};  ///< for people; empty on success

    [[nodiscard]] bool ok() const { return failure == FailureClass::none; }
    bool operator==(const Outcome&) const = default;
};

/// A signature profile that the receiver refused within an attempt (signature negotiation).
struct RefusedProfile {
    std::string profile;
    int status = 0;

    bool operator==(const RefusedProfile&) const = default;
};

/// One try to bring a delivery to its receiver and what came of it, as recorded: header values
/// are redacted (core/redact.h) and the answer's body is cut at limits::response_capture. One
/// HTTP request; while the profile is negotiated there may be some refused ones before it.
struct Attempt {
    std::uint32_t number = 1;  ///< from 1, within the delivery
    Time started_at;
    Duration took{0};
    std::string url;                 ///< with credentials and secrets masked
    std::string signature_profile;   ///< empty: unsigned
    std::vector<RefusedProfile> refused_profiles;  ///< tried before, within this attempt
    HeaderList request_headers;
    int status = 0;  ///< 0: nothing was answered
    HeaderList response_headers;
    std::string response_body;  ///< raw bytes
    bool response_cut = false;  ///< the body was longer than what is kept
    Outcome outcome;

    bool operator==(const Attempt&) const = default;
};

}  // namespace herald
