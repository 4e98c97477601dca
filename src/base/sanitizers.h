#pragma once

namespace herald {

// GCC says it by a macro, clang when it is asked.

/// Whether a sanitizer watches this build, which takes memory, descriptors and address space for
/// itself: what limits or measures those leaves it out.
#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool watches_addresses = true;
#elif defined(__has_feature)
inline constexpr bool watches_addresses = __has_feature(address_sanitizer);
#else
inline constexpr bool watches_addresses = false;
#endif

#if defined(__SANITIZE_THREAD__)
inline constexpr bool watches_threads = true;
#elif defined(__has_feature)
inline constexpr bool watches_threads = __has_feature(thread_sanitizer);
#else
inline constexpr bool watches_threads = false;
#endif

}  // namespace herald
