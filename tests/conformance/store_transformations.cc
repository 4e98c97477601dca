#include "conformance/store_suite.h"
#include "core/transformation.h"

namespace herald::test {

namespace {

struct StoreTransformations : StoreSuite {
    static Transformation whole() {
        Transformation made;
        made.uuid = event_id(7);
        made.name = "everything";
        made.description = "what it is \"for\"\n\xC3\xA9";
        made.runtime = Runtime::jinja2;
        made.repository = RepositorySource{"/srv/repo", "", "trunk", "me", "env:PASSWORD"};
        made.file = "a/b.j2";
        made.url = "https://{{ branch }}/";
        made.headers = {{"X-A", "{{ event }}"}, {"X-B", ""}};
        made.content_type = "text/plain; charset=utf-8";
        made.input = TransformInput::data;
        made.timeout = std::chrono::milliseconds{2'500};
        made.memory_mb = 64;
        made.cpu_seconds = 2;
        made.output_bytes = 1'000;
        made.network = true;
        made.environment = {{"A", "1"}, {"B", "env:B"}};
        made.secrets = {{"TOKEN", "file:/run/secrets/token"}};
        made.created_at = noon;
        made.updated_at = noon + std::chrono::microseconds{1};
        made.version = 3;
        return made;
    }
    static Transformation inline_code(std::uint64_t number, std::string name) {
        Transformation made;
        made.uuid = event_id(number);
        made.name = std::move(name);
        made.source = ".";
        return made;
    }
    bool put(const Transformation& made, std::optional<std::uint64_t> expected = {}) {
        return store().put_transformation(made, expected).has_value();
    }
    std::vector<Transformation> all() { return *store().transformations(); }
};

TEST_P(StoreTransformations, come_back_whole_after_a_restart) {
    ASSERT_TRUE(put(whole()));
    EXPECT_EQ(all(), std::vector{whole()});
    reopen();
    EXPECT_EQ(all(), std::vector{whole()});
}

TEST_P(StoreTransformations, are_replaced_only_in_the_version_that_was_read) {
    Transformation made = whole();
    ASSERT_TRUE(put(made));
    made.version = 4;
    const auto refused = store().put_transformation(made, 2);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::precondition_failed);
    EXPECT_EQ(all(), std::vector{whole()});
    EXPECT_TRUE(put(made, 3));
    EXPECT_EQ(all().at(0).version, 4U);
    const auto unknown = store().put_transformation(inline_code(8, "other"), 1);
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().code, Errc::not_found);
}

TEST_P(StoreTransformations, have_names_of_their_own) {
    ASSERT_TRUE(put(inline_code(1, "same")));
    const auto refused = store().put_transformation(inline_code(2, "same"), std::nullopt);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::conflict);
    EXPECT_EQ(refused.error().fields.at(0).pointer, "/name");
    EXPECT_EQ(all().size(), 1U);
}

TEST_P(StoreTransformations, are_gone_when_removed) {
    ASSERT_TRUE(put(inline_code(1, "gone")));
    const auto refused = store().remove_transformation(event_id(1), 2);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::precondition_failed);
    ASSERT_TRUE(store().remove_transformation(event_id(1), 1));
    EXPECT_TRUE(all().empty());
    const auto again = store().remove_transformation(event_id(1), std::nullopt);
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, Errc::not_found);
    EXPECT_TRUE(put(inline_code(2, "gone"))) << "the name is free again";
}

struct StoreMadeRequests : StoreSuite {
    static MadeRequest whole() {
        return {"{\"a\":\"\xC3\xA9\"}\n", "text/plain", "https://r/?t=1", {{"X-A", "1"}}};
    }
    DeliveryId deliver() {
        const StoredEvent stored = append(make_event(1), {for_webhook(1)});
        return stored.deliveries.at(0);
    }
    void settle_with(DeliveryId id, DeliveryState state, std::optional<MadeRequest> made) {
        Batch batch;
        Settlement settlement{id, make_attempt(1, 500), state, noon};
        if (made) settlement.made = std::make_shared<const MadeRequest>(*made);
        batch.settlements.push_back(std::move(settlement));
        commit(std::move(batch));
    }
};

TEST_P(StoreMadeRequests, come_back_with_every_claim_until_their_delivery_is_final) {
    const DeliveryId id = deliver();
    settle_with(id, DeliveryState::pending, whole());
    auto claimed = claim(1, 10);
    ASSERT_EQ(claimed.size(), 1U);
    ASSERT_TRUE(claimed[0].made);
    EXPECT_EQ(*claimed[0].made, whole());
    reopen();
    claimed = claim(1, 10);
    ASSERT_EQ(claimed.size(), 1U);
    ASSERT_TRUE(claimed[0].made);
    EXPECT_EQ(*claimed[0].made, whole());
    settle_with(id, DeliveryState::delivered, whole());
    tend_all();
    EXPECT_TRUE(claim(1, 10, noon + std::chrono::hours{1}).empty());
}

TEST_P(StoreMadeRequests, are_none_where_nothing_was_made) {
    settle_with(deliver(), DeliveryState::pending, std::nullopt);
    const auto claimed = claim(1, 10);
    ASSERT_EQ(claimed.size(), 1U);
    EXPECT_FALSE(claimed[0].made);
}

TEST_P(StoreMadeRequests, stay_as_they_were_first) {
    const DeliveryId id = deliver();
    settle_with(id, DeliveryState::pending, whole());
    MadeRequest other = whole();
    other.body = "other";
    settle_with(id, DeliveryState::pending, other);
    const auto claimed = claim(1, 10);
    ASSERT_EQ(claimed.size(), 1U);
    EXPECT_EQ(*claimed[0].made, whole());
}

INSTANTIATE_TEST_SUITE_P(, StoreTransformations, testing::ValuesIn(store_kinds()), name_of);
INSTANTIATE_TEST_SUITE_P(, StoreMadeRequests, testing::ValuesIn(store_kinds()), name_of);

}  // namespace

}  // namespace herald::test
