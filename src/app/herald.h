#pragma once

#include <functional>
#include <memory>
#include <string>

#include "app/config.h"
#include "base/result.h"

namespace herald {

/// One herald process: every part, built and joined in one place. run() blocks until SIGTERM or
/// SIGINT and a drain; SIGHUP reads the configuration again.
class Herald {
public:
    /// `reload` reads the configuration anew; it is called at SIGHUP.
    Herald(Config config, std::function<Result<Config>()> reload);
    ~Herald();

    /// Opens the store and binds the address, then serves. Returns when it was asked to stop and
    /// everything in hand is finished or back in the store.
    Result<> run();

private:
    struct Parts;
    Config config_;
    std::function<Result<Config>()> reload_;
};

}  // namespace herald
