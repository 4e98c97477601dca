#include "core/event_types.h"

#include <algorithm>

namespace herald {

namespace {

/// The place behind the character at `at`: a star or a question mark never splits UTF-8.
std::size_t next_character(std::string_view text, std::size_t at) {
    ++at;
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U) ++at;
    return at;
}

}  // namespace

const EventType* EventTypes::find(std::string_view name) const {
    const auto found = std::ranges::find(types_, name, &EventType::name);
    return found == types_.end() ? nullptr : &*found;
}

bool EventTypes::carries_kind(std::string_view pattern) const {
    return std::ranges::any_of(types_, [&](const EventType& type) {
        return type.carries_kind && glob_match(pattern, type.name);
    });
}

bool glob_match(std::string_view pattern, std::string_view text) {
    std::size_t p = 0;
    std::size_t t = 0;
    // The last star seen and the text it has not swallowed yet. Earlier stars need no second
    // look: what they took was the shortest, so it leaves the most to the ones behind.
    std::size_t behind_star = std::string_view::npos;
    std::size_t retry_from = 0;
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            behind_star = ++p;
            retry_from = t;
        } else if (p < pattern.size() && pattern[p] == '?') {
            ++p;
            t = next_character(text, t);
        } else if (p < pattern.size() && pattern[p] == text[t]) {
            ++p;
            ++t;
        } else if (behind_star != std::string_view::npos) {
            p = behind_star;
            retry_from = next_character(text, retry_from);
            t = retry_from;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*') ++p;
    return p == pattern.size();
}

bool is_glob(std::string_view pattern) { return pattern.find_first_of("*?") != pattern.npos; }

}  // namespace herald
