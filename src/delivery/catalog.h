#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "async/clock.h"
#include "async/worker.h"
#include "base/ids.h"
#include "base/result.h"
#include "core/event.h"
#include "core/webhook.h"
#include "store/store.h"

namespace herald {

/// The webhooks in memory: finds those that want an event, and is the one way to change them (the
/// store first, then memory). A change takes effect for the next event and the next attempt.
/// Lives on the loop thread; changes of one webhook are in order.
class Catalog {
public:
    using Entry = std::shared_ptr<const Webhook>;

    /// `types`, `store`, `writer` and `clock` must outlive it. `store` is used on `writer` only.
    Catalog(Store& store, Worker& writer, const Clock& clock, const EventTypes& types,
            std::string default_branch);

    /// Reads all webhooks from the store.
    boost::asio::awaitable<Result<>> load();

    /// The active webhooks that want the event, by id; never one that an operator event is about.
    /// Cost does not grow with webhooks whose event type cannot match: exact names are found by
    /// hash, globs and `all` are walked.
    void match(const Event& event, std::vector<WebhookId>& out) const;

    /// nullptr: unknown. Removed ones are found too.
    [[nodiscard]] Entry find(WebhookId id) const;
    /// By uuid or name, not removed ones.
    [[nodiscard]] Entry find(std::string_view uuid_or_name) const;
    /// Not removed, by name.
    [[nodiscard]] std::vector<Entry> all() const;

    /// Validates, gives uuid and times, stores. Errc::invalid, Errc::conflict (name).
    boost::asio::awaitable<Result<Entry>> create(Webhook webhook);
    /// Replaces the one with webhook.id. `expected_version` as of If-Match. A changed key or URL
    /// forgets the accepted signature profile.
    boost::asio::awaitable<Result<Entry>> update(Webhook webhook,
                                                 std::optional<std::uint64_t> expected_version);
    boost::asio::awaitable<Result<>> remove(WebhookId id,
                                            std::optional<std::uint64_t> expected_version);
    /// Remembers the profile that the receiver accepted. Not a change a person made: same version.
    boost::asio::awaitable<void> accept_profile(Entry webhook, SignatureProfile profile);
    /// As accept_profile(): the keys that the receiver accepted while one is rotated.
    boost::asio::awaitable<void> accept_key(Entry webhook, KeyUse use);
    /// Wipes the old keys of rotations that are over, from memory and from the store. Costs nothing
    /// while there are none.
    boost::asio::awaitable<void> forget_old_keys();

    [[nodiscard]] const EventTypes& types() const { return types_; }
    [[nodiscard]] const std::string& default_branch() const { return default_branch_; }

    /// What to call on the loop thread when a webhook was created, changed or removed.
    void on_change(std::function<void(const Webhook&)> listener) {
        listener_ = std::move(listener);
    }

private:
    boost::asio::awaitable<void> note(Webhook webhook);
    void place(Webhook webhook);
    void index();

    Store& store_;
    Worker& writer_;
    const Clock& clock_;
    const EventTypes& types_;
    std::string default_branch_;
    std::function<void(const Webhook&)> listener_;
    std::map<WebhookId, Entry> webhooks_;
    std::unordered_map<std::string, std::vector<const Webhook*>> by_type_;
    std::vector<const Webhook*> by_glob_;  ///< `all` and globs
    Time first_rotation_ends_ = Time::max();
};

}  // namespace herald
