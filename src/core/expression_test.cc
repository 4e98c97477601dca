#include "core/expression.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/limits.h"

namespace herald {
namespace {

using testing::HasSubstr;

constexpr BodyPlaces places = {.data = "data",
                               .attributes = "data.attributes",
                               .value = "now",
                               .previous = "before",
                               .changed_names = "data.fields"};
const EventTypes types("shop.", {}, places);

Event an_event() {
    Event event;
    event.id = EventId{*Uuid::parse("2ece726f-8574-488c-92f7-ee9a56485b46")};
    event.type = "shop.order.updated";
    event.branch = "main";
    event.account_id = "ada";
    event.node = {"n-1", "ShopOrder"};
    event.origin = "live";
    event.source = "api";
    event.level = 2;
    event.parent = EventId{*Uuid::parse("00000000-0000-4000-8000-000000000001")};
    event.body =
        R"({"data":{"kind":"ShopOrder","count":9007199254740993,"price":1.50,"big":1e400,)"
        R"("paid":true,"note":null,"name":"Z\u00fcrich \"x\"","tags":["red","green"],)"
        R"("members":[{"kind":"A","n":1},{"kind":"B","n":2}],"a.b":{"c":[1,[2,3]]},"empty":[],)"
        R"("in":"word","attributes":{"state":{"now":"active","before":"planned"},)"
        R"("role":{"now":null,"before":"old"}}}})";
    return event;
}

bool holds(std::string_view text, const Event& event = an_event()) {
    const auto expression = Expression::parse(text);
    EXPECT_TRUE(expression.has_value()) << text << ": " << expression.error().message;
    EventFacts facts(event, types);
    return expression && expression->holds(facts);
}

struct Case {
    std::string_view text;
    bool holds;
};

void check(std::span<const Case> cases) {
    for (const Case& c : cases) EXPECT_EQ(holds(c.text), c.holds) << c.text;
}

TEST(Expression, ReadsTheEventsOwnMembers) {
    constexpr Case cases[] = {
        {R"(event.type == "shop.order.updated")", true},
        {R"(event.branch == "main")", true},
        {R"(event.account == "ada")", true},
        {R"(event.origin == "live")", true},
        {R"(event.source == "api")", true},
        {R"(event.level == 2)", true},
        {R"(event.level > 1 and event.level < 3)", true},
        {R"(event.has_children)", false},
        {R"(event.has_children == false)", true},
        {R"(event.node.kind == "ShopOrder" and event.node.id == "n-1")", true},
        {R"(event.id == "2ece726f-8574-488c-92f7-ee9a56485b46")", true},
        {R"(event.parent != null and event.parent != event.id)", true},
        {R"(event.id == event.parent)", false},
    };
    check(cases);
    const Event bare;
    for (const std::string_view member :
         {"branch", "account", "origin", "node.kind", "node.id", "parent", "source"}) {
        EXPECT_TRUE(holds("event." + std::string(member) + " == null", bare)) << member;
    }
}

TEST(Expression, WalksPathsIntoTheBody) {
    constexpr Case cases[] = {
        {R"(data.kind == "ShopOrder")", true},
        {R"(data["kind"] == "ShopOrder")", true},
        {R"(data["a.b"].c[0] == 1)", true},
        {R"(data["a.b"].c[1][1] == 3)", true},
        {R"(data["a.b"].c[2] == null)", true},
        {R"(data.kind[0] == null)", true},
        {R"(data.tags.red == null)", true},
        {R"(data.members[1].kind == "B")", true},
        {R"(data.in == "word")", true},
        {R"(data.nothing.at.all == null)", true},
        {R"(data["n\u0061me"] == "Zürich \"x\"")", true},
        {R"(data.paid)", true},
        {R"(data.note)", false},
        {R"(data.kind)", false},
        {R"(not data.kind)", true},
        {R"(exists(data.note))", true},
        {R"(exists(data.nothing))", false},
        {R"(exists(data.tags[1]) and not exists(data.tags[2]))", true},
    };
    check(cases);
}

TEST(Expression, ComparesOnlyWhatIsOfOneKind) {
    constexpr Case cases[] = {
        {R"(data.count == 9007199254740993)", true},
        {R"(data.count == 9007199254740992)", false},
        {R"(data.count > 9007199254740992)", true},
        {R"(data.price == 1.5)", true},
        {R"(data.price < 1.5000000000000000000001)", true},
        {R"(data.big > 1e399)", true},
        {R"(data.price == "1.50")", false},
        {R"(data.price != "1.50")", true},
        {R"(data.price < "2")", false},
        {R"(data.price >= "2")", false},
        {R"(data.paid == 1)", false},
        {R"(data.nothing < 1)", false},
        {R"(data.nothing >= null)", false},
        {R"(data.note == null)", true},
        {R"(data.tags == ["red", "green"])", true},
        {R"(["red", "green"] == data.tags and [1.0, null] == [1, null])", true},
        {R"(data.tags == ["green", "red"])", false},
        {R"(data.kind > "Shop" and data.kind < "Shoq")", true},
        {R"(-1 < 0 and 0 == -0)", true},
    };
    check(cases);
}

TEST(Expression, AsksListsAndTexts) {
    constexpr Case cases[] = {
        {R"(data.kind in ["ShopOrder", "ShopCart"])", true},
        {R"(data.kind not in ["ShopOrder"])", false},
        {R"(data.kind not in [])", true},
        {R"(null in [null, 1] and true in [true] and 1.0 in [1])", true},
        {R"("red" in data.tags)", true},
        {R"("blue" in data.tags)", false},
        {R"("blue" not in data.tags)", true},
        {R"("red" in data.kind)", false},
        {R"(data.tags contains "green")", true},
        {R"(data.name contains "rich")", true},
        {R"(data.name contains "")", true},
        {R"(data.name contains 1)", false},
        {R"(data.count contains "9")", false},
        {R"(data.kind matches "Shop*")", true},
        {R"(data.kind matches "shop*")", false},
        {R"(data.kind matches "*.*")", false},
        {R"(data.count matches "*")", false},
        {R"(data.kind starts_with "Shop" and data.kind ends_with "Order")", true},
        {R"(data.kind starts_with "Order" or data.kind ends_with "Shop")", false},
    };
    check(cases);
}

TEST(Expression, JoinsConditions) {
    constexpr Case cases[] = {
        {"true", true},
        {"false", false},
        {"not false", true},
        {"not not true", true},
        {"true or true and false", true},
        {"(true or true) and false", false},
        {"not true or true", true},
        {"not (true or true)", false},
        {"true and true and true and false", false},
        {"(1 == 1) == true", true},
        {"", true},
        {"  \n\t ", true},
        {"true\nand\ntrue", true},
    };
    check(cases);
}

TEST(Expression, KnowsWhatChanged) {
    constexpr Case cases[] = {
        {R"(changed("state"))", true},
        {R"(changed("nothing"))", false},
        {R"(changed("nothing", "role"))", true},
        {R"(changed("st*"))", true},
        {R"(changed_only("state"))", false},
        {R"(changed_only("state", "role", "more"))", true},
        {R"(changed_only("*"))", true},
        {R"(not changed_only("state"))", true},
        {R"(value("state") == "active" and previous("state") == "planned")", true},
        {R"(value("role") == null and previous("role") != null)", true},
        {R"(value("nothing") == null)", true},
        {R"(event.type == "shop.order.updated" and data.kind in ["ShopOrder"] and )"
         R"(not changed_only("description"))",
         true},
    };
    check(cases);
    Event silent;
    silent.body = R"({"data":{}})";
    EXPECT_FALSE(holds(R"(changed("*"))", silent));
    EXPECT_FALSE(holds(R"(changed_only("*"))", silent));
}

TEST(Expression, LooksAtTheElementsOfAList) {
    constexpr Case cases[] = {
        {R"(any(data.members, item.kind == "B"))", true},
        {R"(any(data.members, item.kind == "C"))", false},
        {R"(all(data.members, item.n > 0))", true},
        {R"(all(data.members, item.n > 1))", false},
        {R"(any(data.tags, item == "red"))", true},
        {R"(any(data.members, item.n == event.level))", true},
        {R"(any(data.empty, true))", false},
        {R"(all(data.empty, false))", true},
        {R"(any(data.nothing, true) or all(data.nothing, true))", false},
        {R"(all(data.members, item.kind in ["A", "B"] and not (item.n == 3)))", true},
    };
    check(cases);
}

TEST(Expression, MatchesOnlyTextsOfABoundedLength) {
    Event event;
    const auto body_of = [](std::size_t n) {
        return R"({"data":{"x":")" + std::string(n, 'a') + R"("}})";
    };
    event.body = body_of(limits::matched_text_bytes);
    EXPECT_TRUE(holds(R"(data.x matches "a*")", event));
    event.body = body_of(limits::matched_text_bytes + 1);
    EXPECT_FALSE(holds(R"(data.x matches "a*")", event));
    EXPECT_TRUE(holds(R"(data.x starts_with "a")", event));
}

TEST(Expression, IsRefusedWithThePlaceAndWhatIsWanted) {
    struct Wrong {
        std::string_view text;
        std::string_view message;
    };
    constexpr Wrong cases[] = {
        {R"(event.type = "a")", "at column 12: = is not known here: write == to compare"},
        {R"(true && true)", "at column 6: && is not known here: write and"},
        {R"(event.type == 'a')", "at column 15: ' is not known here: texts stand in double"},
        {R"(event.tipe == "a")", "at column 7: event has no member \"tipe\": did you mean type?"},
        {R"(type == "a")", "at column 1: \"type\" is not known here: did you mean \"event.type\"?"},
        {R"(dat.kind == "a")", "at column 1: \"dat\" is not known here: did you mean data?"},
        {R"(hostname.x == 1)", "what the event's body says begins with data"},
        {R"(event == 1)", "at column 7: event has no member \"\""},
        {R"(data.kind == )", "at column 14: expected a value or a condition, not the end"},
        {R"(data.kind == "a" data.x)", "at column 18: expected and, or or the end, not \"data\""},
        {R"(data.kind == "a)", "at column 14: this text does not end"},
        {R"(data.kind == "\q")", "at column 14: this text is not as in JSON"},
        {R"(data.n == 01)", "at column 11: this is no number as in JSON"},
        {R"((true)", "at column 6: expected ), not the end"},
        {R"(true))", "at column 5: expected and, or or the end, not \")\""},
        {R"("a")", "at column 1: expected a condition: compare this value with something"},
        {R"(true and 1)", "at column 10: expected a condition"},
        {R"(not "a")", "at column 5: expected a condition"},
        {R"([1] or true)", "at column 1: expected a condition"},
        {R"(data.a in "b")", "at column 11: in needs a list, such as"},
        {R"(data.a not 1)", "at column 8: expected and, or, not in or a comparison"},
        {R"(data.a matches data.b)", "at column 16: matches needs a glob in double quotes"},
        {R"(1 < data.n < 3)", "at column 12: comparisons do not chain"},
        {R"(data.a in [data.b])", "at column 12: expected a text, a number, true, false or null"},
        {R"(data.a in [1,])", "at column 14: expected a text, a number"},
        {R"(data. == 1)", "at column 7: expected a name behind the dot"},
        {R"(data[-1] == 1)", "at column 6: expected a key in double quotes or a place from 0"},
        {R"(data[1e1] == 1)", "at column 6: expected a key"},
        {R"(changed(state))", "at column 9: expected the name of an attribute or relationship"},
        {R"(changed())", "at column 9: expected the name"},
        {R"(value("a*") == 1)", "at column 7: must be one name here, not a glob"},
        {R"(value("a", "b") == 1)", "at column 10: expected ), not \",\""},
        {R"(exists(event.type))", "at column 8: expected a path that begins with data"},
        {R"(any(event.type, true))", "at column 5: expected the path of a list"},
        {R"(item.x == 1)", "at column 1: item stands inside any() and all() only"},
        {R"(any(data.a, data.b == item))", "at column 13: inside any() and all() stand item"},
        {R"(any(data.a, any(item, true)))", "at column 13: inside any() and all() stand item"},
        {R"(any(data.a, changed("a")))", "at column 13: inside any() and all() stand item"},
        {"true and\n  tru", "at line 2, column 3: \"tru\" is not known here: did you mean true?"},
        {R"(data.a == "ü" and x)", "at column 19: "},
        {"data.a == \xc3\xbc", "at column 11: this character has no meaning here"},
        {"$", "at column 1: this character has no meaning here"},
    };
    for (const Wrong& c : cases) {
        const auto parsed = Expression::parse(c.text);
        ASSERT_FALSE(parsed.has_value()) << c.text;
        EXPECT_THAT(parsed.error().message, HasSubstr(c.message)) << c.text;
    }
}

TEST(Expression, IsBoundedInLengthDepthAndParts) {
    const auto refused = [](const std::string& text) {
        const auto parsed = Expression::parse(text);
        return parsed ? std::string() : parsed.error().message;
    };
    const std::string space(limits::expression_bytes - 4, ' ');
    EXPECT_EQ(refused(space + "true"), "");
    EXPECT_THAT(refused(space + " true"), HasSubstr("at most 4096 bytes"));

    const auto nested = [](std::size_t n) {
        return std::string(n, '(') + "true" + std::string(n, ')');
    };
    EXPECT_EQ(refused(nested(limits::expression_depth)), "");
    EXPECT_THAT(refused(nested(limits::expression_depth + 1)), HasSubstr("nested too deep"));
    std::string negated = "true";
    for (std::size_t i = 0; i < limits::expression_depth; ++i) negated = "not " + negated;
    EXPECT_EQ(refused(negated), "");
    EXPECT_THAT(refused("not " + negated), HasSubstr("nested too deep"));

    std::string chain = "1<2";  // three parts, and the chain is one
    for (std::size_t parts = 4; parts + 3 <= limits::expression_parts; parts += 3) {
        chain += " or 1<2";
    }
    EXPECT_EQ(refused(chain), "");
    EXPECT_THAT(refused(chain + " or 1<2"), HasSubstr("too many parts"));
}

TEST(Expression, TellsWhatItsTermsSaw) {
    const Event event = an_event();
    EventFacts facts(event, types);
    const auto parsed = Expression::parse(
        R"(data.kind == "ShopCart" and not changed_only("state") and (event.level > 1 or data.x))");
    ASSERT_TRUE(parsed);
    const auto terms = parsed->terms(facts);
    ASSERT_EQ(terms.size(), 3U);
    EXPECT_EQ(terms[0].text, R"(data.kind == "ShopCart")");
    EXPECT_FALSE(terms[0].holds);
    EXPECT_EQ(terms[0].seen, R"(data.kind is "ShopOrder")");
    EXPECT_TRUE(terms[1].holds);
    EXPECT_EQ(terms[1].seen, "what changed: state, role");
    EXPECT_TRUE(terms[2].holds);
    EXPECT_EQ(terms[2].seen, "event.level is 2, data.x is null");
    EXPECT_EQ(Expression::parse("data.paid")->terms(facts).front().seen, "data.paid is true");
    EXPECT_TRUE(Expression().terms(facts).empty());
}

TEST(Expression, ForeseesWhatDoesNotDependOnTheEvent) {
    struct Foreseen {
        std::string_view text;
        Truth truth;
    };
    constexpr Foreseen cases[] = {
        {"false", Truth::no},
        {"1 > 2 or true", Truth::yes},
        {R"(event.type == "shop.order.paid")", Truth::yes},
        {R"(event.type == "shop.order.payed")", Truth::no},
        {R"(event.type matches "*.paid" and data.x == 1)", Truth::unknown},
        {R"(event.type matches "*.sent" and data.x == 1)", Truth::no},
        {R"(event.node.kind in ["ShopCart"])", Truth::no},
        {R"(event.branch == "main")", Truth::unknown},
        {R"(not (data.x == 1))", Truth::unknown},
        {R"(data.x == 1 or event.type == "shop.order.paid")", Truth::yes},
        {R"(changed("a"))", Truth::no},
        {R"(value("a") == 1)", Truth::no},
        {R"(any(data.a, false))", Truth::unknown},
        {R"(exists(data.a))", Truth::unknown},
    };
    const ForeseenEvent known{"shop.order.paid", "ShopOrder", std::nullopt, false};
    for (const Foreseen& c : cases) {
        EXPECT_EQ(Expression::parse(c.text)->foresee(known), c.truth) << c.text;
    }
    EXPECT_EQ(Expression::parse(R"(changed("a"))")->foresee({"t"}), Truth::unknown);
}

}  // namespace
}  // namespace herald
