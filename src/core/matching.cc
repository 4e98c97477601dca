#include "core/matching.h"

#include <algorithm>
#include <iterator>

#include "core/operator_events.h"

namespace herald {

namespace {

std::string quoted(std::string_view text) { return describe(JsonValue::of_text(text)); }

/// One that is stopped still fires: what it fires waits.
ConditionCheck check_active(const Webhook& webhook, const Health& health) {
    if (!webhook.active) return {"active", false, "the webhook is paused"};
    if (!health.stopped()) return {"active", true, "the webhook is active"};
    return {"active", true, "the webhook is active, but " + why_stopped(health)};
}

ConditionCheck check_type(const Filter& filter, const Event& event, const EventTypes& types) {
    std::string entries;
    for (const std::string& entry : filter.event_types) {
        if (name_matches(entry, event.type, types)) {
            return {"event_type", true, quoted(entry) + " takes " + event.type};
        }
        entries += (entries.empty() ? "" : ", ") + quoted(entry);
    }
    return {"event_type", false, event.type + " is not taken by " + entries};
}

ConditionCheck check_branch(const Filter& filter, const Event& event,
                            std::string_view default_branch) {
    const bool holds = branch_matches(filter.branch_scope, event.branch, default_branch);
    std::string reason = std::string(to_text(filter.branch_scope)) + ": the event ";
    if (!event.branch) {
        reason += "has no branch";
    } else if (*event.branch == default_branch) {
        reason += "is on the default branch " + quoted(*event.branch);
    } else if (*event.branch == global_branch) {
        reason += "is on the global branch, which is not the default branch";
    } else {
        reason += "is on " + quoted(*event.branch) + ", not on the default branch " +
                  quoted(default_branch);
    }
    return {"branch_scope", holds, std::move(reason)};
}

ConditionCheck check_kind(const Filter& filter, const Event& event, const EventTypes& types) {
    const std::string& kind = event.node.kind;
    const std::string reason =
        kind.empty() ? "the event has no node kind" : "the event's node kind is " + quoted(kind);
    if (filter.node_kind.empty()) return {"node_kind", true, "any; " + reason};
    if (kind == filter.node_kind) return {"node_kind", true, reason};
    const auto spared = std::ranges::find_if(filter.event_types, [&](const std::string& entry) {
        return name_matches(entry, event.type, types) && !asks_for_kind(entry, types);
    });
    if (spared != filter.event_types.end()) {
        return {"node_kind", true, *spared + " carries no node kind, so it is not asked for"};
    }
    return {"node_kind", false, reason + ", not " + quoted(filter.node_kind)};
}

}  // namespace

bool wants(const Webhook& webhook, EventFacts& facts, const EventTypes& types,
           std::string_view default_branch) {
    return wants(webhook.filter, facts.event(), types, default_branch) &&
           hold(webhook.conditions, facts) && !is_about(facts.event(), webhook);
}

std::string why_stopped(const Health& health) {
    return "it is " + std::string(to_text(health.state)) + ": " + health.reason +
           ". Nothing is sent and deliveries wait until it is resumed, as by `herald webhook "
           "resume`";
}

std::vector<ConditionCheck> explain(const Webhook& webhook, const Health& health,
                                    const Event& event, const EventTypes& types,
                                    std::string_view default_branch) {
    std::vector<ConditionCheck> checks{check_active(webhook, health),
                                       check_type(webhook.filter, event, types),
                                       check_branch(webhook.filter, event, default_branch),
                                       check_kind(webhook.filter, event, types)};
    EventFacts facts(event, types);
    std::ranges::move(check(webhook.conditions, facts), std::back_inserter(checks));
    if (is_about(event, webhook)) {
        checks.push_back({"not_about_itself", false,
                          "the event tells of this webhook, so it is sent to others only"});
    }
    return checks;
}

}  // namespace herald
