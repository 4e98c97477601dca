#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/expression.h"

/// The first line is an expression, the rest an event's body. Whatever is taken can be evaluated,
/// means the same when it is read again from its own text, and agrees with its terms and with what
/// was foreseen; whatever is refused names a place within it.
namespace {

constexpr herald::BodyPlaces places = {.data = "data",
                                       .attributes = "data.attributes",
                                       .value = "value",
                                       .previous = "previous",
                                       .changed_names = "data.fields"};

void check(const herald::Expression& expression, std::string_view body) {
    const herald::EventTypes types("", {}, places);
    herald::Event event;
    event.type = "shop.order.paid";
    const auto canonical = herald::canonical_json(body);
    event.body = canonical.value_or(R"({"data":{"a":[1,"x",{"b":null}],"fields":["a"]}})");
    herald::EventFacts facts(event, types);
    const bool holds = expression.holds(facts);

    const auto again = herald::Expression::parse(expression.text());
    if (!again || again->holds(facts) != holds) std::abort();
    bool all = true;
    for (const auto& term : expression.terms(facts)) all = all && term.holds;
    if (all != holds) std::abort();
    herald::ForeseenEvent known{event.type, std::nullopt, std::nullopt};
    const auto foreseen = expression.foresee(known);
    if (foreseen != herald::Truth::unknown && holds != (foreseen == herald::Truth::yes)) {
        std::abort();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const std::string_view line = text.substr(0, text.find('\n'));
    const auto parsed = herald::Expression::parse(line);
    if (!parsed) {
        if (parsed.error().offset > line.size() || parsed.error().message.empty()) std::abort();
        return 0;
    }
    check(*parsed, text.substr(line.size()));
    return 0;
}
