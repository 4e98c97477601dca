#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/bytes.h"
#include "base/ids.h"
#include "core/delivery.h"
#include "store/sqlite/segment.h"

namespace herald::sqlite {

/// Makes the ids of a store's deliveries: the salt is a keyed hash of the sequence number, so that
/// an id is known to be ours without being stored. Used by one thread.
class DeliveryIds {
public:
    explicit DeliveryIds(std::string_view secret) : mac_(secret) {}

    [[nodiscard]] DeliveryId make(std::uint64_t seq) {
        const auto bytes = std::bit_cast<std::array<char, 8>>(seq);
        const std::array<std::string_view, 1> parts{{{bytes.data(), bytes.size()}}};
        const Digest digest = mac_.sign(parts);
        DeliveryId id{.seq = seq};
        std::memcpy(&id.salt, digest.data(), sizeof id.salt);
        return id;
    }
    /// Whether this store gave that id, or will.
    [[nodiscard]] bool made(const DeliveryId& id) { return make(id.seq) == id; }

private:
    HmacSha256 mac_;
};

[[nodiscard]] inline Delivery to_delivery(const DeliveryRow& row, DeliveryIds& ids) {
    Delivery delivery;
    delivery.id = ids.make(row.seq);
    delivery.webhook = row.webhook;
    delivery.event_seq = row.event_seq;
    delivery.event = row.event;
    delivery.event_type = row.event_type;
    delivery.created_at = row.created_at;
    delivery.cause = row.cause;
    if (row.redelivers != 0) delivery.redelivers = ids.make(row.redelivers);
    delivery.state = row.standing.state;
    delivery.attempts = row.standing.attempts;
    delivery.due_at = row.standing.due_at;
    delivery.last_failure = row.standing.last_failure;
    delivery.updated_at = row.standing.updated_at;
    return delivery;
}

}  // namespace herald::sqlite
