#include "core/event_facts.h"

#include <algorithm>

namespace herald {

namespace {

/// The value at a dotted path; nullopt: there is none, or the path is empty.
std::optional<JsonView> at(JsonView from, std::string_view path) {
    if (path.empty()) return std::nullopt;
    while (!path.empty()) {
        const std::string_view name = path.substr(0, path.find('.'));
        path.remove_prefix(std::min(name.size() + 1, path.size()));
        const auto found = from.find(name);
        if (!found) return std::nullopt;
        from = *found;
    }
    return from;
}

/// Whether what is walked over has members with names.
bool is_object(const std::optional<JsonView>& value) { return value && value->is_object(); }
bool is_list(const std::optional<JsonView>& value) {
    return value && value->kind() == JsonView::Kind::array;
}

}  // namespace

JsonView EventFacts::data() {
    if (!data_) {
        data_ = JsonView{};
        if (!event_.body.empty()) data_ = at(JsonView(event_.body), places_.data).value_or(*data_);
    }
    return *data_;
}

const std::vector<Change>& EventFacts::changes() {
    if (!changes_) {
        changes_.emplace();
        if (!event_.body.empty()) read_changes();
    }
    return *changes_;
}

const std::string& EventFacts::target_kind() {
    if (!target_kind_) {
        target_kind_.emplace();
        if (event_.body.empty()) return *target_kind_;
        const auto found = at(JsonView(event_.body), places_.target_kind);
        if (found) target_kind_ = found->string().value_or("");
    }
    return *target_kind_;
}

void EventFacts::read_changes() {
    read_attributes();
    read_relationships();
    if (!changes_->empty()) return;
    const auto names = at(JsonView(event_.body), places_.changed_names);
    if (!is_list(names)) return;
    for (auto items = names->items(); items.next();) {
        if (auto name = items.value().string()) changes_->push_back({std::move(*name)});
    }
}

void EventFacts::read_attributes() {
    const auto attributes = at(JsonView(event_.body), places_.attributes);
    if (!is_object(attributes)) return;
    for (auto items = attributes->items(); items.next();) {
        const JsonView one = items.value();
        changes_->push_back({items.key(), at(one, places_.value), at(one, places_.previous)});
    }
}

void EventFacts::read_relationships() {
    const auto relationships = at(JsonView(event_.body), places_.relationships);
    if (!is_object(relationships)) return;
    for (auto items = relationships->items(); items.next();) {
        const JsonView one = items.value();
        const auto peers = at(one, places_.peers);
        bool any = false;
        if (is_list(peers)) {
            for (auto each = peers->items(); each.next(); any = true) {
                const JsonView peer = each.value();
                const auto status = at(peer, places_.peer_status);
                const bool gone = status && status->string() == places_.removed;
                const auto id = at(peer, places_.peer);
                Change change{items.key()};
                (gone ? change.previous : change.value) = id;
                changes_->push_back(std::move(change));
            }
        }
        if (any) continue;
        changes_->push_back({items.key(), at(one, places_.peer), at(one, places_.previous_peer)});
    }
}

}  // namespace herald
