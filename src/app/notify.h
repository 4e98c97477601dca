#pragma once

#include <string_view>

namespace herald {

/// Tells systemd about our state ("READY=1"), when it started us with Type=notify: one datagram to
/// $NOTIFY_SOCKET. Without that variable: nothing.
void notify_service_manager(std::string_view state);

}  // namespace herald
