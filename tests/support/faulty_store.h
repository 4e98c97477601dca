#pragma once

#include <atomic>
#include <memory>
#include <utility>

#include "store/store.h"

namespace herald::test {

/// A store whose commits fail or wait when the test says so. The test's calls may come from any
/// thread.
class FaultyStore final : public Store {
public:
    explicit FaultyStore(std::unique_ptr<Store> inner) : inner_(std::move(inner)) {}

    /// So many commits from now on answer Errc::unavailable and do nothing.
    void fail_commits(int n) { failing_ = n; }
    /// Commits wait until release_commits().
    void hold_commits() { held_ = true; }
    void release_commits() {
        held_ = false;
        held_.notify_all();
    }
    [[nodiscard]] int failed() const { return failed_; }
    [[nodiscard]] int commits() const { return commits_; }
    /// Whether a commit waits to be released.
    [[nodiscard]] bool waiting() const { return waiting_; }

    Result<Committed> commit(const Batch& batch) override {
        waiting_ = held_.load();
        held_.wait(true);
        waiting_ = false;
        ++commits_;
        if (failing_ > 0) {
            --failing_;
            ++failed_;
            return fail(Errc::unavailable, "the disk is away, says the test");
        }
        return inner_->commit(batch);
    }
    Result<std::vector<Claimed>> claim(Time now, Time lease_until,
                                       std::span<const LaneRoom> lanes) override {
        return inner_->claim(now, lease_until, lanes);
    }
    Result<std::vector<DueWebhook>> due() override { return inner_->due(); }
    Result<std::size_t> cancel_some(WebhookId webhook, std::size_t limit, Time now) override {
        return inner_->cancel_some(webhook, limit, now);
    }
    Result<std::vector<Webhook>> webhooks() override { return inner_->webhooks(); }
    Result<Webhook> put_webhook(Webhook webhook,
                                std::optional<std::uint64_t> expected_version) override {
        return inner_->put_webhook(std::move(webhook), expected_version);
    }
    Result<> remove_webhook(WebhookId id, std::optional<std::uint64_t> expected_version,
                            Time now) override {
        return inner_->remove_webhook(id, expected_version, now);
    }
    Result<std::vector<Transformation>> transformations() override {
        return inner_->transformations();
    }
    Result<> put_transformation(const Transformation& transformation,
                                std::optional<std::uint64_t> expected_version) override {
        return inner_->put_transformation(transformation, expected_version);
    }
    Result<> remove_transformation(const Uuid& uuid,
                                   std::optional<std::uint64_t> expected_version) override {
        return inner_->remove_transformation(uuid, expected_version);
    }
    Result<std::vector<WebhookHealth>> health() override { return inner_->health(); }
    Result<> put_health(std::span<const WebhookHealth> news) override {
        return inner_->put_health(news);
    }
    Result<std::vector<Job>> jobs() override { return inner_->jobs(); }
    Result<std::optional<RememberedAnswer>> remembered(std::string_view key, Time now) override {
        return inner_->remembered(key, now);
    }
    Result<> remember(const RememberedAnswer& answer) override { return inner_->remember(answer); }
    Result<std::string> cursor(std::string_view source) override { return inner_->cursor(source); }
    Result<> set_cursor(std::string_view source, std::string_view cursor) override {
        return inner_->set_cursor(source, cursor);
    }
    Result<bool> tend(const Retention& retention, Time now) override {
        return inner_->tend(retention, now);
    }
    std::unique_ptr<StoreReader> reader() override { return inner_->reader(); }

private:
    std::unique_ptr<Store> inner_;
    std::atomic<int> failing_ = 0;
    std::atomic<int> failed_ = 0;
    std::atomic<int> commits_ = 0;
    std::atomic<bool> held_ = false;
    std::atomic<bool> waiting_ = false;
};

}  // namespace herald::test
