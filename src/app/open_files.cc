#include "app/open_files.h"

#include <sys/resource.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <system_error>
#include <utility>

#include "base/log.h"

namespace herald {

void raise_open_files() {
    rlimit limit{};
    int failed = ::getrlimit(RLIMIT_NOFILE, &limit);
    if (failed == 0 && limit.rlim_cur == limit.rlim_max) return;
    const rlim_t before = std::exchange(limit.rlim_cur, limit.rlim_max);
    if (failed == 0) failed = ::setrlimit(RLIMIT_NOFILE, &limit);
    if (failed != 0) {
        const std::string why = std::generic_category().message(errno);
        log::info("herald.open_files_not_raised", {{"error", why}});
        return;
    }
    log::info("herald.open_files_raised", {{"from", static_cast<std::int64_t>(before)},
                                           {"to", static_cast<std::int64_t>(limit.rlim_cur)}});
}

}  // namespace herald
