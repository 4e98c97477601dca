#include "core/retry.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/limits.h"

namespace herald {

namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::array<std::string_view, 3> preset_names{"standard", "infrahub", "none"};

RetryPolicy standard_policy() {
    return {.delays = {seconds{0}, seconds{5}, minutes{5}, minutes{30}, hours{2}, hours{5},
                       hours{10}, hours{14}, hours{20}, hours{24}},
            .jitter = 0.1};
}

void check_delays(const std::vector<Duration>& delays, std::vector<FieldError>& wrong) {
    if (delays.empty()) {
        wrong.push_back({"/retry/delays",
                         "must hold at least one delay: the first is the wait "
                         "before the first attempt, usually 0"});
    }
    if (delays.size() > limits::retry_delays) {
        wrong.push_back({"/retry/delays", "may hold at most " +
                                              std::to_string(limits::retry_delays) +
                                              " delays, one for each attempt"});
        return;
    }
    for (std::size_t i = 0; i < delays.size(); ++i) {
        const std::string pointer = "/retry/delays/" + std::to_string(i);
        if (delays[i] < Duration{0}) wrong.push_back({pointer, "must not be negative"});
        if (delays[i] > limits::retry_delay_max) {
            wrong.push_back(
                {pointer,
                 "must be at most " + std::to_string(limits::retry_delay_max.count()) + " hours"});
        }
    }
}

}  // namespace

std::optional<RetryPolicy> retry_preset(std::string_view name) {
    if (name == "standard") return standard_policy();
    if (name == "infrahub") {
        return RetryPolicy{.delays = {seconds{0}, seconds{120}, seconds{120}, seconds{120}},
                           .jitter = 0};
    }
    if (name == "none") return RetryPolicy{.delays = {seconds{0}}, .jitter = 0};
    return std::nullopt;
}

std::string_view preset_name(const RetryPolicy& policy) {
    for (const std::string_view name : preset_names) {
        if (retry_preset(name) == policy) return name;
    }
    return "";
}

RetryPolicy default_retry() { return standard_policy(); }

std::optional<Time> next_attempt(const RetryPolicy& policy, std::uint32_t made, Time now,
                                 double random) {
    if (made >= policy.attempts()) return std::nullopt;
    const double factor = 1.0 + policy.jitter * (2.0 * random - 1.0);
    const double wait = static_cast<double>(policy.delays[made].count()) * factor;
    return now + Duration{std::llround(std::max(wait, 0.0))};
}

bool retries(const std::vector<FailureClass>& retry_on, FailureClass failure) {
    return std::ranges::find(retry_on, failure) != retry_on.end();
}

std::vector<FailureClass> all_failures() {
    return {FailureClass::config,  FailureClass::connection,        FailureClass::tls,
            FailureClass::timeout, FailureClass::http_client_error, FailureClass::http_server_error,
            FailureClass::unknown, FailureClass::transform};
}

std::vector<FailureClass> read_retry_classes(JsonView value, const std::string& pointer,
                                             std::vector<FieldError>& wrong) {
    if (value.is_null()) return all_failures();
    std::vector<FailureClass> classes;
    if (value.kind() != JsonView::Kind::array) {
        wrong.push_back({pointer, "must be an array of failure classes such as \"TIMEOUT\""});
        return classes;
    }
    std::size_t i = 0;
    for (auto items = value.items(); items.next(); ++i) {
        const auto failure = parse_failure_class(items.value().string().value_or(""));
        if (failure && *failure != FailureClass::none) {
            classes.push_back(*failure);
        } else {
            wrong.push_back({pointer + "/" + std::to_string(i),
                             "must be CONFIG, CONNECTION, TLS, TIMEOUT, HTTP_CLIENT_ERROR, "
                             "HTTP_SERVER_ERROR, UNKNOWN or TRANSFORM"});
        }
    }
    std::ranges::sort(classes);
    const auto repeated = std::ranges::unique(classes);
    classes.erase(repeated.begin(), repeated.end());
    return classes;
}

void append_retry_classes(std::string& out, const std::vector<FailureClass>& retry_on) {
    out += '[';
    for (const FailureClass failure : retry_on) {
        if (out.back() != '[') out += ',';
        append_json_string(out, to_text(failure));
    }
    out += ']';
}

Result<> validate(const RetryPolicy& policy) {
    std::vector<FieldError> wrong;
    check_delays(policy.delays, wrong);
    // Written so that a NaN is refused too.
    if (!(policy.jitter >= 0.0 && policy.jitter <= 1.0)) {
        wrong.push_back({"/retry/jitter", "must be a number from 0 to 1"});
    }
    if (wrong.empty() && policy.delays.front() != Duration{0}) {
        wrong.push_back({"/retry/delays/0", "must be \"0s\": the first attempt is made at once"});
    }
    if (wrong.empty()) return {};
    return fail_fields("", std::move(wrong));
}

}  // namespace herald
