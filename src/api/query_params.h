#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "core/query.h"

namespace herald {

// The query of a list, read strictly: what is unknown, double or out of range is an error that
// names the parameter. All errors are for status 400.

/// The lists that cursors are made for (core/query.h).
inline constexpr char event_list = 'e';
inline constexpr char delivery_list = 'd';
inline constexpr char webhook_list = 'w';
inline constexpr char backtest_list = 'b';

struct Parameter {
    std::string name;
    std::string value;

    bool operator==(const Parameter&) const = default;
};

/// Takes "a=1&b=x%20y" apart; "+" is a space.
[[nodiscard]] Result<std::vector<Parameter>> parse_query(std::string_view query);

struct EventListQuery {
    EventQuery query;
    bool count = false;
};
[[nodiscard]] Result<EventListQuery> read_event_query(std::string_view query);

/// Gives a webhook by name or id.
using FindWebhook = std::function<std::optional<WebhookId>(const std::string& name)>;
[[nodiscard]] Result<DeliveryQuery> read_delivery_query(std::string_view query,
                                                        const FindWebhook& find);

struct WebhookListQuery {
    std::vector<std::string> names;  ///< names or globs
    std::optional<WebhookId> after;  ///< the last one seen
    std::size_t limit = limits::page_default;
};
[[nodiscard]] Result<WebhookListQuery> read_webhook_query(std::string_view query);

/// The event that explain is asked about.
[[nodiscard]] Result<EventId> read_explain_query(std::string_view query);

/// For what takes no parameters.
[[nodiscard]] Result<> read_no_query(std::string_view query);

/// The target of the next page: the same query behind another cursor.
[[nodiscard]] std::string next_target(std::string_view path, std::string_view query,
                                      std::string_view cursor);

}  // namespace herald
