#include <charconv>

#include "core/limits.h"
#include "infrahub/body.h"
#include "infrahub/fields.h"

namespace herald::infrahub {

namespace {

constexpr std::string_view id_label = "prefect.resource.id";
constexpr std::string_view role_label = "prefect.resource.role";

/// One reading of an event as Infrahub's broker stores and streams it. Labels are texts.
class StreamedDecoder {
public:
    explicit StreamedDecoder(Event event) : event_(std::move(event)) {}

    Result<Event> decode(JsonView object) {
        const JsonView payload = object.find("payload").value_or(JsonView{});
        const auto data = payload.find("data");
        if (!data || !data->is_object()) {
            fields_.wrong("/payload/data", "must be an object: what the event says");
        }
        const JsonView context = payload.find("context").value_or(JsonView{});
        envelope(object);
        resource(object);
        related(object);
        if (fields_.any_wrong()) return fail(fields_.error());
        read_context(context);
        derive_nodes(event_, *data);
        const BodyParts parts{data->raw(),       event_.id,          body_branch_,
                              event_.account_id, event_.occurred_at, event_.type};
        event_.body = webhook_body(parts);
        event_.extra = extra(object, context);
        return std::move(event_);
    }

private:
    void envelope(JsonView object) {
        event_.type = fields_.event_type("/event", object.find("event"));
        const auto id = fields_.id("/id", object.find("id").value_or(JsonView{}));
        if (id) event_.id = *id;
        const auto occurred = object.find("occurred").value_or(JsonView{});
        event_.occurred_at = fields_.time("/occurred", occurred).value_or(Time{});
    }

    void resource(JsonView object) {
        const JsonView labels = object.find("resource").value_or(JsonView{});
        if (!labels.is_object()) return fields_.wrong("/resource", "must be an object of labels");
        event_.node.id = text("/resource", labels, "infrahub.node.id");
        event_.node.kind = text("/resource", labels, "infrahub.node.kind");
        event_.origin = text("/resource", labels, "infrahub.node.origin");
    }

    void related(JsonView object) {
        const auto list = object.find("related");
        if (!list || list->is_null()) return;
        if (list->kind() != JsonView::Kind::array) {
            return fields_.wrong("/related", "must be an array of labelled resources");
        }
        std::size_t i = 0;
        for (auto items = list->items(); items.next(); ++i) {
            const std::string pointer = "/related/" + std::to_string(i);
            if (i >= limits::related_nodes) {
                return fields_.wrong(
                    "/related",
                    "may have at most " + std::to_string(limits::related_nodes) + " entries");
            }
            if (!items.value().is_object()) {
                fields_.wrong(pointer, "must be an object of labels");
                continue;
            }
            entry(pointer, items.value());
        }
    }

    void entry(const std::string& pointer, JsonView labels) {
        const std::string role = labels.string(role_label).value_or("");
        if (role == "infrahub.branch") {
            event_.branch = text(pointer, labels, "infrahub.resource.label");
        } else if (role == "infrahub.account") {
            account_ = text(pointer, labels, "infrahub.resource.id");
        } else if (role == "infrahub.event") {
            event_.has_children = labels.string("infrahub.event.has_children") == "true";
            level(pointer, labels);
        } else if (role == "infrahub.child_event") {
            const auto parent = labels.find("infrahub.event_parent.id").value_or(JsonView{});
            event_.parent = fields_.id(pointer + "/infrahub.event_parent.id", parent);
        } else if (role == "infrahub.ancestor_event") {
            const auto id = fields_.id(pointer + "/prefect.resource.id",
                                       labels.find(id_label).value_or(JsonView{}));
            auto type = text(pointer, labels, "infrahub.ancestor_event.name");
            if (id && event_.ancestors.size() < limits::ancestors) {
                event_.ancestors.push_back({*id, std::move(type)});
            }
        } else if (role == "infrahub.related.node" || role == "infrahub.group.member" ||
                   role == "infrahub.group.ancestor") {
            const auto id = labels.string("infrahub.node.id");
            add_related(event_, id ? *id : labels.string(id_label).value_or(""),
                        text(pointer, labels, "infrahub.node.kind"));
        }
    }

    void level(const std::string& pointer, JsonView labels) {
        const std::string digits = text(pointer, labels, "infrahub.event.level");
        const char* end = digits.data() + digits.size();
        const auto read = std::from_chars(digits.data(), end, event_.level);
        if (!digits.empty() && (read.ptr != end || read.ec != std::errc{})) {
            fields_.wrong(pointer + "/infrahub.event.level", "must be a whole number from 0");
        }
    }

    /// Both shapes of the context (contract 2.3); what it lacks is taken from the labels.
    void read_context(JsonView context) {
        const auto account = context.find("account");
        event_.account_id = context.string("account_id");
        if (!event_.account_id && account) event_.account_id = account->string("account_id");
        const bool says_so = context.find("account_id") || account;
        if (!says_so && !account_.empty()) event_.account_id = account_;
        const auto branch = context.find("branch");
        body_branch_ = branch ? branch->string("name") : event_.branch;
    }

    std::string text(const std::string& pointer, JsonView labels, std::string_view name) {
        const auto value = labels.find(name);
        if (!value) return {};
        return fields_.label(pointer + "/" + std::string(name), *value).value_or("");
    }

    static std::string extra(JsonView object, JsonView context) {
        std::string out = R"({"resource":)";
        out += object.find("resource")->raw();
        if (const auto list = object.find("related")) {
            out += R"(,"related":)";
            out += list->raw();
        }
        out += R"(,"context":)";
        out += context.raw();
        out += '}';
        return out;
    }

    Event event_;
    Fields fields_;
    std::string account_;                    ///< of the labels
    std::optional<std::string> body_branch_;  ///< of the context
};

}  // namespace

Result<Event> decode_streamed(JsonView object, Event event) {
    return StreamedDecoder(std::move(event)).decode(object);
}

}  // namespace herald::infrahub
