#include "store/sqlite/pack.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>

#include "store/sqlite/sqlite.h"

namespace herald::sqlite {

namespace {

void put(std::string& out, std::string_view text) {
    const auto size = static_cast<std::uint32_t>(text.size());
    for (int shift = 0; shift < 32; shift += 8) {
        out.push_back(static_cast<char>((size >> shift) & 0xFF));
    }
    out.append(text);
}

[[noreturn]] void broken() {
    throw Failure{Errc::internal, "the store holds a list that is cut off", true};
}

/// Takes the next text off the front.
std::string_view take(std::string_view& packed) {
    if (packed.size() < 4) broken();
    std::uint32_t size = 0;
    for (unsigned i = 0; i < 4; ++i) {
        size |= static_cast<std::uint32_t>(static_cast<unsigned char>(packed[i])) << (8 * i);
    }
    packed.remove_prefix(4);
    if (packed.size() < size) broken();
    const std::string_view text = packed.substr(0, size);
    packed.remove_prefix(size);
    return text;
}

}  // namespace

std::string pack(const std::vector<NodeRef>& nodes) {
    std::string out;
    for (const NodeRef& node : nodes) {
        put(out, node.id);
        put(out, node.kind);
    }
    return out;
}

std::string pack(const std::vector<Ancestor>& ancestors) {
    std::string out;
    for (const Ancestor& ancestor : ancestors) {
        put(out, ancestor.id.text());
        put(out, ancestor.type);
    }
    return out;
}

std::string pack(const HeaderList& headers) {
    std::string out;
    for (const auto& [name, value] : headers) {
        put(out, name);
        put(out, value);
    }
    return out;
}

std::string pack(const std::vector<RefusedProfile>& refused) {
    std::string out;
    for (const RefusedProfile& one : refused) {
        put(out, one.profile);
        put(out, std::to_string(one.status));
    }
    return out;
}

std::string pack(const std::vector<std::string>& texts) {
    std::string out;
    for (const std::string& text : texts) put(out, text);
    return out;
}

std::vector<NodeRef> unpack_nodes(std::string_view packed) {
    std::vector<NodeRef> nodes;
    while (!packed.empty()) {
        NodeRef node;
        node.id = take(packed);
        node.kind = take(packed);
        nodes.push_back(std::move(node));
    }
    return nodes;
}

std::vector<Ancestor> unpack_ancestors(std::string_view packed) {
    std::vector<Ancestor> ancestors;
    while (!packed.empty()) {
        const auto id = Uuid::parse(take(packed));
        if (!id) broken();
        Ancestor ancestor;
        ancestor.id = EventId{*id};
        ancestor.type = take(packed);
        ancestors.push_back(std::move(ancestor));
    }
    return ancestors;
}

HeaderList unpack_headers(std::string_view packed) {
    HeaderList headers;
    while (!packed.empty()) {
        const std::string_view name = take(packed);
        const std::string_view value = take(packed);
        headers.emplace_back(name, value);
    }
    return headers;
}

std::vector<RefusedProfile> unpack_refused(std::string_view packed) {
    std::vector<RefusedProfile> refused;
    while (!packed.empty()) {
        RefusedProfile one;
        one.profile = take(packed);
        const std::string_view status = take(packed);
        std::from_chars(status.data(), status.data() + status.size(), one.status);
        refused.push_back(std::move(one));
    }
    return refused;
}

std::vector<std::string> unpack_texts(std::string_view packed) {
    std::vector<std::string> texts;
    while (!packed.empty()) texts.emplace_back(take(packed));
    return texts;
}

}  // namespace herald::sqlite
