#include "delivery/catalog.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "core/matching.h"
#include "core/operator_events.h"

namespace herald {

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
        if (!wants(*webhook, facts, types_, default_branch_)) return;
        if (!is_about(event, *webhook)) out.push_back(webhook->id);
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
    const bool same_receiver = webhook.shared_key == current->shared_key &&
                               webhook.url == current->url &&
                               webhook.signature_profile == current->signature_profile;
    webhook.accepted_profile = same_receiver ? current->accepted_profile : std::nullopt;
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
    // In memory at once, so that the attempts behind this one need not probe.
    webhooks_[accepted.id] = std::make_shared<const Webhook>(accepted);
    index();
    log::info("webhook.profile_accepted",
              {{"webhook", accepted.name}, {"profile", to_text(profile)}});
    auto job = [&store = store_, accepted = std::move(accepted)]() mutable {
        const std::uint64_t version = accepted.version;
        return store.put_webhook(std::move(accepted), version);
    };
    auto stored = co_await writer_.run(std::move(job));
    // A change by a person in between wins; then the profile is negotiated again.
    if (!stored && stored.error().code != Errc::precondition_failed) {
        log::warn("webhook.profile_not_stored", {{"error", stored.error().message}});
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
    for (const auto& [id, webhook] : webhooks_) {
        if (webhook->removed || !webhook->active) continue;
        for (const std::string& type : webhook->filter.event_types) {
            const bool wide = type == "all" || is_glob(type);
            auto& place = wide ? by_glob_ : by_type_[type];
            if (place.empty() || place.back() != webhook.get()) place.push_back(webhook.get());
        }
    }
}

}  // namespace herald
