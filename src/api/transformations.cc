#include "api/transformations.h"

#include <utility>

#include "api/encode.h"
#include "api/entity_tag.h"
#include "api/request_body.h"

namespace herald {

namespace {

using boost::asio::awaitable;

constexpr std::string_view what = "the transformation";

std::unexpected<Problem> no_such(const std::string& name) {
    return refuse(Errc::not_found, "there is no transformation with the name or id " + name);
}

void append(std::string& out, const Transformations& all, const Transformation& one) {
    append_transformation(out, one, SecretForm::masked);
    out.back() = ',';
    out += "\"used_by\":[";
    for (const std::string& name : all.users(one)) {
        if (out.back() != '[') out += ',';
        append_json_string(out, name);
    }
    out += "]}";
}

ServerAnswer show(const Call& call, const Transformation& one, int status) {
    ServerAnswer answer;
    answer.status = status;
    append(answer.body, call.api.parts.transformations, one);
    answer.headers.emplace_back("ETag", entity_tag(one.version));
    if (status == 201) {
        answer.headers.emplace_back("Location", "/api/v1/transformations/" + one.uuid.text());
    }
    return answer;
}

awaitable<Answer> change(const Call& call, bool patch) {
    const auto text = read_object(call.request, patch);
    if (!text) co_return std::unexpected(text.error());
    Transformations& all = call.api.parts.transformations;
    const Transformations::Entry stored = all.find(call.parameter);
    if (!stored) co_return no_such(call.parameter);
    const auto version = expected_version(call.request, stored->version, what);
    if (!version) co_return std::unexpected(version.error());
    auto changed = read_transformation(JsonView(*text), stored.get(), patch);
    if (!changed) co_return refuse(std::move(changed.error()));
    auto kept = co_await all.update(std::move(*changed), *version);
    if (!kept) co_return refuse(std::move(kept.error()));
    co_return show(call, **kept, 200);
}

}  // namespace

awaitable<Answer> create_transformation(const Call& call) {
    const auto text = read_object(call.request);
    if (!text) co_return std::unexpected(text.error());
    auto made = read_transformation(JsonView(*text), nullptr, false);
    if (!made) co_return refuse(std::move(made.error()));
    auto created = co_await call.api.parts.transformations.create(std::move(*made));
    if (!created) co_return refuse(std::move(created.error()));
    co_return show(call, **created, 201);
}

awaitable<Answer> list_transformations(const Call& call) {
    const Transformations& all = call.api.parts.transformations;
    ServerAnswer answer;
    answer.body = "{\"items\":[";
    for (const Transformations::Entry& one : all.all()) {
        if (answer.body.back() != '[') answer.body += ',';
        append(answer.body, all, *one);
    }
    answer.body += "]}";
    co_return answer;
}

awaitable<Answer> get_transformation(const Call& call) {
    const Transformations::Entry one = call.api.parts.transformations.find(call.parameter);
    if (!one) co_return no_such(call.parameter);
    ServerAnswer answer = show(call, *one, 200);
    if (names_tag(call.request.header("if-none-match"), entity_tag(one->version), true)) {
        answer.status = 304;
        answer.body.clear();
    }
    co_return answer;
}

awaitable<Answer> replace_transformation(const Call& call) { return change(call, false); }

awaitable<Answer> patch_transformation(const Call& call) { return change(call, true); }

awaitable<Answer> delete_transformation(const Call& call) {
    Transformations& all = call.api.parts.transformations;
    const Transformations::Entry one = all.find(call.parameter);
    if (!one) co_return no_such(call.parameter);
    const auto version = expected_version(call.request, one->version, what);
    if (!version) co_return std::unexpected(version.error());
    auto removed = co_await all.remove(one->uuid, *version);
    if (!removed) co_return refuse(std::move(removed.error()));
    ServerAnswer answer;
    answer.status = 204;
    co_return answer;
}

}  // namespace herald
