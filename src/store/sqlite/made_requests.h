#pragma once

#include <cstdint>
#include <memory>
#include <unordered_set>
#include <vector>

#include "core/made_request.h"
#include "store/sqlite/main_db.h"

namespace herald::sqlite {

/// What transformations made for deliveries that are tried again: the table `made_request` of
/// herald.db, sealed, because a body may hold secrets. Written before the batch that it belongs
/// to: should that fail, the next attempt sends it all the same. Throws Failure.
class MadeRequests {
public:
    /// Reads which deliveries have one.
    explicit MadeRequests(MainDb& main);

    /// Keeps what is new among `settlements`, in one transaction of its own.
    void keep(const std::vector<Settlement>& settlements);
    /// What was kept for a delivery; null: nothing.
    [[nodiscard]] std::shared_ptr<const MadeRequest> find(std::uint64_t delivery) const;
    /// Removes some of those that `is_open` does not know; whether there may be more.
    template <class IsOpen>
    bool forget_final(const IsOpen& is_open) {
        std::vector<std::uint64_t> gone;
        for (const std::uint64_t delivery : kept_) {
            if (!is_open(delivery)) gone.push_back(delivery);
            if (gone.size() == forgotten_at_once) break;
        }
        forget(gone);
        return gone.size() == forgotten_at_once;
    }

private:
    static constexpr std::size_t forgotten_at_once = 500;

    void forget(const std::vector<std::uint64_t>& deliveries);

    MainDb& main_;
    std::unordered_set<std::uint64_t> kept_;
};

}  // namespace herald::sqlite
