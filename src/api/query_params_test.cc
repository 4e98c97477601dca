#include "api/query_params.h"

#include <gtest/gtest.h>

namespace herald {

namespace {

/// The parameters that are wrong, as pointers.
std::vector<std::string> wrong(const auto& read) {
    std::vector<std::string> pointers;
    if (read) return pointers;
    for (const FieldError& field : read.error().fields) pointers.push_back(field.pointer);
    return pointers;
}

std::vector<std::string> wrong_events(std::string_view query) {
    return wrong(read_event_query(query));
}

TEST(ParseQuery, TakesPairsApartAndDecodesThem) {
    const auto read = parse_query("a=1&b=x%20y+z&&c&d=&%C3%BC=%2B%26");
    ASSERT_TRUE(read);
    EXPECT_EQ(*read, (std::vector<Parameter>{
                         {"a", "1"}, {"b", "x y z"}, {"c", ""}, {"d", ""}, {"\xC3\xBC", "+&"}}));
    EXPECT_EQ(parse_query("")->size(), 0U);
}

TEST(ParseQuery, BrokenEscapeIsRefused) {
    for (const char* query : {"a=%", "a=%2", "a=%zz", "%=1", "a=%00"}) {
        EXPECT_FALSE(parse_query(query)) << query;
    }
}

TEST(EventQueryParams, WithoutParametersTheNewestPageIsRead) {
    const auto read = read_event_query("");
    ASSERT_TRUE(read);
    EXPECT_EQ(read->query.order, Order::newest_first);
    EXPECT_EQ(read->query.limit, limits::page_default);
    EXPECT_FALSE(read->count);
    EXPECT_FALSE(read->query.after || read->query.since || read->query.has_children);
}

TEST(EventQueryParams, EveryFilterIsRead) {
    const auto read = read_event_query(
        "branch=main&branch=dev&event=infrahub.node.*&account=a&node=n&related=r"
        "&parent=2ece726f-8574-488c-92f7-ee9a56485b46&has_children=true&level=2"
        "&id=11111111-2222-4333-8444-555555555555&since=2025-03-13T16:44:32Z"
        "&until=2025-03-13T18:44:32%2B02:00&order=asc&limit=250&count=true");
    ASSERT_TRUE(read) << read.error().message;
    const EventQuery& query = read->query;
    EXPECT_EQ(query.branches, (std::vector<std::string>{"main", "dev"}));
    EXPECT_EQ(query.types, std::vector<std::string>{"infrahub.node.*"});
    EXPECT_EQ(query.accounts, std::vector<std::string>{"a"});
    EXPECT_EQ(query.nodes, std::vector<std::string>{"n"});
    EXPECT_EQ(query.related, std::vector<std::string>{"r"});
    ASSERT_EQ(query.parents.size(), 1U);
    EXPECT_EQ(query.parents[0].text(), "2ece726f-8574-488c-92f7-ee9a56485b46");
    ASSERT_EQ(query.ids.size(), 1U);
    EXPECT_EQ(query.has_children, true);
    EXPECT_EQ(query.level, 2U);
    EXPECT_EQ(query.since, parse_time("2025-03-13T16:44:32Z"));
    EXPECT_EQ(query.until, parse_time("2025-03-13T16:44:32Z"));
    EXPECT_EQ(query.order, Order::oldest_first);
    EXPECT_EQ(query.limit, 250U);
    EXPECT_TRUE(read->count);
}

TEST(EventQueryParams, BarePlusOfAnOffsetIsUnderstood) {
    const auto read = read_event_query("since=2025-03-13T18:44:32+02:00");
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->query.since, parse_time("2025-03-13T16:44:32Z"));
}

TEST(EventQueryParams, EveryWrongParameterIsNamed) {
    EXPECT_EQ(wrong_events("limit=0&level=x&order=up&since=2025&has_children=1&id=x&branch="),
              (std::vector<std::string>{"/branch", "/has_children", "/level", "/id", "/since",
                                        "/order", "/limit"}));
    EXPECT_EQ(wrong_events("limit=251"), std::vector<std::string>{"/limit"});
    EXPECT_EQ(wrong_events("limit=-1"), std::vector<std::string>{"/limit"});
    EXPECT_EQ(wrong_events("limit=1x"), std::vector<std::string>{"/limit"});
    EXPECT_EQ(wrong_events("limit=99999999999999999999"), std::vector<std::string>{"/limit"});
    EXPECT_EQ(wrong_events("limit=1&limit=1"), std::vector<std::string>{"/limit"});
    EXPECT_EQ(wrong_events("cursor=abc"), std::vector<std::string>{"/cursor"});
}

TEST(EventQueryParams, UnknownParameterGetsASuggestion) {
    const auto read = read_event_query("brnach=main");
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().fields.front(),
              (FieldError{"/brnach", "is no parameter here: did you mean branch?"}));
}

