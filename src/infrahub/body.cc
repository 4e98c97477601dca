#include "infrahub/body.h"

#include "base/json.h"
#include "core/event.h"

namespace herald::infrahub {

namespace {

void append_text(std::string& out, const std::optional<std::string>& text) {
    if (text) {
        append_json_string(out, *text);
    } else {
        out += "null";
    }
}

}  // namespace

std::string webhook_body(const BodyParts& parts) {
    std::string out;
    out.reserve(parts.data.size() + parts.type.size() + 256);
    out += R"({"data":)";
    out += parts.data;
    out += R"(,"id":")";
    out += parts.id.text();
    out += R"(","branch":)";
    const bool global = parts.branch == global_branch;
    append_text(out, global ? std::nullopt : parts.branch);
    out += R"(,"account_id":)";
    append_text(out, parts.account_id);
    // The misspelling is part of the contract.
    out += R"(,"occured_at":")";
    out += to_python_str(parts.occurred_at);
    out += R"(","event":)";
    append_json_string(out, parts.type);
    out += '}';
    return out;
}

}  // namespace herald::infrahub
