#pragma once

#include <functional>
#include <memory>
#include <string>

#include "api/api.h"
#include "delivery/transformations.h"
#include "support/engine.h"
#include "transform/git_repositories.h"
#include "transform/host_pool.h"
#include "transform/hosted_transform.h"

namespace herald::test {

/// The HTTP API over the real parts of an engine, without its socket.
class ApiTest : public EngineTest {
protected:
    void SetUp() override {
        EngineTest::SetUp();
        open_api();
    }
    void TearDown() override {
        close_api();
        EngineTest::TearDown();
    }

    void open_api();
    void close_api();
    void restart() {
        close_api();
        reopen();
        open_api();
    }
    ServerAnswer ask(const ServerRequest& request) { return run(api->handle(request)); }

    /// A request from this machine, with a JSON body.
    static ServerRequest request(std::string method, std::string target, std::string body = "");

    std::function<Result<Event>(JsonView, Time)> decode;
    NetworkPolicy network;
    std::unique_ptr<Readers> readers;
    std::unique_ptr<Transformations> transformations;
    std::unique_ptr<HostPool> hosts;
    std::unique_ptr<GitRepositories> repositories;
    std::unique_ptr<HostedTransform> transform;
    std::unique_ptr<Api> api;
};

}  // namespace herald::test
