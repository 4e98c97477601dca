#include "delivery/readers.h"

namespace herald {

Readers::Readers(Store& store, std::size_t threads) {
    for (std::size_t i = 0; i < threads; ++i) {
        auto seat = std::make_unique<Seat>();
        seat->reader = store.reader();
        seats_.push_back(std::move(seat));
    }
}

}  // namespace herald
