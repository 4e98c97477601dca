#include "core/made_request.h"

#include "base/json.h"
#include "core/limits.h"
#include "core/options.h"

namespace herald {

std::string stored_text(const MadeRequest& made) {
    std::string out;
    OptionWriter writer(out, SecretForm::plain);
    writer.text("body", made.body);
    writer.text("content_type", made.content_type);
    writer.text("url", made.url);
    writer.begin("headers");
    out += '[';
    for (const auto& [name, value] : made.headers) {
        if (out.back() != '[') out += ',';
        append_json_string(out, name);
        out += ',';
        append_json_string(out, value);
    }
    out += ']';
    writer.finish();
    return out;
}

Result<MadeRequest> read_made_request(std::string_view text) {
    std::vector<FieldError> wrong;
    OptionReader reader(JsonView(text), "/made", JsonView{}, wrong);
    MadeRequest made;
    made.body = reader.text("body");
    made.content_type = reader.text("content_type");
    made.url = reader.text("url");
    const auto headers = reader.texts("headers", 2 * limits::headers);
    for (std::size_t i = 0; i + 1 < headers.size(); i += 2) {
        made.headers.emplace_back(headers[i], headers[i + 1]);
    }
    if (wrong.empty()) return made;
    return fail(Errc::internal, "what a transformation made is stored wrong: " + wrong[0].detail);
}

}  // namespace herald
