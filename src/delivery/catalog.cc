#include "delivery/catalog.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "core/matching.h"
#include "core/reference.h"

namespace herald {

namespace {

bool has_ended(const KeyRotation& rotation, Time now) {
    return rotation.until && now >= *rotation.until;
}

}  // namespace

Catalog::Catalog(Store& store, Worker& writer, const Clock& clock, const EventTypes& types,
                 std::string default_branch)
    : store_(store),
      writer_(writer),
      clock_(clock),
      types_(types),
      default_branch_(std::move(default_branch)) {}

boost::asio::awaitable<Result<>> Catalog::load() {
    auto job = [&store = store_] { return store.webhooks(); };
    auto stored = co_await writer_.run(std::move(job));
    if (!stored) co_return fail(stored.error());
    for (Webhook& webhook : *stored) {
        const WebhookId id = webhook.id;
        webhooks_[id] = std::make_shared<const Webhook>(std::move(webhook));
    }
    index();
    co_return Result<>{};
}

void Catalog::match(const Event& event, std::vector<WebhookId>& out) const {
    out.clear();
    // The body is looked into once for all webhooks that ask what it says.
    EventFacts facts(event, types_);
    auto consider = [&](const Webhook* webhook) {
        if (wants(*webhook, facts, types_, default_branch_)) out.push_back(webhook->id);
    };
    if (auto named = by_type_.find(event.type); named != by_type_.end()) {
        std::ranges::for_each(named->second, consider);
    }
    std::ranges::for_each(by_glob_, consider);
    std::ranges::sort(out);
    // A webhook that lists a name twice, or a name and a glob, is found more than once.
    out.erase(std::ranges::unique(out).begin(), out.end());
}

Catalog::Entry Catalog::find(WebhookId id) const {
    auto found = webhooks_.find(id);
    return found == webhooks_.end() ? nullptr : found->second;
}

Catalog::Entry Catalog::find(std::string_view uuid_or_name) const {
    const auto uuid = Uuid::parse(uuid_or_name);
    for (const auto& [id, webhook] : webhooks_) {
        if (webhook->removed) continue;
        if (webhook->name == uuid_or_name || (uuid && webhook->uuid == *uuid)) return webhook;
    }
    return nullptr;
}

std::vector<Catalog::Entry> Catalog::all() const {
    std::vector<Entry> live;
    for (const auto& [id, webhook] : webhooks_) {
        if (!webhook->removed) live.push_back(webhook);
    }
    std::ranges::sort(live, {}, [](const Entry& entry) { return entry->name; });
    return live;
}

boost::asio::awaitable<Result<Catalog::Entry>> Catalog::create(Webhook webhook) {
    webhook.id = WebhookId{};
    webhook.uuid = Uuid::random();
    webhook.created_at = clock_.now();
    webhook.updated_at = webhook.created_at;
    webhook.version = 1;
    webhook.removed = false;
    webhook.accepted_profile.reset();
    const Webhook nothing;
    auto rotation = rotate({nothing.shared_key, nothing.key_rotation},
                           {webhook.shared_key, webhook.key_rotation}, webhook.created_at);
    if (!rotation) co_return fail(rotation.error());
    webhook.key_rotation = std::move(*rotation);
    if (auto valid = validate(webhook, types_); !valid) co_return fail(valid.error());
    if (std::ssize(all()) >= static_cast<std::ptrdiff_t>(limits::webhooks)) {
        co_return fail(Errc::conflict, "there are " + std::to_string(limits::webhooks) +
                                           " webhooks, the most allowed: delete one first");
    }
    auto job = [&store = store_, webhook = std::move(webhook)]() mutable {
        return store.put_webhook(std::move(webhook), std::nullopt);
    };
    auto stored = co_await writer_.run(std::move(job));
    if (!stored) co_return fail(stored.error());
    const WebhookId id = stored->id;
    place(std::move(*stored));
    co_return find(id);
}

boost::asio::awaitable<Result<Catalog::Entry>> Catalog::update(
    Webhook webhook, std::optional<std::uint64_t> expected_version) {
    const Entry current = find(webhook.id);
    if (!current || current->removed) co_return fail(Errc::not_found, "no such webhook");
    webhook.uuid = current->uuid;
    webhook.created_at = current->created_at;
    webhook.updated_at = clock_.now();
    webhook.version = current->version + 1;
    webhook.removed = false;
    auto rotation = rotate({current->shared_key, current->key_rotation},
                           {webhook.shared_key, webhook.key_rotation}, webhook.updated_at);
    if (!rotation) co_return fail(rotation.error());
    webhook.key_rotation = std::move(*rotation);
    // A receiver that still has the old key verifies by the same profile with it.
    const bool same_key = webhook.shared_key == current->shared_key ||
                          webhook.key_rotation.previous_key == current->shared_key;
    const bool same_receiver = same_key && webhook.url == current->url &&
                               webhook.signature_profile == current->signature_profile;
    const auto& accepted = current->accepted_profile;
    // What a reference stands for is known when it is sent only.
    const std::string& key = webhook.shared_key;
    const bool still =
        same_receiver && accepted && (parse_reference(key) || fits(*accepted, plain_text(key)));
    webhook.accepted_profile = still ? accepted : std::nullopt;
    if (auto valid = validate(webhook, types_); !valid) co_return fail(valid.error());
    // Without If-Match the change is made to what we read, so a change in between still counts.
    const std::uint64_t expected = expected_version.value_or(current->version);
    const WebhookId id = webhook.id;
    auto job = [&store = store_, webhook = std::move(webhook), expected]() mutable {
        return store.put_webhook(std::move(webhook), expected);
    };
    auto stored = co_await writer_.run(std::move(job));
    if (!stored) co_return fail(stored.error());
    place(std::move(*stored));
    co_return find(id);
}

boost::asio::awaitable<Result<>> Catalog::remove(WebhookId id,
                                                 std::optional<std::uint64_t> expected_version) {
    const Entry current = find(id);
    if (!current || current->removed) co_return fail(Errc::not_found, "no such webhook");
    const Time now = clock_.now();
    auto job = [&store = store_, id, expected_version, now] {
        return store.remove_webhook(id, expected_version, now);
    };
    auto removed = co_await writer_.run(std::move(job));
    if (!removed) co_return fail(removed.error());
    Webhook webhook = *current;
    webhook.removed = true;
    webhook.active = false;
    webhook.shared_key.clear();
    webhook.key_rotation = {};
    webhook.headers.clear();
    webhook.authentication = {};
    place(std::move(webhook));
    co_return Result<>{};
}

boost::asio::awaitable<void> Catalog::accept_profile(Entry webhook, SignatureProfile profile) {
    const Entry current = find(webhook->id);
    if (!current || current->version != webhook->version || current->accepted_profile == profile) {
        co_return;
    }
    Webhook accepted = *current;
    accepted.accepted_profile = profile;
    log::info("webhook.profile_accepted",
              {{"webhook", accepted.name}, {"profile", to_text(profile)}});
    co_await note(std::move(accepted));
}

boost::asio::awaitable<void> Catalog::accept_key(Entry webhook, KeyUse use) {
    const Entry current = find(webhook->id);
    if (!current || current->version != webhook->version || current->key_rotation.accepted == use) {
        co_return;
    }
    if (current->key_rotation.previous_key.empty()) co_return;
    Webhook accepted = *current;
    accepted.key_rotation.accepted = use;
    log::info("webhook.key_accepted", {{"webhook", accepted.name}, {"key", to_text(use)}});
    co_await note(std::move(accepted));
}

boost::asio::awaitable<void> Catalog::forget_old_keys() {
    const Time now = clock_.now();
    if (now < first_rotation_ends_) co_return;
    std::vector<WebhookId> over;
    for (const auto& [id, webhook] : webhooks_) {
        if (has_ended(webhook->key_rotation, now)) over.push_back(id);
    }
    for (const WebhookId id : over) {
        const Entry current = find(id);
        if (!has_ended(current->key_rotation, now)) continue;  // changed while others were noted
        Webhook wiped = *current;
        wiped.key_rotation = {};
        log::info("webhook.old_key_forgotten", {{"webhook", wiped.name}});
        co_await note(std::move(wiped));
    }
}

/// A change that no person made: the version stays.
boost::asio::awaitable<void> Catalog::note(Webhook webhook) {
    // In memory at once, so that the attempts behind this one see it.
    webhooks_[webhook.id] = std::make_shared<const Webhook>(webhook);
    index();
    const std::string name = webhook.name;
    auto job = [&store = store_, webhook = std::move(webhook)]() mutable {
        const std::uint64_t version = webhook.version;
        return store.put_webhook(std::move(webhook), version);
    };
    auto stored = co_await writer_.run(std::move(job));
    // A change by a person in between wins.
    if (!stored && stored.error().code != Errc::precondition_failed) {
        log::warn("webhook.not_noted", {{"webhook", name}, {"error", stored.error().message}});
    }
}

void Catalog::place(Webhook webhook) {
    const WebhookId id = webhook.id;
    webhooks_[id] = std::make_shared<const Webhook>(std::move(webhook));
    index();
    if (listener_) listener_(*webhooks_[id]);
}

void Catalog::index() {
    by_type_.clear();
    by_glob_.clear();
    first_rotation_ends_ = Time::max();
    for (const auto& [id, webhook] : webhooks_) {
        if (const auto& until = webhook->key_rotation.until) {
            first_rotation_ends_ = std::min(first_rotation_ends_, *until);
        }
        if (webhook->removed || !webhook->active) continue;
        for (const std::string& type : webhook->filter.event_types) {
            const bool wide = type == "all" || is_glob(type);
            auto& place = wide ? by_glob_ : by_type_[type];
            if (place.empty() || place.back() != webhook.get()) place.push_back(webhook.get());
        }
    }
}

}  // namespace herald
