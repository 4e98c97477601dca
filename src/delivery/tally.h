#pragma once

#include <string>

#include "base/metrics.h"
#include "core/webhook.h"
#include "store/store.h"

namespace herald {

/// Counts attempts and deliveries by how they ended.
class Tally {
public:
    /// What counts the usual outcome, by the webhook's name. Looked up once; kept by the lane.
    struct Series {
        std::string name;
        Counter* accepted = nullptr;
        Counter* delivered = nullptr;
        Histogram* seconds = nullptr;
    };

    explicit Tally(Metrics& metrics) : metrics_(metrics) {}
    /// The settlement holds an attempt.
    void count(Series& series, const Webhook& webhook, const Settlement& settlement);

private:
    void look_up(Series& series, const std::string& name);

    Metrics& metrics_;
};

}  // namespace herald
