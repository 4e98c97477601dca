#pragma once

#include <memory>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "async/worker.h"
#include "store/store.h"

namespace herald {

/// A few threads that read the store, so that a long query never delays a commit or another short
/// query. Lives on the loop thread.
class Readers {
public:
    Readers(Store& store, std::size_t threads);

    /// Runs `job(StoreReader&)` on the next reader's thread.
    template <class Job>
    boost::asio::awaitable<std::invoke_result_t<Job, StoreReader&>> run(Job job) {
        Seat& seat = *seats_[next_];
        next_ = (next_ + 1) % seats_.size();
        auto work = [&reader = *seat.reader, job = std::move(job)]() mutable {
            return job(reader);
        };
        return seat.worker.run(std::move(work));
    }

private:
    struct Seat {
        std::unique_ptr<StoreReader> reader;
        Worker worker{"reader"};
    };
    std::vector<std::unique_ptr<Seat>> seats_;
    std::size_t next_ = 0;
};

}  // namespace herald
