#pragma once

#include <string>
#include <vector>

#include "core/attempt.h"
#include "core/options.h"

namespace herald {

/// Which answers mean that a delivery has arrived: the group `success`. Without rules it is 2xx.
struct SuccessRule {
    /// "202" or a class such as "2xx"; empty: 2xx.
    std::vector<std::string> statuses;
    /// What the answer's body has to hold, and must not hold, within limits::response_capture;
    /// empty: nothing is asked. For receivers that say 200 and mean an error (ecosystem 1.9).
    std::string body_contains;
    std::string body_lacks;

    bool operator==(const SuccessRule&) const = default;
};

[[nodiscard]] SuccessRule read_success_rule(JsonView value, JsonView stored,
                                            std::vector<FieldError>& wrong);
void append_success_rule(std::string& out, const SuccessRule& rule, SecretForm form);

/// What the rule makes of an answer that came whole. An answer that is none of the statuses fails
/// by its status; a 2xx that the rule does not take fails as HTTP_CLIENT_ERROR.
[[nodiscard]] Outcome judge(const SuccessRule& rule, int status, const std::string& body,
                            Outcome otherwise);

}  // namespace herald
