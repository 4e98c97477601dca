#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "base/time.h"
#include "store/sqlite/sqlite.h"

namespace herald::sqlite {

/// What upkeep has made of a segment.
enum class SegmentState : std::uint8_t {
    tail,     ///< the newest: appended to
    sealed,   ///< full; may still hold late rows, may lack its indexes
    indexed,  ///< finished
};

/// A row of the list of segments. Of the tail only the first numbers are kept on disk.
struct SegmentInfo {
    std::uint64_t number = 1;
    SegmentState state = SegmentState::tail;
    std::uint64_t first_event = 1;
    std::uint64_t last_event = 0;  ///< first_event - 1: none
    std::uint64_t first_delivery = 1;
    std::uint64_t last_delivery = 0;
    std::uint64_t redeliveries = 0;  ///< born in it for events of whichever segment
    Time begun_at;
    Time ended_at;  ///< of the last commit
    bool pruned = false;  ///< its finished deliveries were removed

    [[nodiscard]] std::uint64_t events() const { return last_event + 1 - first_event; }
    [[nodiscard]] std::uint64_t deliveries() const { return last_delivery + 1 - first_delivery; }
};

/// By number, oldest first; the last is the tail.
[[nodiscard]] std::vector<SegmentInfo> read_segments(const Database& main);
void put_segment(const Database& main, const SegmentInfo& segment);
void remove_segment(const Database& main, std::uint64_t number);

/// Where the store's files lie.
struct Layout {
    std::filesystem::path data_dir;

    [[nodiscard]] std::filesystem::path lock() const { return data_dir / "herald.lock"; }
    [[nodiscard]] std::filesystem::path main() const { return data_dir / "herald.db"; }
    [[nodiscard]] std::filesystem::path secret_key() const { return data_dir / "secrets.key"; }
    [[nodiscard]] std::filesystem::path segments() const { return data_dir / "segments"; }
    [[nodiscard]] std::filesystem::path segment(std::uint64_t number) const;
    [[nodiscard]] std::filesystem::path index(std::uint64_t number) const;
};

}  // namespace herald::sqlite
