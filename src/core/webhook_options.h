#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "core/options.h"
#include "core/webhook.h"

namespace herald {

// A webhook's options come in groups: top-level members of its JSON, each read and written by one
// core file. One table names them all, and what the API reads and shows and what the store keeps
// all follow from it.

/// The names of the groups, in the order they are shown.
[[nodiscard]] const std::vector<std::string_view>& option_groups();

/// Reads the group `name` (one of option_groups()) into `webhook`. `merge`: what `value` leaves
/// out stays as it is in `stored` (RFC 7396); otherwise it gets its default. Secrets that come
/// masked are those of `stored`; null: there is none.
void read_option_group(Webhook& webhook, std::string_view name, JsonView value,
                       const Webhook* stored, bool merge, std::vector<FieldError>& wrong);

/// Appends `,"name":value` for each group, for people: secrets are masked.
void append_option_groups(std::string& out, const Webhook& webhook);

/// What the store keeps: a canonical object with the groups that are not at their default, secrets
/// in plain.
[[nodiscard]] std::string stored_options(const Webhook& webhook);
/// Reads what stored_options() wrote. The error says that it did not.
[[nodiscard]] Result<> read_stored_options(Webhook& webhook, std::string_view text);

}  // namespace herald
