#include "beckon/base/result.h"

#include <array>
#include <cstdio>
#include <cstdlib>

namespace beckon::base {

const ErrorTraits& error_traits(ErrorCode code) {
  static constexpr std::array<ErrorTraits, 10> kTraits{{
      {"invalid_argument", 400, 3, false},
      {"not_found", 404, 3, false},
      {"already_exists", 409, 3, false},
      {"permission_denied", 403, 4, false},
      {"resource_exhausted", 507, 4, true},
      {"failed_precondition", 412, 3, false},
      {"unavailable", 503, 4, true},
      {"deadline_exceeded", 504, 4, true},
      {"data_loss", 500, 1, false},
      {"internal", 500, 1, false},
  }};
  return kTraits.at(static_cast<std::size_t>(code));
}

void check_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "beckon: internal fault: %s (%s:%d)\n", expression, file, line);
  std::abort();
}

}  // namespace beckon::base