TEST(EventQueryParams, ValuesOfOneFilterAreBounded) {
    std::string query = "branch=b";
    for (std::size_t i = 1; i < limits::query_values; ++i) query += "&branch=b";
    EXPECT_TRUE(read_event_query(query));
    EXPECT_EQ(wrong_events(query + "&branch=b"), std::vector<std::string>{"/branch"});
}

TEST(EventQueryParams, NumberOfErrorsIsBounded) {
    std::string query;
    for (int i = 0; i < 1000; ++i) query += "x" + std::to_string(i) + "=1&";
    EXPECT_EQ(wrong_events(query).size(), limits::field_errors);
}

TEST(EventQueryParams, CursorIsGoodForItsListAndOrderOnly) {
    const std::string cursor = make_cursor(event_list, Order::newest_first, 7);
    const auto read = read_event_query("cursor=" + cursor);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->query.after, EventSeq{7});
    EXPECT_EQ(wrong_events("order=asc&cursor=" + cursor), std::vector<std::string>{"/cursor"});
    EXPECT_EQ(wrong_events("cursor=" + make_cursor(delivery_list, Order::newest_first, 7)),
              std::vector<std::string>{"/cursor"});
}

std::optional<WebhookId> only_eda(const std::string& name) {
    return name == "eda" ? std::optional(WebhookId{3}) : std::nullopt;
}

TEST(DeliveryQueryParams, EveryFilterIsRead) {
    const auto read = read_delivery_query(
        "webhook=eda&event=2ece726f-8574-488c-92f7-ee9a56485b46&state=failed&state=pending"
        "&class=TIMEOUT&since=2025-03-13T16:44:32Z&until=2025-03-14T00:00:00Z&order=asc&limit=1",
        only_eda);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->webhooks, std::vector<WebhookId>{WebhookId{3}});
    EXPECT_TRUE(read->event);
    EXPECT_EQ(read->states,
              (std::vector<DeliveryState>{DeliveryState::failed, DeliveryState::pending}));
    EXPECT_EQ(read->classes, std::vector<FailureClass>{FailureClass::timeout});
    EXPECT_TRUE(read->since && read->until);
    EXPECT_EQ(read->order, Order::oldest_first);
    EXPECT_EQ(read->limit, 1U);
}

TEST(DeliveryQueryParams, WhatIsNotKnownIsNamed) {
    const auto check = [](std::string_view query) {
        return wrong(read_delivery_query(query, only_eda));
    };
    EXPECT_EQ(check("webhook=gone"), std::vector<std::string>{"/webhook"});
    EXPECT_EQ(check("state=in_flight"), std::vector<std::string>{"/state"});
    EXPECT_EQ(check("class=NONE"), std::vector<std::string>{"/class"});
    EXPECT_EQ(check("class="), (std::vector<std::string>{"/class", "/class"}));
    EXPECT_EQ(check("event=x"), std::vector<std::string>{"/event"});
    EXPECT_EQ(check("branch=main"), std::vector<std::string>{"/branch"});
}

TEST(WebhookQueryParams, NamesLimitAndCursorAreRead) {
    const std::string cursor = make_cursor(webhook_list, Order::oldest_first, 9);
    const auto read = read_webhook_query("name=a*&name=b&limit=2&cursor=" + cursor);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->names, (std::vector<std::string>{"a*", "b"}));
    EXPECT_EQ(read->limit, 2U);
    EXPECT_EQ(read->after, WebhookId{9});
}

TEST(ExplainQueryParams, OneThingIsSaidOfTheEvent) {
    const auto message = [](std::string_view query) {
        const auto read = read_explain_query(query);
        return read ? "" : read.error().message;
    };
    const std::string id = "11111111-2222-4333-8444-555555555555";
    ASSERT_TRUE(read_explain_query("event=" + id));
    EXPECT_EQ(message("event=zzz"),
              "the query is wrong: event must be an event id, such as "
              "2ece726f-8574-488c-92f7-ee9a56485b46");
    const std::string once = "the query is wrong: event is required once: the id of a stored event";
    EXPECT_EQ(message(""), once);
    EXPECT_EQ(message("event=" + id + "&event=" + id), once);
}

TEST(NoQuery, AnyParameterIsRefused) {
    EXPECT_TRUE(read_no_query(""));
    EXPECT_EQ(wrong(read_no_query("verbose=1")), std::vector<std::string>{"/verbose"});
}

TEST(NextTarget, IsTheSameQueryBehindTheNewCursor) {
    EXPECT_EQ(next_target("/api/v1/events", "event=a%20b&cursor=old&limit=2", "n/w"),
              "/api/v1/events?event=a%20b&limit=2&cursor=n%2Fw");
    EXPECT_EQ(next_target("/p", "", "c"), "/p?cursor=c");
}

}  // namespace

}  // namespace herald
