#pragma once

#include <cstdint>

namespace herald {

/// Whether Python's repr() prints the character as it is (str.isprintable, Unicode category based).
[[nodiscard]] bool is_python_printable(std::uint32_t point);

}  // namespace herald
