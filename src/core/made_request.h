#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "core/attempt.h"

namespace herald {

/// What a transformation made of an event. Made once a delivery: every attempt sends the same.
struct MadeRequest {
    std::string body;
    std::string content_type;  ///< empty: as the webhook says
    std::string url;           ///< empty: the webhook's
    HeaderList headers = {};   ///< besides the webhook's, or in their place

    bool operator==(const MadeRequest&) const = default;
};

/// What the store keeps of it.
[[nodiscard]] std::string stored_text(const MadeRequest& made);
/// Reads what stored_text() wrote. The error says that it did not.
[[nodiscard]] Result<MadeRequest> read_made_request(std::string_view text);

}  // namespace herald
