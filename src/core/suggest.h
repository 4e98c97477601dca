#pragma once

#include <span>
#include <string>
#include <string_view>

namespace herald {

/// ": did you mean X?" with the candidate nearest to `word`, or empty when none is near.
[[nodiscard]] std::string did_you_mean(std::string_view word,
                                       std::span<const std::string_view> candidates);

}  // namespace herald
