#include "net/connection_pool.h"

#include <vector>

#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>

#include "core/limits.h"

namespace herald {
namespace {

struct ConnectionPoolTest : testing::Test {
    boost::asio::io_context loop;
    Wheel wheel{loop.get_executor()};
    ConnectionPool pool{loop.get_executor(), wheel};
    std::vector<std::unique_ptr<Connection>> used;

    static Url url(const std::string& host, bool tls = false) {
        Url out;
        out.host = host;
        out.tls = tls;
        return out;
    }
};

TEST_F(ConnectionPoolTest, OriginsDifferInWhatMakesConnectionsDiffer) {
    const auto plain = pool.origin(url("a"), true);
    EXPECT_EQ(plain, pool.origin(url("a"), true));
    EXPECT_EQ(plain, pool.origin(url("a"), false)) << "there is nothing to verify without TLS";
    EXPECT_NE(plain, pool.origin(url("b"), true));
    const auto tls = pool.origin(url("a", true), true);
    EXPECT_NE(plain, tls);
    EXPECT_NE(tls, pool.origin(url("a", true), false));
    Url other = url("a");
    other.port = 81;
    EXPECT_NE(plain, pool.origin(other, true));
}

TEST_F(ConnectionPoolTest, OriginsDifferInTheObjectThatTheirOptionsAre) {
    const auto options = std::make_shared<const WayOptions>();
    const auto equal = std::make_shared<const WayOptions>();
    const auto origin = pool.origin(url("a"), true, options);
    EXPECT_EQ(origin, pool.origin(url("a"), true, options));
    EXPECT_NE(origin, pool.origin(url("a"), true, equal));
    EXPECT_NE(origin, pool.origin(url("a"), true));
}

TEST_F(ConnectionPoolTest, ForgetsOriginsWhoseOptionsNobodyHasAnyMore) {
    std::weak_ptr<const WayOptions> first;
    for (int i = 0; i < 1'000; ++i) {
        const auto options = std::make_shared<const WayOptions>();
        if (i == 0) first = options;
        EXPECT_NE(pool.origin(url("a"), true, options), nullptr);
    }
    EXPECT_TRUE(first.expired()) << "a webhook that is edited often leaves nothing behind";
}

TEST_F(ConnectionPoolTest, HasSoManyConnectionsAndClosesTheOldestIdleForANewOne) {
    const auto origin = pool.origin(url("a"), true);
    for (std::size_t i = 0; i < limits::connections; ++i) {
        used.push_back(pool.make(origin));
        ASSERT_NE(used.back(), nullptr);
    }
    EXPECT_EQ(pool.make(origin), nullptr);

    Connection* oldest = used.back().get();
    pool.keep(std::move(used.back()));
    used.pop_back();
    pool.keep(std::move(used.back()));
    used.pop_back();
    EXPECT_EQ(origin->idle.size(), 2U);
    const auto other = pool.origin(url("b"), true);
    used.push_back(pool.make(other));
    EXPECT_NE(used.back(), nullptr);
    ASSERT_EQ(origin->idle.size(), 1U);
    EXPECT_NE(origin->idle.front().get(), oldest);

    pool.drop(std::move(used.back()));
    used.pop_back();
    EXPECT_NE(pool.make(other), nullptr);
}

TEST_F(ConnectionPoolTest, AClosedOneKeepsNothing) {
    const auto origin = pool.origin(url("a"), true);
    pool.keep(pool.make(origin));
    used.push_back(pool.make(origin));
    pool.close();
    EXPECT_TRUE(origin->idle.empty());
    pool.keep(std::move(used.back()));
    EXPECT_TRUE(origin->idle.empty());
    EXPECT_EQ(pool.take_idle(*origin), nullptr);
}

}  // namespace
}  // namespace herald
