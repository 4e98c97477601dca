#include "base/metrics.h"

#include <algorithm>
#include <charconv>

namespace herald {

namespace {

std::string number_text(double value) {
    std::array<char, 32> buffer{};
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
    return {buffer.data(), end.ptr};
}

void append_sample(std::string& out, std::string_view name, std::string_view labels,
                   const std::string& value) {
    out += name;
    if (!labels.empty()) {
        out += '{';
        out += labels;
        out += '}';
    }
    out += ' ' + value + '\n';
}

void append_head(std::string& out, std::string_view name, std::string_view help,
                 std::string_view type) {
    out += "# HELP " + std::string(name) + ' ' + std::string(help) + '\n';
    out += "# TYPE " + std::string(name) + ' ' + std::string(type) + '\n';
}

template <class Families>
auto& series(Families& families, std::string_view name, std::string_view help,
             const std::string& labels) {
    auto family = families.find(name);
    if (family == families.end()) {
        family = families.try_emplace(std::string(name)).first;
        family->second.help = help;
    }
    auto& made = family->second.series[labels];
    using Metric = std::remove_reference_t<decltype(*made)>;
    if (!made) made = std::make_unique<Metric>();
    return *made;
}

}  // namespace

void Histogram::observe(double seconds) {
    const auto bucket = std::ranges::lower_bound(bounds, seconds) - bounds.begin();
    counts_[static_cast<std::size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
    sum_micros_.fetch_add(static_cast<std::uint64_t>(std::max(seconds, 0.0) * 1e6),
                          std::memory_order_relaxed);
}

void Histogram::render(std::string& out, std::string_view name, std::string_view labels) const {
    const std::string prefix = (labels.empty() ? "" : std::string(labels) + ',') + "le=\"";
    const std::string bucket = std::string(name) + "_bucket";
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
        total += counts_[i].load(std::memory_order_relaxed);
        const std::string bound = i < bounds.size() ? number_text(bounds[i]) : "+Inf";
        append_sample(out, bucket, prefix + bound + '"', std::to_string(total));
    }
    const auto sum = static_cast<double>(sum_micros_.load(std::memory_order_relaxed)) / 1e6;
    append_sample(out, std::string(name) + "_sum", labels, number_text(sum));
    append_sample(out, std::string(name) + "_count", labels, std::to_string(total));
}

Counter& Metrics::counter(std::string_view name, std::string_view help, const std::string& labels) {
    const std::scoped_lock lock(mutex_);
    return series(counters_, name, help, labels);
}

Gauge& Metrics::gauge(std::string_view name, std::string_view help, const std::string& labels) {
    const std::scoped_lock lock(mutex_);
    return series(gauges_, name, help, labels);
}

Histogram& Metrics::histogram(std::string_view name, std::string_view help,
                              const std::string& labels) {
    const std::scoped_lock lock(mutex_);
    return series(histograms_, name, help, labels);
}

std::string Metrics::render() const {
    const std::scoped_lock lock(mutex_);
    std::string out;
    for (const auto& [name, family] : counters_) {
        append_head(out, name, family.help, "counter");
        for (const auto& [labels, counter] : family.series) {
            append_sample(out, name, labels, std::to_string(counter->value()));
        }
    }
    for (const auto& [name, family] : gauges_) {
        append_head(out, name, family.help, "gauge");
        for (const auto& [labels, gauge] : family.series) {
            append_sample(out, name, labels, std::to_string(gauge->value()));
        }
    }
    for (const auto& [name, family] : histograms_) {
        append_head(out, name, family.help, "histogram");
        for (const auto& [labels, histogram] : family.series) {
            histogram->render(out, name, labels);
        }
    }
    return out;
}

std::string Metrics::label(std::string_view name, std::string_view value) {
    std::string text = std::string(name) + "=\"";
    for (const char c : value) {
        if (c == '\n') {
            text += "\\n";
            continue;
        }
        if (c == '"' || c == '\\') text += '\\';
        text += c;
    }
    text += '"';
    return text;
}

}  // namespace herald
