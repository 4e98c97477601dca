#include "infrahub/decode.h"

#include "core/limits.h"
#include "infrahub/fields.h"

namespace herald::infrahub {

namespace {

/// What is wrong with an event as a whole.
std::unexpected<Error> fail_event(Errc code, const std::string& message) {
    return fail(Error{code, message, {{"", message}}});
}

bool is_streamed(JsonView object) {
    // The webhook body begins so, and is not walked over for this.
    if (object.raw().starts_with(R"({"data":)")) return false;
    const auto [resource, payload] = object.find_all({"resource", "payload"});
    return resource || payload;
}

}  // namespace

Result<Event> decode_event(JsonView object, Time received_at, std::string_view source) {
    if (!object.is_object()) return fail_event(Errc::invalid, "an event must be a JSON object");
    if (object.raw().size() > limits::event_bytes) {
        return fail_event(Errc::too_large,
                          "an event may have at most " + std::to_string(limits::event_bytes) +
                              " bytes, this one has " + std::to_string(object.raw().size()));
    }
    Event event;
    event.received_at = received_at;
    event.source = source;
    return is_streamed(object) ? decode_streamed(object, std::move(event))
                               : decode_body(object, std::move(event));
}

}  // namespace herald::infrahub
