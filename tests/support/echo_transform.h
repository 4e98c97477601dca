#pragma once

#include <string>
#include <vector>

#include "transform/transform.h"

namespace herald::test {

/// Makes an event's own body of it, without a process.
struct EchoTransform : Transform {
    boost::asio::awaitable<Made> apply(const Event& event, const Webhook&) override {
        co_return MadeRequest{event.body, "application/json", ""};
    }
    [[nodiscard]] std::vector<std::string> secrets(const Webhook&) const override { return {}; }
};

}  // namespace herald::test
