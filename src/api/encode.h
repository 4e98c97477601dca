#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/attempt.h"
#include "core/delivery.h"
#include "core/event.h"
#include "core/health.h"
#include "core/query.h"
#include "core/webhook.h"
#include "delivery/ingest.h"

namespace herald {

// JSON of the API, written by appending. All of it is canonical (base/json.h), so JsonView reads
// it. The shapes are in docs/api.md.

void append_time(std::string& out, Time time);
/// `null` for nothing.
void append_text_or_null(std::string& out, std::string_view text);
void append_count_or_null(std::string& out, const std::optional<Count>& count);

/// The list form of an event: without body and data.
void append_event(std::string& out, EventSeq seq, const Event& event);
/// As append_event but without the closing brace, for those who add to it.
void append_open_event(std::string& out, EventSeq seq, const Event& event);
/// What an event's changelog says, as an array; empty without one.
void append_changes(std::string& out, const Event& event);

/// The answer to an event that came in.
void append_submitted(std::string& out, EventId id, const Submitted& submitted);

struct DeliveryView {
    const Delivery& delivery;
    const Webhook* webhook = nullptr;  ///< nullptr: unknown
    bool in_flight = false;
};
void append_delivery(std::string& out, const DeliveryView& view);
/// As append_delivery but without the closing brace.
void append_open_delivery(std::string& out, const DeliveryView& view);
void append_attempt(std::string& out, const Attempt& attempt);

/// Its id and name only.
void append_webhook_name(std::string& out, const Webhook& webhook);
/// What a webhook is, with every secret masked.
void append_webhook(std::string& out, const Webhook& webhook, const Health& health,
                    const std::vector<std::string>& warnings);

}  // namespace herald
