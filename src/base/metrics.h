#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace herald {

/// A number that only grows. Thread-safe, one relaxed add.
class Counter {
public:
    void add(std::uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
    [[nodiscard]] std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::uint64_t> value_{0};
};

class Gauge {
public:
    void set(std::int64_t v) { value_.store(v, std::memory_order_relaxed); }
    void add(std::int64_t v) { value_.fetch_add(v, std::memory_order_relaxed); }
    [[nodiscard]] std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::int64_t> value_{0};
};

/// Durations in seconds, in fixed buckets from 1 ms to 60 s.
class Histogram {
public:
    static constexpr std::array<double, 14> bounds{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                                   0.25,  0.5,    1,     2.5,  5,     10,   60};
    void observe(double seconds);
    void render(std::string& out, std::string_view name, std::string_view labels) const;

private:
    std::array<std::atomic<std::uint64_t>, bounds.size() + 1> counts_{};
    std::atomic<std::uint64_t> sum_micros_{0};
};

/// All metrics of one process, by name and labels, in Prometheus' text form. Looking one up takes
/// a lock; keep the reference (it stays valid) on hot paths. `labels` is ready text such as
/// `webhook="a",class="TLS"`, made by label().
class Metrics {
public:
    [[nodiscard]] Counter& counter(std::string_view name, std::string_view help,
                                   const std::string& labels = {});
    [[nodiscard]] Gauge& gauge(std::string_view name, std::string_view help,
                               const std::string& labels = {});
    [[nodiscard]] Histogram& histogram(std::string_view name, std::string_view help,
                                       const std::string& labels = {});
    [[nodiscard]] std::string render() const;

    /// `name="value"` with the value escaped.
    [[nodiscard]] static std::string label(std::string_view name, std::string_view value);

private:
    template <class T>
    struct Family {
        std::string help;
        std::map<std::string, std::unique_ptr<T>, std::less<>> series;
    };
    mutable std::mutex mutex_;
    std::map<std::string, Family<Counter>, std::less<>> counters_;
    std::map<std::string, Family<Gauge>, std::less<>> gauges_;
    std::map<std::string, Family<Histogram>, std::less<>> histograms_;
};

}  // namespace herald
