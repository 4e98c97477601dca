// Whatever text comes in: what is taken as JSON has one canonical form, which is its own canonical
// form and survives the way through the spaced one; views of it keep their bounds.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/json.h"

namespace {

void must(bool held) {
    if (!held) std::abort();
}

bool is_plain_ascii(std::string_view text) {
    for (const char c : text) {
        if (c < 0x20 || c > 0x7e) return false;
    }
    return true;
}

void walk(herald::JsonView value) {
    const auto text = value.string();
    must(text.has_value() == value.is_string());
    if (text) {
        // Written again it is the same, because nothing was lost.
        std::string again;
        herald::append_json_string(again, *text);
        must(again == value.raw());
    }
    static_cast<void>(value.integer());
    static_cast<void>(value.boolean());
    for (auto items = value.items(); items.next();) {
        if (value.is_object()) {
            const auto found = value.find(items.key());
            must(found.has_value() && found->raw().data() == items.value().raw().data());
        }
        walk(items.value());
    }
}

void check(const std::string& canonical) {
    must(is_plain_ascii(canonical));
    must(herald::canonical_json(canonical) == canonical);
    must(herald::canonical_json(herald::to_spaced_json(canonical)) == canonical);
    static_cast<void>(herald::to_python_repr(canonical));
    walk(herald::JsonView(canonical));
}

/// One value after the other, as a batch is read. A refused one leaves nothing behind.
void read_many(std::string_view text) {
    herald::JsonReader reader(text, {.depth = 20});
    std::string out = "before";
    while (!reader.at_end()) {
        const std::string held = out;
        const std::size_t from = reader.offset();
        const auto error = reader.read(out);
        must(reader.offset() <= text.size());
        if (!error) continue;
        must(error->offset <= text.size());
        must(!error->message.empty());
        must(out == held);
        if (error->kind == herald::JsonError::Kind::broken || reader.offset() == from) return;
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (const auto canonical = herald::canonical_json(text)) check(*canonical);
    read_many(text);
    return 0;
}
