#pragma once

#include <vector>

#include "core/address.h"

namespace herald {

/// The addresses of this machine's network interfaces, now. Empty when the system does not tell.
[[nodiscard]] std::vector<Address> interface_addresses();

}  // namespace herald
