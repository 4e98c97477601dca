// Whatever JSON comes in as an event: it is decoded or refused with the fields that are wrong, and
// what is decoded keeps the bounds and sends a body that is canonical and decodes to the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/json.h"
#include "core/limits.h"
#include "infrahub/decode.h"

namespace {

namespace limits = herald::limits;

constexpr herald::Time received = herald::from_micros(1'741'884'272'321'142);

void must(bool held) {
    if (!held) std::abort();
}

void check_bounds(const herald::Event& event) {
    must(!event.id.is_nil());
    must(!event.type.empty() && event.type.size() <= limits::event_type_bytes);
    must(!event.branch || event.branch->size() <= limits::label_bytes);
    must(!event.account_id || event.account_id->size() <= limits::label_bytes);
    must(event.node.id.size() <= limits::label_bytes);
    must(event.node.kind.size() <= limits::label_bytes);
    must(event.related.size() <= limits::related_nodes);
    must(event.ancestors.size() <= limits::ancestors);
    must(event.body.size() <= limits::event_bytes);
    must(herald::canonical_json(event.body, {.depth = 200}) == event.body);
    must(event.extra.empty() || herald::canonical_json(event.extra, {.depth = 200}) == event.extra);
}

void check_round_trip(const herald::Event& event) {
    const auto again = herald::infrahub::decode_event(herald::JsonView(event.body), received, "f");
    must(again.has_value());
    must(again->id == event.id && again->type == event.type);
    must(again->occurred_at == event.occurred_at);
    must(again->account_id == event.account_id);
    must(again->body == event.body);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto canonical = herald::canonical_json(text);
    if (!canonical) return 0;
    const auto event =
        herald::infrahub::decode_event(herald::JsonView(*canonical), received, "fuzz");
    if (event) {
        check_bounds(*event);
        check_round_trip(*event);
    } else {
        must(event.error().code != herald::Errc::internal);
        must(!event.error().message.empty());
    }
    return 0;
}
