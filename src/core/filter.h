#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/event.h"
#include "core/event_types.h"

namespace herald {

enum class BranchScope { default_branch, other_branches, all_branches };

[[nodiscard]] std::string_view to_text(BranchScope scope);
[[nodiscard]] std::optional<BranchScope> parse_branch_scope(std::string_view text);

/// Which events a webhook wants. Pure; the rule is contract 3.3:
///   name   `all`: the type starts with the catalogue's prefix; else it equals a name or matches
///          a glob of the list
///   kind   no node_kind, or the entry that matched is a name known to carry none, or the event's
///          node kind equals it. `all`, globs and names outside the catalogue ask for the kind.
///   branch all: true; default: a label that equals the default branch; other: a label that does
///          not (the global branch is "other"); an event without a label is only for "all"
struct Filter {
    std::vector<std::string> event_types = {"all"};
    BranchScope branch_scope = BranchScope::default_branch;
    std::string node_kind = {};  ///< empty: any

    bool operator==(const Filter&) const = default;
};

[[nodiscard]] bool name_matches(std::string_view pattern, std::string_view type,
                                const EventTypes& types);
[[nodiscard]] bool branch_matches(BranchScope scope, const std::optional<std::string>& branch,
                                  std::string_view default_branch);
[[nodiscard]] bool wants(const Filter& filter, const Event& event, const EventTypes& types,
                         std::string_view default_branch);

/// Whether an entry of event_types that matched by name asks for the node kind too. A name that is
/// known to carry none does not; an unknown name might carry one, so it does.
[[nodiscard]] bool asks_for_kind(std::string_view entry, const EventTypes& types);

/// The known types of which events can pass the filter.
[[nodiscard]] std::vector<const EventType*> types_that_pass(const Filter& filter,
                                                            const EventTypes& types,
                                                            std::string_view default_branch);
/// Whether an entry stands for no known type, so that nobody can say what its events carry.
[[nodiscard]] bool has_unknown_types(const Filter& filter, const EventTypes& types);

/// Whether a node_kind makes sense with this entry of event_types: not when all that it stands for
/// is known to carry none (contract 1.5). The fixed kind of a type counts for `all` and globs.
[[nodiscard]] bool takes_node_kind(std::string_view entry, std::string_view kind,
                                   const EventTypes& types);

/// What can never fire about this filter, each in one sentence that says why (contract 1.5, 2.7,
/// 13.7): a fixed branch outside the scope, a kind that the type never carries. Empty: fine.
[[nodiscard]] std::vector<std::string> warnings(const Filter& filter, const EventTypes& types,
                                                std::string_view default_branch);

}  // namespace herald
