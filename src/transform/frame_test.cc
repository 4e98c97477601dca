#include "transform/frame.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "core/limits.h"

namespace herald {
namespace {

using Fault = FrameReader::Fault;

void feed(FrameReader& reader, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto room = reader.room();
        const std::size_t size = std::min(room.size, bytes.size());
        std::memcpy(room.data, bytes.data(), size);
        reader.added(size);
        bytes.remove_prefix(size);
    }
}

std::string framed(FrameKind kind, std::string_view payload) {
    std::string out;
    append_frame(out, kind, payload);
    return out;
}

TEST(Frame, IsItsLengthItsKindAndItsPayload) {
    EXPECT_EQ(framed(FrameKind::transform, "abc"), std::string("\4\0\0\0Tabc", 8));
    EXPECT_EQ(framed(FrameKind::ready, ""), std::string("\1\0\0\0R", 5));
}

TEST(FrameReader, GivesFramesHoweverTheyArrive) {
    const std::string large(300'000, 'x');
    const std::string all = framed(FrameKind::ready, "") + framed(FrameKind::notes, "printed") +
                            framed(FrameKind::body, large) + framed(FrameKind::body, "b");
    for (const std::size_t step : {std::size_t{1}, std::size_t{7}, all.size()}) {
        FrameReader reader(1'000'000);
        std::vector<std::pair<FrameKind, std::string>> got;
        for (std::size_t at = 0; at < all.size(); at += step) {
            feed(reader, std::string_view(all).substr(at, step));
            while (const auto frame = reader.next()) {
                got.emplace_back(frame->kind, frame->payload);
            }
        }
        ASSERT_EQ(got.size(), 4U) << step;
        EXPECT_EQ(got[1].second, "printed");
        EXPECT_EQ(got[2].second, large);
        EXPECT_EQ(got[3], std::pair(FrameKind::body, std::string("b")));
        EXPECT_EQ(reader.fault(), Fault::none);
    }
}

TEST(FrameReader, RefusesAResultThatIsTooLongByItsHead) {
    FrameReader reader(100);
    feed(reader, framed(FrameKind::body, std::string(100, 'x')));
    EXPECT_TRUE(reader.next());
    feed(reader, framed(FrameKind::body, std::string(101, 'x')).substr(0, frame_head_bytes));
    EXPECT_FALSE(reader.next());
    EXPECT_EQ(reader.fault(), Fault::too_long);
}

TEST(FrameReader, ALongHeadAloneTakesNoMemory) {
    FrameReader reader(std::size_t{1} << 31);
    feed(reader, std::string("\0\0\0\x70", 4) + "B");
    EXPECT_FALSE(reader.next());
    EXPECT_EQ(reader.fault(), Fault::none);
    EXPECT_LE(reader.room().size, std::size_t{1} << 20);
}

TEST(FrameReader, RefusesWhatIsNoFrameOfAHost) {
    const std::string bad[] = {
        std::string(5, '\0'),
        framed(FrameKind::transform, "x"),
        framed(FrameKind::ready, "x"),
        framed(FrameKind::failure, std::string(limits::host_failure_bytes + 1, 'x')),
        "hello",
    };
    for (const std::string& bytes : bad) {
        FrameReader reader(100);
        feed(reader, bytes);
        EXPECT_FALSE(reader.next());
        EXPECT_EQ(reader.fault(), Fault::broken) << bytes.substr(0, 10);
    }
}

}  // namespace
}  // namespace herald
