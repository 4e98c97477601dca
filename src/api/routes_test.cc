#include "api/routes.h"

#include <gtest/gtest.h>
#include <boost/json.hpp>

#include <algorithm>
#include <set>

#include "api/assets.h"
#include "api/query_params.h"

namespace herald {

namespace {

namespace json = boost::json;

const json::object& api() {
    static const json::object parsed = json::parse(assets::openapi_json).as_object();
    return parsed;
}

/// The thing itself, or what its "$ref" points at.
const json::object& resolve(const json::value& value) {
    const auto* reference = value.as_object().if_contains("$ref");
    if (reference == nullptr) return value.as_object();
    std::string_view path = reference->as_string();
    const json::object* at = &api();
    for (path.remove_prefix(2); !path.empty();) {
        const std::size_t slash = std::min(path.find('/'), path.size());
        at = &at->at(path.substr(0, slash)).as_object();
        path.remove_prefix(std::min(slash + 1, path.size()));
    }
    return *at;
}

/// "/api/v1/events/{id}" as the table writes it.
std::string pattern(std::string_view path) {
    std::string text(path);
    const std::size_t open = text.find('{');
    if (open != text.npos) text.replace(open, text.find('}') - open + 1, "{}");
    return text;
}

struct Operation {
    std::string method;
    std::string path;  ///< as the table writes it
    std::vector<json::object> parameters;
    json::object object;
};

std::vector<Operation> operations() {
    std::vector<Operation> all;
    for (const auto& [path, item] : api().at("paths").as_object()) {
        json::array shared;
        if (const auto* list = item.as_object().if_contains("parameters"))
            shared = list->as_array();
        for (const auto& [method, object] : item.as_object()) {
            if (method == "parameters") continue;
            Operation one{std::string(method), pattern(path), {}, object.as_object()};
            std::ranges::transform(one.method, one.method.begin(), ::toupper);
            for (const auto& parameter : shared) one.parameters.push_back(resolve(parameter));
            if (const auto* own = one.object.if_contains("parameters")) {
                for (const auto& parameter : own->as_array()) {
                    one.parameters.push_back(resolve(parameter));
                }
            }
            all.push_back(std::move(one));
        }
    }
    return all;
}

std::set<std::string> names_in(const Operation& operation, std::string_view place) {
    std::set<std::string> names;
    for (const auto& parameter : operation.parameters) {
        if (parameter.at("in").as_string() == place) {
            names.emplace(parameter.at("name").as_string());
        }
    }
    return names;
}

const Route* find_route(const Operation& operation) {
    for (const Route& route : routes()) {
        if (route.method == operation.method && route.path == operation.path) return &route;
    }
    return nullptr;
}

TEST(OpenApi, DescribesTheRoutesAndNothingElse) {
    std::set<std::string> described;
    for (const Operation& one : operations()) described.insert(one.method + " " + one.path);
    std::set<std::string> served;
    for (const Route& route : routes()) {
        served.insert(std::string(route.method) + " " + std::string(route.path));
    }
    EXPECT_EQ(described, served);
    EXPECT_EQ(served.size(), routes().size()) << "a route stands twice in the table";
}

TEST(OpenApi, PathParametersAreThoseOfThePath) {
    for (const Operation& one : operations()) {
        const std::size_t expected = one.path.find("{}") == one.path.npos ? 0 : 1;
        EXPECT_EQ(names_in(one, "path").size(), expected) << one.method << " " << one.path;
    }
}

/// Whether the list of that path knows the parameter: it may dislike the value, not the name.
bool is_known(std::string_view path, const std::string& name) {
    const std::string query = name + "=x";
    const FindWebhook none = [](const std::string&) { return std::optional<WebhookId>{}; };
    Result<> read;
    if (path == "/api/v1/events") {
        if (auto one = read_event_query(query); !one) read = fail(one.error());
    } else if (path == "/api/v1/deliveries") {
        if (auto one = read_delivery_query(query, none); !one) read = fail(one.error());
    } else if (path == "/api/v1/webhooks/{}/explain") {
        if (auto one = read_explain_query(query); !one) read = fail(one.error());
    } else if (path == "/api/v1/webhooks" || path == "/api/v1/lint") {
        if (auto one = read_webhook_query(query); !one) read = fail(one.error());
    } else {
        read = read_no_query(query);
    }
    return read || std::ranges::none_of(read.error().fields, [](const FieldError& field) {
               return field.detail.starts_with("is no parameter here");
           });
}

TEST(OpenApi, QueryParametersAreThoseThatTheServerReads) {
    std::set<std::string> all;
    for (const Operation& one : operations()) all.merge(names_in(one, "query"));
    EXPECT_GT(all.size(), 15U);
    for (const Operation& one : operations()) {
        const auto described = names_in(one, "query");
        for (const std::string& name : all) {
            const bool reads_it = one.method == "GET" && is_known(one.path, name);
            EXPECT_EQ(described.contains(name), reads_it)
                << one.method << " " << one.path << " " << name;
        }
    }
}

TEST(OpenApi, IdempotencyKeyIsDescribedWhereItIsHonoured) {
    for (const Operation& one : operations()) {
        const Route* route = find_route(one);
        ASSERT_NE(route, nullptr);
        EXPECT_EQ(names_in(one, "header").contains("Idempotency-Key"), route->traits.keyed)
            << one.method << " " << one.path;
    }
}

TEST(OpenApi, EveryOperationHasASuccessAndTheRefusalsThatItsRouteImplies) {
    for (const Operation& one : operations()) {
        const Route* route = find_route(one);
        ASSERT_NE(route, nullptr);
        const auto& responses = one.object.at("responses").as_object();
        const std::string where = one.method + " " + one.path;
        EXPECT_TRUE(std::ranges::any_of(responses, [](const auto& response) {
            return response.key().starts_with("2");
        })) << where;
        std::vector<std::string> needed;
        if (!route->traits.open) needed.insert(needed.end(), {"401", "403"});
        if (!route->traits.any_query) needed.emplace_back("400");
        if (route->traits.keyed) needed.insert(needed.end(), {"409", "422"});
        if (one.path.ends_with("{}")) needed.emplace_back("404");
        if (one.object.contains("requestBody")) needed.insert(needed.end(), {"413", "415", "422"});
        for (const std::string& status : needed) {
            EXPECT_TRUE(responses.contains(status)) << where << " " << status;
        }
        for (const auto& [status, response] : responses) {
            EXPECT_FALSE(resolve(response).at("description").as_string().empty()) << where;
        }
    }
}

TEST(Routes, ParameterIsDecodedAndMayHoldASlash) {
    const Match found = match("GET", "/api/v1/webhooks/a%2Fb%20c");
    ASSERT_NE(found.route, nullptr);
    EXPECT_EQ(found.route->path, "/api/v1/webhooks/{}");
    EXPECT_EQ(found.parameter, "a/b c");
    EXPECT_EQ(match("GET", "/api/v1/webhooks/a/b").route, nullptr);
}

TEST(Routes, UnknownPathsMatchNothing) {
    for (const char* path : {"", "/", "*", "/api/v1/events/", "/api/v1//events", "/api/v1/event",
                             "/API/v1/events", "/api/v1/webhooks/%zz", "/api/v1/events/a/b"}) {
        const Match found = match("GET", path);
        EXPECT_EQ(found.route, nullptr) << path;
        EXPECT_TRUE(found.allowed.empty()) << path;
    }
}

TEST(Routes, OtherMethodsLearnWhichOnesThereAre) {
    const Match found = match("DELETE", "/api/v1/events");
    EXPECT_EQ(found.route, nullptr);
    EXPECT_EQ(found.allowed, (std::vector<std::string_view>{"POST", "GET", "HEAD"}));
    EXPECT_EQ(match("get", "/livez").route, nullptr) << "methods are told apart by case";
}

TEST(Routes, HeadIsServedAsGet) {
    ASSERT_NE(match("HEAD", "/livez").route, nullptr);
    EXPECT_EQ(match("HEAD", "/livez").route->method, "GET");
    EXPECT_EQ(match("HEAD", "/api/v1/webhooks/a/test").route, nullptr);
}

}  // namespace

}  // namespace herald
