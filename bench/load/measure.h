#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace herald::bench {

/// A folder of this run's, removed at the end.
class Folder {
public:
    explicit Folder(const std::string& name)
        : path_(std::filesystem::current_path() / ("bench-data-" + name)) {
        std::filesystem::remove_all(path_);
        std::filesystem::create_directories(path_);
    }
    ~Folder() { std::filesystem::remove_all(path_); }
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

/// In milliseconds; the samples change places.
[[nodiscard]] inline double quantile(std::vector<std::uint64_t>& nanoseconds, double q) {
    if (nanoseconds.empty()) return 0;
    const auto at = static_cast<std::size_t>(q * static_cast<double>(nanoseconds.size() - 1));
    std::ranges::nth_element(nanoseconds, nanoseconds.begin() + static_cast<std::ptrdiff_t>(at));
    return static_cast<double>(nanoseconds[at]) * 1e-6;
}

[[nodiscard]] inline double median(std::vector<double> values) {
    std::ranges::sort(values);
    return values[values.size() / 2];
}

}  // namespace herald::bench
