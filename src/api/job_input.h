#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/json.h"
#include "base/result.h"
#include "core/job.h"
#include "core/webhook.h"

namespace herald {

/// What a caller asks for.
struct JobInput {
    Job job;
    bool dry_run = false;
};

/// Gives a webhook by name or id.
using FindJobWebhook = std::function<std::optional<WebhookId>(const std::string& name)>;

/// Reads the body of POST /jobs. A member that is null counts as left out. `since` and `until` are
/// times (RFC 3339) or durations before `now`. The error names every wrong member. What the kind
/// asks for is validate()'s to say.
[[nodiscard]] Result<JobInput> read_job(JsonView input, Time now, const FindJobWebhook& find);

}  // namespace herald
