#include "core/attempt.h"

#include <algorithm>
#include <array>

namespace herald {

namespace {

constexpr std::array all_classes{
    FailureClass::none,
    FailureClass::config,
    FailureClass::connection,
    FailureClass::tls,
    FailureClass::timeout,
    FailureClass::http_client_error,
    FailureClass::http_server_error,
    FailureClass::unknown,
    FailureClass::transform,
};

}  // namespace

std::string_view to_text(FailureClass failure) {
    switch (failure) {
        case FailureClass::none: return "";
        case FailureClass::config: return "CONFIG";
        case FailureClass::connection: return "CONNECTION";
        case FailureClass::tls: return "TLS";
        case FailureClass::timeout: return "TIMEOUT";
        case FailureClass::http_client_error: return "HTTP_CLIENT_ERROR";
        case FailureClass::http_server_error: return "HTTP_SERVER_ERROR";
        case FailureClass::unknown: return "UNKNOWN";
        case FailureClass::transform: return "TRANSFORM";
    }
    return "";
}

std::optional<FailureClass> parse_failure_class(std::string_view text) {
    const auto found =
        std::ranges::find(all_classes, text, [](FailureClass f) { return to_text(f); });
    if (found == all_classes.end()) return std::nullopt;
    return *found;
}

std::string_view remediation(FailureClass failure) {
    switch (failure) {
        case FailureClass::none: return "";
        case FailureClass::config:
            return "Correct the webhook's own settings: its URL, its headers, the environment "
                   "variables "
                   "they name, its key or its transformation.";
        case FailureClass::connection:
            return "Check that the receiver is running and that its host name, port and network "
                   "path can be reached from here.";
        case FailureClass::tls:
            return "Check the receiver's certificate and its chain, or switch "
                   "validate_certificates off if you accept an unverified receiver.";
        case FailureClass::timeout:
            return "The receiver took too long: let it answer before it does the work, or raise "
                   "the webhook's timeout.";
        case FailureClass::http_client_error:
            return "The receiver refused the request: check the webhook's URL, its headers and "
                   "its shared key.";
        case FailureClass::http_server_error:
            return "The receiver failed while it handled the request: look into its log, then "
                   "redeliver.";
        case FailureClass::unknown:
            return "This was not expected: look into the log of this server at the time of the "
                   "attempt.";
        case FailureClass::transform:
            return "Mend the transformation: try it with herald transform run and this event, then "
                   "redeliver.";
    }
    return "";
}

FailureClass classify_status(int status) {
    if (status >= 200 && status <= 299) return FailureClass::none;
    // A status that HTTP does not know counts as the receiver's fault (RFC 9110, section 15).
    return status >= 500 ? FailureClass::http_server_error : FailureClass::http_client_error;
}

}  // namespace herald
