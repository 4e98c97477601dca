#include "core/filter.h"

#include <algorithm>
#include <array>

namespace herald {

namespace {

constexpr std::array all_scopes{BranchScope::default_branch, BranchScope::other_branches,
                                BranchScope::all_branches};

bool is_pattern(std::string_view entry) { return entry == "all" || is_glob(entry); }

/// Whether events of a known type can have this kind at all.
bool can_have_kind(const EventType& type, std::string_view kind) {
    if (!type.fixed_kind.empty()) return type.fixed_kind == kind;
    return type.carries_kind;
}

bool scope_can_fire(const EventType& type, BranchScope scope, std::string_view default_branch) {
    if (type.fixed_branch.empty()) return true;
    const bool on_default = type.fixed_branch == the_default_branch;
    return branch_matches(scope, std::string(on_default ? default_branch : type.fixed_branch),
                          default_branch);
}

bool kind_can_fire(const EventType& type, std::string_view entry, std::string_view kind,
                   const EventTypes& types) {
    return kind.empty() || !asks_for_kind(entry, types) || can_have_kind(type, kind);
}

std::vector<const EventType*> known_matches(std::string_view entry, const EventTypes& types) {
    std::vector<const EventType*> matches;
    for (const EventType& type : types.all()) {
        if (name_matches(entry, type.name, types)) matches.push_back(&type);
    }
    return matches;
}

std::string quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

std::string branch_warning(std::string_view entry, const EventType& example,
                           const std::vector<const EventType*>& matches, BranchScope scope,
                           std::string_view default_branch) {
    const bool global = example.fixed_branch == global_branch;
    std::string where = global ? "the global branch, which is not the default branch"
                               : "the branch " + quoted(example.fixed_branch == the_default_branch
                                                            ? default_branch
                                                            : example.fixed_branch);
    std::string use;
    for (const BranchScope other : all_scopes) {
        const bool fires = std::ranges::any_of(matches, [&](const EventType* type) {
            return scope_can_fire(*type, other, default_branch);
        });
        if (!fires) continue;
        if (!use.empty()) use += " or ";
        use += to_text(other);
    }
    return quoted(entry) + " never fires with branch_scope " + std::string(to_text(scope)) +
           ": its events are always on " + where + "; use branch_scope " + use;
}

std::string kind_warning(std::string_view entry, const EventType& example, std::string_view kind) {
    std::string text = quoted(entry) + " never fires with node_kind " + quoted(kind) + ": ";
    if (example.fixed_kind.empty()) {
        return text + "its events carry no node kind; remove node_kind or choose other event types";
    }
    return text + "its events are always of kind " + quoted(example.fixed_kind) +
           "; use that kind or remove node_kind";
}

std::optional<std::string> entry_warning(const Filter& filter, std::string_view entry,
                                         const EventTypes& types, std::string_view default_branch) {
    const auto matches = known_matches(entry, types);
    if (matches.empty()) {
        if (entry == "all") return std::nullopt;
        return quoted(entry) + " is not in the catalogue: it fires only if the source sends it";
    }
    auto on_branch = [&](const EventType* type) {
        return scope_can_fire(*type, filter.branch_scope, default_branch);
    };
    auto of_kind = [&](const EventType* type) {
        return kind_can_fire(*type, entry, filter.node_kind, types);
    };
    if (std::ranges::none_of(matches, on_branch)) {
        return branch_warning(entry, *matches.front(), matches, filter.branch_scope,
                              default_branch);
    }
    if (std::ranges::none_of(matches, of_kind)) {
        return kind_warning(entry, *matches.front(), filter.node_kind);
    }
    const bool together = std::ranges::any_of(
        matches, [&](const EventType* type) { return on_branch(type) && of_kind(type); });
    if (together) return std::nullopt;
    return quoted(entry) + " never fires: its event types of node_kind " +
           quoted(filter.node_kind) + " are never on branches of branch_scope " +
           std::string(to_text(filter.branch_scope));
}

}  // namespace

std::string_view to_text(BranchScope scope) {
    switch (scope) {
        case BranchScope::default_branch: return "default_branch";
        case BranchScope::other_branches: return "other_branches";
        case BranchScope::all_branches: return "all_branches";
    }
    return "";
}

std::optional<BranchScope> parse_branch_scope(std::string_view text) {
    const auto found =
        std::ranges::find(all_scopes, text, [](BranchScope s) { return to_text(s); });
    if (found == all_scopes.end()) return std::nullopt;
    return *found;
}

bool name_matches(std::string_view pattern, std::string_view type, const EventTypes& types) {
    if (pattern == "all") return type.starts_with(types.prefix());
    return is_glob(pattern) ? glob_match(pattern, type) : pattern == type;
}

bool branch_matches(BranchScope scope, const std::optional<std::string>& branch,
                    std::string_view default_branch) {
    switch (scope) {
        case BranchScope::default_branch: return branch && *branch == default_branch;
        case BranchScope::other_branches: return branch && *branch != default_branch;
        case BranchScope::all_branches: return true;
    }
    return false;
}

bool wants(const Filter& filter, const Event& event, const EventTypes& types,
           std::string_view default_branch) {
    if (!branch_matches(filter.branch_scope, event.branch, default_branch)) return false;
    const bool kind_fits = filter.node_kind.empty() || filter.node_kind == event.node.kind;
    return std::ranges::any_of(filter.event_types, [&](const std::string& entry) {
        return name_matches(entry, event.type, types) &&
               (kind_fits || !asks_for_kind(entry, types));
    });
}

bool asks_for_kind(std::string_view entry, const EventTypes& types) {
    if (is_pattern(entry)) return true;
    const EventType* type = types.find(entry);
    return type == nullptr || type->carries_kind;
}

std::vector<const EventType*> types_that_pass(const Filter& filter, const EventTypes& types,
                                              std::string_view default_branch) {
    std::vector<const EventType*> found;
    for (const EventType& type : types.all()) {
        const bool passes = std::ranges::any_of(filter.event_types, [&](const std::string& entry) {
            return name_matches(entry, type.name, types) &&
                   scope_can_fire(type, filter.branch_scope, default_branch) &&
                   kind_can_fire(type, entry, filter.node_kind, types);
        });
        if (passes) found.push_back(&type);
    }
    return found;
}

bool has_unknown_types(const Filter& filter, const EventTypes& types) {
    return std::ranges::any_of(filter.event_types, [&](const std::string& entry) {
        return entry != "all" && known_matches(entry, types).empty();
    });
}

bool takes_node_kind(std::string_view entry, std::string_view kind, const EventTypes& types) {
    const auto matches = known_matches(entry, types);
    // What nobody knows may carry a kind.
    if (entry == "all" || matches.empty()) return true;
    return std::ranges::any_of(matches, [&](const EventType* type) {
        return type->carries_kind || (is_pattern(entry) && type->fixed_kind == kind);
    });
}

std::vector<std::string> warnings(const Filter& filter, const EventTypes& types,
                                  std::string_view default_branch) {
    std::vector<std::string> found;
    for (const std::string& entry : filter.event_types) {
        auto warning = entry_warning(filter, entry, types, default_branch);
        if (warning) found.push_back(std::move(*warning));
    }
    return found;
}

}  // namespace herald
