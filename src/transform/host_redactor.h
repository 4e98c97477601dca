#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace herald {

/// Takes the values of secrets out of what a host says to people.
class HostRedactor {
public:
    void add(std::string_view secret);

    /// With *** for each secret, as it is and as JSON has it, and for the beginning of one that is
    /// followed by "...": messages of jq cut values so.
    [[nodiscard]] std::string without_secrets(std::string text) const;

private:
    std::vector<std::string> forms_;  ///< the longest first: one may be the beginning of another
};

}  // namespace herald
