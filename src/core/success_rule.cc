#include "core/success_rule.h"

#include <algorithm>
#include <utility>

#include "core/ascii.h"
#include "core/limits.h"

namespace herald {

namespace {

bool is_status(const std::string& text) {
    if (text.size() != 3 || text[0] < '1' || text[0] > '5') return false;
    return (ascii::is_digit(text[1]) && ascii::is_digit(text[2])) || text.ends_with("xx");
}

bool names_status(const std::string& text, int status) {
    const std::string code = std::to_string(status);
    return text == code || (text.ends_with("xx") && text[0] == code[0]);
}

}  // namespace

SuccessRule read_success_rule(JsonView value, JsonView stored, std::vector<FieldError>& wrong) {
    OptionReader reader(value, "/success", stored, wrong);
    SuccessRule rule;
    rule.statuses = reader.texts("statuses", limits::success_statuses);
    for (std::size_t i = 0; i < rule.statuses.size(); ++i) {
        if (is_status(rule.statuses[i])) continue;
        reader.wrong("statuses/" + std::to_string(i), "must be a status such as 202, or 2xx");
    }
    rule.body_contains = reader.text("body_contains");
    rule.body_lacks = reader.text("body_lacks");
    for (const auto& [name, text] : {std::pair{"body_contains", &rule.body_contains},
                                     std::pair{"body_lacks", &rule.body_lacks}}) {
        if (text->size() <= limits::label_bytes) continue;
        reader.wrong(name, "may have at most " + std::to_string(limits::label_bytes) + " bytes");
    }
    reader.finish();
    return rule;
}

void append_success_rule(std::string& out, const SuccessRule& rule, SecretForm form) {
    OptionWriter writer(out, form);
    writer.texts("statuses", rule.statuses);
    writer.text_or_null("body_contains", rule.body_contains);
    writer.text_or_null("body_lacks", rule.body_lacks);
    writer.finish();
}

Outcome judge(const SuccessRule& rule, int status, const std::string& body, Outcome otherwise) {
    const FailureClass failure = otherwise.failure;
    const bool whole = otherwise.ok() || failure == FailureClass::http_client_error ||
                       failure == FailureClass::http_server_error;
    if (status == 0 || !whole || rule == SuccessRule{}) return otherwise;
    const bool is_2xx = status >= 200 && status <= 299;
    const bool taken =
        rule.statuses.empty() ? is_2xx : std::ranges::any_of(rule.statuses, [&](auto& one) {
            return names_status(one, status);
        });
    if (!taken && !is_2xx) return otherwise;
    const auto refuse = [](std::string why) {
        return Outcome{FailureClass::http_client_error,
                       std::move(why) + ", which the webhook's success rule does not take"};
    };
    if (!taken) return refuse("The receiver answered " + std::to_string(status));
    if (!rule.body_contains.empty() && !body.contains(rule.body_contains)) {
        return refuse("The receiver's answer lacks \"" + rule.body_contains + "\"");
    }
    if (!rule.body_lacks.empty() && body.contains(rule.body_lacks)) {
        return refuse("The receiver's answer holds \"" + rule.body_lacks + "\"");
    }
    return {};
}

}  // namespace herald
