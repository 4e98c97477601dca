#include <algorithm>
#include <array>

#include "core/limits.h"
#include "infrahub/body.h"
#include "infrahub/fields.h"

namespace herald::infrahub {

namespace {

constexpr std::array<std::string_view, 15> known = {
    "data",        "id",     "branch", "account_id",   "occured_at", "event",
    "occurred_at", "parent", "level",  "has_children", "node",       "related_nodes",
    "ancestors",   "labels", "origin"};

/// Letters that stand in one of two words but not at the same place of the other.
std::size_t difference(std::string_view a, std::string_view b) {
    std::size_t same = 0;
    for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
        if (a[i] == b[j]) {
            ++same;
            ++i;
            ++j;
        } else if (a.size() - i >= b.size() - j) {
            ++i;
        } else {
            ++j;
        }
    }
    return std::max(a.size(), b.size()) - same;
}

std::string unknown_field(std::string_view key) {
    const auto near = std::ranges::min_element(
        known, {}, [&](std::string_view name) { return difference(key, name); });
    std::string detail = "is no field of an event";
    if (difference(key, *near) <= 2 + key.size() / 4) {
        detail += ": did you mean \"" + std::string(*near) + "\"?";
    }
    return detail;
}

/// One reading of an event in the webhook body's form or herald's own.
class BodyDecoder {
public:
    explicit BodyDecoder(Event event) : event_(std::move(event)) {
        event_.occurred_at = event_.received_at;
    }

    Result<Event> decode(JsonView object) {
        for (auto items = object.items(); items.next();) member(items.key(), items.value());
        if (!type_) event_.type = fields_.event_type("/event", std::nullopt);
        if (!data_) fields_.wrong("/data", "must be an object: what the event says");
        if (fields_.any_wrong()) return fail(fields_.error());
        if (event_.id.is_nil()) event_.id = EventId{Uuid::random()};
        derive_nodes(event_, *data_);
        const BodyParts parts{data_->raw(),      event_.id,          event_.branch,
                              event_.account_id, event_.occurred_at, event_.type};
        event_.body = webhook_body(parts);
        return std::move(event_);
    }

private:
    void member(const std::string& key, JsonView value) {
        const std::string pointer = "/" + key;
        if (key == "event") {
            type_ = true;
            event_.type = fields_.event_type(pointer, value);
        } else if (key == "data") {
            data_ = value;
            if (!value.is_object()) {
                fields_.wrong(pointer, "must be an object: what the event says");
            }
        } else if (key == "id") {
            if (const auto id = fields_.id(pointer, value)) event_.id = *id;
        } else if (key == "branch") {
            event_.branch = fields_.label(pointer, value).value_or(std::string(global_branch));
        } else if (key == "account_id") {
            event_.account_id = fields_.label(pointer, value);
        } else if (key == "occured_at" || key == "occurred_at") {
            if (timed_) fields_.wrong(pointer, "the time is given twice: keep one");
            timed_ = true;
            event_.occurred_at = fields_.time(pointer, value).value_or(Time{});
        } else {
            own_member(key, pointer, value);
        }
    }

    /// What herald's own form has beyond the webhook body.
    void own_member(const std::string& key, const std::string& pointer, JsonView value) {
        if (key == "parent") {
            if (!value.is_null()) event_.parent = fields_.id(pointer, value);
        } else if (key == "level") {
            event_.level = fields_.level(pointer, value).value_or(0);
        } else if (key == "has_children") {
            event_.has_children = fields_.flag(pointer, value);
        } else if (key == "origin") {
            event_.origin = fields_.label(pointer, value).value_or("");
        } else if (key == "node") {
            if (!value.is_null()) event_.node = fields_.node(pointer, value).value_or(NodeRef{});
        } else if (key == "related_nodes") {
            related(pointer, value);
        } else if (key == "ancestors") {
            ancestors(pointer, value);
        } else if (key == "labels") {
            labels(pointer, value);
        } else {
            fields_.wrong(pointer, unknown_field(key));
        }
    }

    bool is_list(const std::string& pointer, JsonView value, std::size_t most) {
        std::size_t n = 0;
        const bool array = value.kind() == JsonView::Kind::array;
        if (array) {
            for (auto items = value.items(); items.next();) ++n;
        }
        if (array && n <= most) return true;
        fields_.wrong(pointer, "must be an array of at most " + std::to_string(most));
        return false;
    }

    void related(const std::string& pointer, JsonView value) {
        if (!is_list(pointer, value, limits::related_nodes)) return;
        std::size_t i = 0;
        for (auto items = value.items(); items.next(); ++i) {
            auto node = fields_.node(pointer + "/" + std::to_string(i), items.value());
            if (node) add_related(event_, std::move(node->id), std::move(node->kind));
        }
    }

    void ancestors(const std::string& pointer, JsonView value) {
        if (!is_list(pointer, value, limits::ancestors)) return;
        std::size_t i = 0;
        for (auto items = value.items(); items.next(); ++i) {
            const std::string at = pointer + "/" + std::to_string(i);
            const JsonView one = items.value();
            const auto id = fields_.id(at + "/id", one.find("id").value_or(JsonView{}));
            std::string type = fields_.event_type(at + "/event", one.find("event"));
            if (id) event_.ancestors.push_back({*id, std::move(type)});
        }
    }

    void labels(const std::string& pointer, JsonView value) {
        if (!value.is_object()) return fields_.wrong(pointer, "must be an object of texts");
        for (auto items = value.items(); items.next();) {
            if (items.value().is_string()) continue;
            fields_.wrong(pointer + "/" + items.key(), "must be a text");
        }
        event_.extra = R"({"labels":)" + std::string(value.raw()) + "}";
    }

    Event event_;
    Fields fields_;
    std::optional<JsonView> data_;
    bool type_ = false;
    bool timed_ = false;
};

}  // namespace

Result<Event> decode_body(JsonView object, Event event) {
    return BodyDecoder(std::move(event)).decode(object);
}

}  // namespace herald::infrahub
