#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "api/call.h"

namespace herald {

/// What is special about a route.
struct Traits {
    bool open = false;       ///< served to everyone
    bool any_query = false;  ///< reads its query itself, or ignores it; others take none
    bool keyed = false;      ///< honours Idempotency-Key
};

/// One row of the route table. Rows are constants, so their texts are literals.
struct Route {
    std::string_view method;
    std::string_view path;  ///< "{}" stands for one segment, at most once
    boost::asio::awaitable<Answer> (*handler)(const Call& call);
    std::string_view name;  ///< in metrics
    Traits traits = {};
};

[[nodiscard]] std::span<const Route> routes();

/// What the table says about a request.
struct Match {
    const Route* route = nullptr;
    std::string parameter;
    std::vector<std::string_view> allowed;  ///< the path's methods when the method is not served
};

/// `path` as sent, still percent-encoded, so that a "/" within a name is no separator. HEAD finds
/// the row of GET.
[[nodiscard]] Match match(std::string_view method, std::string_view path);

}  // namespace herald
