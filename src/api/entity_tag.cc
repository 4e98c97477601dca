#include "api/entity_tag.h"

#include <algorithm>

namespace herald {

std::string entity_tag(std::uint64_t version) { return "\"" + std::to_string(version) + "\""; }

bool names_tag(std::string_view field, std::string_view tag, bool weak) {
    while (!field.empty()) {
        std::string_view one = field.substr(0, field.find(','));
        field.remove_prefix(std::min(one.size() + 1, field.size()));
        while (one.starts_with(' ')) one.remove_prefix(1);
        while (one.ends_with(' ')) one.remove_suffix(1);
        if (weak && one.starts_with("W/")) one.remove_prefix(2);
        if (one == tag || one == "*") return true;
    }
    return false;
}

std::expected<std::optional<std::uint64_t>, Problem> expected_version(const ServerRequest& request,
                                                                      std::uint64_t version,
                                                                      std::string_view what) {
    const std::string_view field = request.header("if-match");
    if (field.empty() || field == "*") return std::nullopt;
    const std::string tag = entity_tag(version);
    if (names_tag(field, tag, false)) return version;
    return refuse(Errc::precondition_failed,
                  std::string(what) + " is not what If-Match asks for: its ETag is now " + tag);
}

}  // namespace herald
