#include "api/process_metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string_view>
#include <vector>

namespace herald {

namespace {

void append(std::string& out, std::string_view name, std::string_view type, std::string_view help,
            const std::string& value) {
    out += "# HELP " + std::string(name) + " " + std::string(help) + "\n";
    out += "# TYPE " + std::string(name) + " " + std::string(type) + "\n";
    out += std::string(name) + " " + value + "\n";
}

/// The fields of /proc/self/stat from the third on: the second is the program's name in brackets
/// and may hold spaces.
std::vector<std::string> stat_fields() {
    std::ifstream file("/proc/self/stat");
    std::string text{std::istreambuf_iterator<char>(file), {}};
    text.erase(0, text.rfind(')') + 1);
    std::istringstream words(text);
    return {std::istream_iterator<std::string>(words), {}};
}

/// Seconds since 1970 at which the machine started.
double boot_time() {
    std::ifstream file("/proc/stat");
    std::string word;
    while (file >> word) {
        double seconds = 0;
        if (word == "btime" && file >> seconds) return seconds;
    }
    return 0;
}

std::string seconds_text(double seconds) {
    std::ostringstream text;
    text.precision(3);
    text << std::fixed << seconds;
    return text.str();
}

std::size_t open_files() {
    std::error_code error;
    std::size_t count = 0;
    for (std::filesystem::directory_iterator entry("/proc/self/fd", error), end;
         !error && entry != end; entry.increment(error)) {
        ++count;
    }
    return count;
}

}  // namespace

void append_process_metrics(std::string& out) {
    // Places in /proc/self/stat (proc(5)), less the two that stat_fields() leaves out.
    constexpr std::size_t user_ticks = 11;
    constexpr std::size_t system_ticks = 12;
    constexpr std::size_t start_ticks = 19;
    constexpr std::size_t virtual_bytes = 20;
    constexpr std::size_t resident_pages = 21;
    const auto fields = stat_fields();
    if (fields.size() > resident_pages) {
        const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
        const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
        const double cpu = std::stod(fields[user_ticks]) + std::stod(fields[system_ticks]);
        append(out, "process_cpu_seconds_total", "counter", "CPU time used, user and system.",
               seconds_text(cpu / ticks));
        append(out, "process_start_time_seconds", "gauge", "When the process started, since 1970.",
               seconds_text(boot_time() + std::stod(fields[start_ticks]) / ticks));
        append(out, "process_virtual_memory_bytes", "gauge", "Virtual memory.",
               fields[virtual_bytes]);
        append(out, "process_resident_memory_bytes", "gauge", "Resident memory.",
               std::to_string(std::stoull(fields[resident_pages]) * page));
    }
    append(out, "process_open_fds", "gauge", "Open file descriptors.",
           std::to_string(open_files()));
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        append(out, "process_max_fds", "gauge", "File descriptors that may be open.",
               std::to_string(limit.rlim_cur));
    }
}

}  // namespace herald
