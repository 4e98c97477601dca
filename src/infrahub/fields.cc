#include "infrahub/fields.h"

#include <algorithm>

#include "core/limits.h"

namespace herald::infrahub {

void Fields::wrong(std::string pointer, std::string detail) {
    if (errors_.size() < limits::field_errors) {
        errors_.push_back({std::move(pointer), std::move(detail)});
    }
}

Error Fields::error() const {
    std::string message;
    for (const FieldError& one : errors_) {
        if (!message.empty()) message += "; ";
        message += one.pointer + ": " + one.detail;
    }
    return {Errc::invalid, std::move(message), errors_};
}

std::string Fields::event_type(const std::string& pointer, std::optional<JsonView> value) {
    const auto text = value ? value->string() : std::nullopt;
    if (!text) {
        wrong(pointer, "must be the event's name, such as \"infrahub.node.updated\"");
        return {};
    }
    const bool printable = std::ranges::all_of(*text, [](char c) { return c > ' ' && c < '\x7f'; });
    if (text->empty() || text->size() > limits::event_type_bytes || !printable) {
        wrong(pointer, "must be 1 to " + std::to_string(limits::event_type_bytes) +
                           " printable ASCII characters without spaces");
    }
    return *text;
}

std::optional<std::string> Fields::label(const std::string& pointer, JsonView value) {
    if (value.is_null()) return std::nullopt;
    auto text = value.string();
    if (!text) {
        wrong(pointer, "must be a text or null");
    } else if (text->size() > limits::label_bytes) {
        wrong(pointer, "must have at most " + std::to_string(limits::label_bytes) + " bytes");
    }
    return text;
}

std::optional<EventId> Fields::id(const std::string& pointer, JsonView value) {
    const auto text = value.string();
    const auto id = text ? Uuid::parse(*text) : std::nullopt;
    if (id && !id->is_nil()) return EventId{*id};
    wrong(pointer,
          "must be a UUID that is not all zeros, such as \"2ece726f-8574-488c-92f7-ee9a56485b46\"");
    return std::nullopt;
}

std::optional<Time> Fields::time(const std::string& pointer, JsonView value) {
    const auto text = value.string();
    auto time = text ? parse_time(*text) : std::nullopt;
    if (!time) {
        wrong(pointer,
              "must be a time with its offset, such as \"2025-03-13T16:44:32.321142Z\" "
              "or \"2025-03-13 16:44:32.321142+00:00\"");
    }
    return time;
}

std::optional<std::uint32_t> Fields::level(const std::string& pointer, JsonView value) {
    const auto number = value.integer();
    if (number && *number >= 0 && *number <= 1'000'000) return static_cast<std::uint32_t>(*number);
    wrong(pointer, "must be a whole number from 0");
    return std::nullopt;
}

bool Fields::flag(const std::string& pointer, JsonView value) {
    const auto flag = value.boolean();
    if (!flag) wrong(pointer, "must be true or false");
    return flag.value_or(false);
}

std::optional<NodeRef> Fields::node(const std::string& pointer, JsonView value) {
    if (const auto bare = value.string()) return NodeRef{*label(pointer, value), ""};
    if (!value.is_object() || !value.string("id")) {
        wrong(pointer, "must be an object with the texts \"id\" and \"kind\"");
        return std::nullopt;
    }
    NodeRef node;
    const std::string inside = pointer + "/";
    for (auto items = value.items(); items.next();) {
        const std::string key = items.key();
        if (key == "id") {
            node.id = label(inside + key, items.value()).value_or("");
        } else if (key == "kind") {
            node.kind = label(inside + key, items.value()).value_or("");
        } else {
            wrong(inside + key, "is not known here; \"id\" and \"kind\" are");
        }
    }
    return node;
}

void add_related(Event& event, std::string id, std::string kind) {
    if (id.empty() || id == event.node.id || id.size() > limits::label_bytes ||
        kind.size() > limits::label_bytes || event.related.size() >= limits::related_nodes) {
        return;
    }
    if (std::ranges::find(event.related, id, &NodeRef::id) != event.related.end()) return;
    event.related.push_back({std::move(id), std::move(kind)});
}

namespace {

constexpr std::string_view proposed_change = "CoreProposedChange";

void relate(Event& event, std::optional<JsonView> id, std::optional<JsonView> kind) {
    auto text = id ? id->string() : std::nullopt;
    if (!text) return;
    add_related(event, std::move(*text), kind ? kind->string().value_or("") : "");
}

void relate_each(Event& event, std::optional<JsonView> list, const std::string_view (&keys)[2]) {
    if (!list || list->kind() != JsonView::Kind::array) return;
    for (auto items = list->items(); items.next();) {
        const auto [id, kind] = items.value().find_all(keys);
        relate(event, id, kind);
    }
}

/// The peers of changed relationships (contract 2.5).
void relate_peers(Event& event, std::optional<JsonView> changelog) {
    const auto relationships = changelog ? changelog->find("relationships") : std::nullopt;
    if (!relationships || !relationships->is_object()) return;
    for (auto items = relationships->items(); items.next();) {
        const auto [id, kind, previous, previous_kind, peers] = items.value().find_all(
            {"peer_id", "peer_kind", "peer_id_previous", "peer_kind_previous", "peers"});
        relate(event, id, kind);
        relate(event, previous, previous_kind);
        relate_each(event, peers, {"peer_id", "peer_kind"});
    }
}

void set_node(Event& event, std::optional<JsonView> id, std::string kind) {
    auto text = id ? id->string() : std::nullopt;
    if (!event.node.id.empty() || !text || text->size() > limits::label_bytes ||
        kind.size() > limits::label_bytes) {
        return;
    }
    event.node = {std::move(*text), std::move(kind)};
}

void relate_proposed_change(Event& event, std::optional<JsonView> id) {
    if (auto text = id ? id->string() : std::nullopt) {
        add_related(event, std::move(*text), std::string(proposed_change));
    }
}

std::string text_of(std::optional<JsonView> value) {
    return value ? value->string().value_or("") : std::string();
}

}  // namespace

void derive_nodes(Event& event, JsonView data) {
    const std::string_view type = event.type;
    if (type.starts_with("infrahub.artifact.")) {
        const auto [node, target, kind] = data.find_all({"node_id", "target_id", "target_kind"});
        set_node(event, node, "CoreArtifact");
        relate(event, target, kind);
    } else if (type.starts_with("infrahub.proposed_change.")) {
        set_node(event, data.find("proposed_change_id"), std::string(proposed_change));
    } else if (type.starts_with("infrahub.proposed_change_thread.")) {
        const auto [thread, kind, change] =
            data.find_all({"thread_id", "thread_kind", "proposed_change_id"});
        set_node(event, thread, text_of(kind));
        relate_proposed_change(event, change);
    } else {
        const auto [node, kind, changelog, members, ancestors, change] = data.find_all(
            {"node_id", "kind", "changelog", "members", "ancestors", "proposed_change_id"});
        set_node(event, node, text_of(kind));
        relate_peers(event, changelog);
        relate_each(event, members, {"id", "kind"});
        relate_each(event, ancestors, {"id", "kind"});
        relate_proposed_change(event, change);
    }
}

}  // namespace herald::infrahub
