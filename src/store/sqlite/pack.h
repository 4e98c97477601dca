#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/attempt.h"
#include "core/event.h"

namespace herald::sqlite {

/// Lists are kept in one column as texts one behind the other, each behind its length in four
/// bytes, little-endian. They are read whole and never searched by SQL.
[[nodiscard]] std::string pack(const std::vector<NodeRef>& nodes);
[[nodiscard]] std::string pack(const std::vector<Ancestor>& ancestors);
[[nodiscard]] std::string pack(const HeaderList& headers);
[[nodiscard]] std::string pack(const std::vector<RefusedProfile>& refused);
[[nodiscard]] std::string pack(const std::vector<std::string>& texts);

/// Throw Failure when the bytes are not what pack() wrote.
[[nodiscard]] std::vector<NodeRef> unpack_nodes(std::string_view packed);
[[nodiscard]] std::vector<Ancestor> unpack_ancestors(std::string_view packed);
[[nodiscard]] HeaderList unpack_headers(std::string_view packed);
[[nodiscard]] std::vector<RefusedProfile> unpack_refused(std::string_view packed);
[[nodiscard]] std::vector<std::string> unpack_texts(std::string_view packed);

}  // namespace herald::sqlite
