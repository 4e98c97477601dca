#include "api/sample_event.h"

#include <string_view>
#include <utility>
#include <vector>

#include "core/suggest.h"

namespace herald {

Result<std::shared_ptr<const Event>> sample_event(const ApiParts& parts, const std::string& type,
                                                  const std::string& pointer) {
    const Time now = parts.clock.now();
    const auto sample = parts.sample(type, now);
    if (!sample) {
        std::vector<std::string_view> names;
        for (const EventType& known : parts.catalog.types().all()) names.push_back(known.name);
        return fail_field(pointer, "there is no sample of " + type + did_you_mean(type, names));
    }
    const auto text = canonical_json(*sample);
    if (!text) return fail(Errc::internal, "the sample is broken: " + text.error().message);
    auto event = parts.decode(JsonView(*text), now);
    if (!event) return fail(Errc::internal, "the sample is wrong: " + event.error().message);
    return std::make_shared<const Event>(std::move(*event));
}

}  // namespace herald
