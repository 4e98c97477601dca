#include "api/idempotency.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "base/log.h"
#include "core/limits.h"

namespace herald {

namespace {

using boost::asio::awaitable;

/// A key that a request holds for as long as it runs.
class KeyInHand {
public:
    KeyInHand(std::set<std::string>& keys, std::string key)
        : keys_(keys), key_(std::move(key)), first_(keys_.insert(key_).second) {}
    ~KeyInHand() {
        if (first_) keys_.erase(key_);
    }
    KeyInHand(const KeyInHand&) = delete;
    KeyInHand& operator=(const KeyInHand&) = delete;

    /// False: another request holds it.
    [[nodiscard]] bool first() const { return first_; }

private:
    std::set<std::string>& keys_;
    std::string key_;
    bool first_;
};

std::string digest_of(const ServerRequest& request) {
    return to_hex(sha256(request.method + "\n" + request.target + "\n" + request.body));
}

Answer replay(const RememberedAnswer& stored, const std::string& digest) {
    if (stored.request_digest != digest) {
        return refuse(Errc::invalid,
                      "this Idempotency-Key was used for another request: use a new key");
    }
    ServerAnswer answer;
    answer.status = stored.status;
    answer.body = stored.body;
    answer.headers.emplace_back("Idempotency-Replayed", "true");
    if (!stored.location.empty()) answer.headers.emplace_back("Location", stored.location);
    return answer;
}

RememberedAnswer to_remember(const std::string& key, const std::string& digest,
                             const ServerAnswer& answer, Time now) {
    RememberedAnswer stored;
    stored.key = key;
    stored.request_digest = digest;
    stored.status = answer.status;
    stored.body = answer.body;
    stored.created_at = now;
    const auto location =
        std::ranges::find(answer.headers, "Location", &HeaderList::value_type::first);
    if (location != answer.headers.end()) stored.location = location->second;
    return stored;
}

awaitable<Answer> serve_once(const Route& route, const Call& call, std::string key) {
    const ApiParts& parts = call.api.parts;
    const std::string digest = digest_of(call.request);
    const KeyInHand in_hand(call.api.keys_in_progress, key);
    if (!in_hand.first()) {
        co_return refuse(Errc::conflict,
                         "a request with this Idempotency-Key is in progress: try again later");
    }
    auto look = [&store = parts.store, key, now = parts.clock.now()] {
        return store.remembered(key, now);
    };
    auto known = co_await parts.writer.run(std::move(look));
    if (!known) co_return refuse(std::move(known.error()));
    if (*known) co_return replay(**known, digest);

    Answer answer = co_await route.handler(call);
    if (!answer || answer->status >= 300) co_return answer;
    auto keep = [&store = parts.store,
                 stored = to_remember(key, digest, *answer, parts.clock.now())] {
        return store.remember(stored);
    };
    auto kept = co_await parts.writer.run(std::move(keep));
    // What was asked for is done; saying so is right even if a repetition will not be known.
    if (!kept) log::warn("api.idempotency_not_stored", {{"error", kept.error().message}});
    co_return answer;
}

}  // namespace

awaitable<Answer> serve_keyed(const Route& route, const Call& call) {
    std::string key(call.request.header("idempotency-key"));
    if (!route.traits.keyed || key.empty()) co_return co_await route.handler(call);
    if (key.size() > limits::idempotency_key_bytes) {
        co_return refuse_request({Errc::invalid, "an Idempotency-Key may have at most " +
                                                     std::to_string(limits::idempotency_key_bytes) +
                                                     " bytes"});
    }
    co_return co_await serve_once(route, call, std::move(key));
}

}  // namespace herald
