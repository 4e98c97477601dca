#include "store/sqlite/segment_list.h"

#include <cstdio>
#include <string>

namespace herald::sqlite {

namespace {

std::string file_name(std::uint64_t number, std::string_view ending) {
    std::string digits = std::to_string(number);
    if (digits.size() < 6) digits.insert(0, 6 - digits.size(), '0');
    return digits.append(ending);
}

}  // namespace

std::filesystem::path Layout::segment(std::uint64_t number) const {
    return segments() / file_name(number, ".db");
}

std::filesystem::path Layout::index(std::uint64_t number) const {
    return segments() / file_name(number, ".idx");
}

std::vector<SegmentInfo> read_segments(const Database& main) {
    Statement rows = main.prepare(
        "SELECT number, state, first_event, last_event, first_delivery, last_delivery,"
        " redeliveries, begun_at, ended_at, pruned FROM segment ORDER BY number");
    std::vector<SegmentInfo> segments;
    while (rows.step()) {
        SegmentInfo info;
        info.number = rows.as<std::uint64_t>(0);
        info.state = rows.as<SegmentState>(1);
        info.first_event = rows.as<std::uint64_t>(2);
        info.last_event = rows.as<std::uint64_t>(3);
        info.first_delivery = rows.as<std::uint64_t>(4);
        info.last_delivery = rows.as<std::uint64_t>(5);
        info.redeliveries = rows.as<std::uint64_t>(6);
        info.begun_at = from_micros(rows.integer(7));
        info.ended_at = from_micros(rows.integer(8));
        info.pruned = rows.integer(9) != 0;
        segments.push_back(info);
    }
    return segments;
}

void put_segment(const Database& main, const SegmentInfo& segment) {
    Statement put = main.prepare(
        "INSERT OR REPLACE INTO segment (number, state, first_event, last_event, first_delivery,"
        " last_delivery, redeliveries, begun_at, ended_at, pruned)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    put.bind(segment.number, static_cast<std::int64_t>(segment.state), segment.first_event,
             segment.last_event, segment.first_delivery, segment.last_delivery,
             segment.redeliveries, to_micros(segment.begun_at), to_micros(segment.ended_at),
             segment.pruned);
    put.run();
}

void remove_segment(const Database& main, std::uint64_t number) {
    Statement remove = main.prepare("DELETE FROM segment WHERE number = ?");
    remove.bind(number);
    remove.run();
}

}  // namespace herald::sqlite
