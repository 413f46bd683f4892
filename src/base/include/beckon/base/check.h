#pragma once
// BECKON_CHECK stops the program on a fault of our own, in every build type. Never use it on outside data.

namespace beckon::base {
[[noreturn]] void check_failed(const char* expression, const char* file, int line);
}  // namespace beckon::base

#define BECKON_CHECK(condition)                                          \
  do {                                                                   \
    if (!(condition)) [[unlikely]] {                                     \
      ::beckon::base::check_failed(#condition, __FILE__, __LINE__);      \
    }                                                                    \
  } while (false)

#ifdef BECKON_DCHECK_ENABLED
#define BECKON_DCHECK(condition) BECKON_CHECK(condition)
#else
#define BECKON_DCHECK(condition) \
  do {                           \
  } while (false)
#endif
