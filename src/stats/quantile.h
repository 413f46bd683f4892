#pragma once
// Private to stats.

#include <algorithm>
#include <cstddef>
#include <vector>

namespace beckon::stats {

/// Type 7 quantile of sorted values (at least one).
inline double quantile(const std::vector<double>& sorted, double p) {
  const double place = p * static_cast<double>(sorted.size() - 1);
  const auto index = static_cast<std::size_t>(place);
  const std::size_t next = std::min(index + 1, sorted.size() - 1);
  return sorted[index] + (place - static_cast<double>(index)) * (sorted[next] - sorted[index]);
}

}  // namespace beckon::stats
