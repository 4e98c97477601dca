#include "api/request_body.h"

#include <algorithm>
#include <array>

#include "base/json.h"
#include "core/ascii.h"
#include "core/limits.h"

namespace herald {

namespace {

constexpr std::array<std::string_view, 3> known_types{
    "application/json", "application/merge-patch+json", "application/x-ndjson"};

std::string trimmed(std::string_view text) {
    while (text.starts_with(' ')) text.remove_prefix(1);
    while (text.ends_with(' ')) text.remove_suffix(1);
    return ascii::lower(text);
}

}  // namespace

Result<std::string_view> media_type(const ServerRequest& request) {
    const std::string_view field = request.header("content-type");
    if (field == known_types[0]) return known_types[0];  // what nearly all send
    const std::string given = trimmed(field.substr(0, field.find(';')));
    const auto* const type = std::ranges::find(known_types, given);
    if (type == known_types.end()) {
        return fail(Errc::unsupported, "the Content-Type is " +
                                           (given.empty() ? std::string("missing") : given) +
                                           ": send application/json");
    }
    const std::string parameters = trimmed(field);
    const std::size_t charset = parameters.find("charset=");
    if (charset == parameters.npos) return *type;
    std::string_view name = std::string_view(parameters).substr(charset + 8);
    if (name.starts_with('"')) name.remove_prefix(1);
    if (name.starts_with("utf-8") || name.starts_with("utf8")) return *type;
    return fail(Errc::unsupported, "JSON is sent in UTF-8: leave the charset out");
}

std::expected<std::string, Problem> read_object(const ServerRequest& request, bool patch) {
    const auto type = media_type(request);
    if (!type) return refuse(type.error());
    if (*type != "application/json" && !(patch && *type == "application/merge-patch+json")) {
        return refuse(Errc::unsupported, "this takes application/json, not " + std::string(*type));
    }
    auto text = canonical_json(request.body, {limits::json_depth});
    if (!text) {
        Error error{Errc::invalid, "the body is no JSON that is taken: " + text.error().message};
        if (text.error().kind == JsonError::Kind::broken) return refuse_request(std::move(error));
        return refuse(std::move(error));
    }
    if (!JsonView(*text).is_object()) {
        return refuse(Errc::invalid, "the body must be a JSON object");
    }
    return std::move(*text);
}

std::expected<std::string, Problem> read_optional_object(const ServerRequest& request) {
    if (request.body.empty()) return "{}";
    return read_object(request);
}

}  // namespace herald
