#include "api/presets.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/shipped_presets.h"
#include "base/json.h"
#include "core/options.h"
#include "core/suggest.h"

namespace herald {

namespace {

using boost::asio::awaitable;

constexpr std::string_view listed[] = {"name", "title", "documentation", "description",
                                       "parameters"};

std::string name_of(const std::string& preset) {
    return JsonView(preset).string("name").value_or("");
}

/// As they were written, in canonical form, by name.
Result<std::vector<std::string>> shipped() {
    std::vector<std::string> documents;
    for (const std::string_view text : presets::all) {
        auto document = canonical_json(text);
        if (!document) {
            return fail(Errc::internal, "a preset is broken: " + document.error().message);
        }
        documents.push_back(std::move(*document));
    }
    std::ranges::sort(documents, {}, name_of);
    return documents;
}

void append_listed(std::string& out, JsonView preset) {
    OptionWriter writer(out, SecretForm::plain);
    for (const std::string_view name : listed) {
        writer.begin(name);
        out += preset.find(name).value_or(JsonView{}).raw();
    }
    writer.finish();
}

}  // namespace

awaitable<Answer> list_presets(const Call&) {
    const auto documents = shipped();
    if (!documents) co_return refuse(documents.error());
    ServerAnswer answer;
    answer.body = "{\"items\":[";
    for (const std::string& document : *documents) {
        if (!answer.body.ends_with('[')) answer.body += ',';
        append_listed(answer.body, JsonView(document));
    }
    answer.body += "]}";
    co_return answer;
}

awaitable<Answer> get_preset(const Call& call) {
    auto documents = shipped();
    if (!documents) co_return refuse(documents.error());
    std::vector<std::string> names;
    for (std::string& document : *documents) {
        names.push_back(name_of(document));
        if (names.back() != call.parameter) continue;
        ServerAnswer answer;
        answer.body = std::move(document);
        co_return answer;
    }
    const std::vector<std::string_view> candidates(names.begin(), names.end());
    co_return refuse(Errc::not_found, "there is no preset " + call.parameter +
                                          did_you_mean(call.parameter, candidates));
}

}  // namespace herald
