#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "base/hmac.h"
#include "base/ids.h"
#include "core/delivery.h"
#include "store/sqlite/segment.h"

namespace herald::sqlite {

/// A stretch of deliveries whose ids are salted with one secret.
struct Era {
    std::uint64_t first_delivery = 0;
    std::string secret;
};

/// Makes the ids of a store's deliveries: the salt is a keyed hash of the sequence number, so that
/// an id is known to be ours without being stored. Used by one thread.
class DeliveryIds {
public:
    DeliveryIds() = default;
    /// At least one era, the oldest first.
    explicit DeliveryIds(const std::vector<Era>& eras) {
        for (const Era& era : eras) {
            keys_.push_back({era.first_delivery, Hmac(HashAlgorithm::sha256, era.secret)});
        }
    }

    [[nodiscard]] DeliveryId make(std::uint64_t seq) {
        const auto bytes = std::bit_cast<std::array<char, 8>>(seq);
        const std::array<std::string_view, 1> parts{{{bytes.data(), bytes.size()}}};
        const auto digest = key_of(seq).sign(parts);
        DeliveryId id{.seq = seq};
        std::memcpy(&id.salt, digest.data(), sizeof id.salt);
        return id;
    }
    /// Whether this store gave that id, or will.
    [[nodiscard]] bool made(const DeliveryId& id) { return make(id.seq) == id; }

private:
    struct Key {
        std::uint64_t first_delivery = 0;
        Hmac mac;
    };

    Hmac& key_of(std::uint64_t seq) {
        const auto behind = std::ranges::upper_bound(keys_, seq, {}, &Key::first_delivery);
        return behind == keys_.begin() ? behind->mac : std::prev(behind)->mac;
    }

    std::vector<Key> keys_;
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
    if (row.redelivers.value_or(born_later) != born_later) {
        delivery.redelivers = ids.make(*row.redelivers);
    }
    delivery.state = row.standing.state;
    delivery.attempts = row.standing.attempts;
    delivery.due_at = row.standing.due_at;
    delivery.last_failure = row.standing.last_failure;
    delivery.updated_at = row.standing.updated_at;
    return delivery;
}

}  // namespace herald::sqlite
