#include "support/api_engine.h"

#include <utility>

#include "infrahub/decode.h"
#include "infrahub/samples.h"

namespace herald::test {

void ApiTest::open_api() {
    readers = std::make_unique<Readers>(engine->store, 1);
    transformations =
        std::make_unique<Transformations>(engine->store, engine->writer, engine->catalog, clock);
    ASSERT_TRUE(run(transformations->load()));
    hosts = std::make_unique<HostPool>(loop.get_executor(), wheel, engine->metrics);
    repositories =
        std::make_unique<GitRepositories>(loop.get_executor(), dir.path() / "repositories");
    TransformSources sources;
    sources.find = [this](std::string_view name) { return transformations->find(name); };
    sources.read = [](const std::string& text) { return text; };
    transform = std::make_unique<HostedTransform>(*hosts, *repositories, std::move(sources));
    if (!decode) {
        decode = [](JsonView object, Time now) {
            return infrahub::decode_event(object, now, "api");
        };
    }
    ApiParts parts{engine->catalog,
                   engine->committer,
                   engine->dispatcher,
                   engine->ingest,
                   engine->jobs,
                   *readers,
                   *transformations,
                   *transform,
                   engine->sender,
                   engine->store,
                   engine->writer,
                   engine->metrics,
                   clock,
                   decode,
                   infrahub::sample_event,
                   network,
                   "this-node"};
    api = std::make_unique<Api>(std::move(parts), ApiOptions{});
    api->set_ready(true);
}

void ApiTest::close_api() {
    api.reset();
    transform.reset();
    if (hosts) run(hosts->stop());
    if (repositories) run(repositories->stop());
    hosts.reset();
    repositories.reset();
    transformations.reset();
    readers.reset();
}

ServerRequest ApiTest::request(std::string method, std::string target, std::string body) {
    ServerRequest made;
    made.method = std::move(method);
    made.target = std::move(target);
    made.path = made.target.substr(0, made.target.find('?'));
    const std::size_t query = made.target.find('?');
    if (query != made.target.npos) made.query = made.target.substr(query + 1);
    made.headers = {{"host", "localhost"}, {"content-type", "application/json"}};
    made.body = std::move(body);
    return made;
}

}  // namespace herald::test
