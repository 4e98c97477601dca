#pragma once

#include <functional>

#include <boost/asio/error.hpp>

namespace herald {

/// Closes something that is not needed now, so that its file descriptor can be had again. False:
/// there was nothing to close.
using GiveWay = std::function<bool()>;

/// There are no file descriptors, in the process or in the system.
inline bool is_starved(boost::system::error_code error) {
    return error == boost::asio::error::no_descriptors ||
           error == boost::system::errc::too_many_files_open_in_system;
}

}  // namespace herald
