#include "beckon/stats/resampling.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

namespace beckon::stats {
namespace {

// Type 7 quantile of sorted values.
double quantile(const std::vector<double>& sorted, double p) {
  const double place = p * static_cast<double>(sorted.size() - 1);
  const auto index = static_cast<std::size_t>(place);
  const std::size_t next = std::min(index + 1, sorted.size() - 1);
  return sorted[index] + (place - static_cast<double>(index)) * (sorted[next] - sorted[index]);
}

}  // namespace

base::Result<Interval> bootstrap(std::size_t count,
                                 const std::function<double(std::span<const std::uint32_t>)>& statistic,
                                 const BootstrapOptions& options) {
  BECKON_CHECK(options.resamples >= 100 && options.level > 0 && options.level < 1);
  BECKON_CHECK(count <= std::numeric_limits<std::uint32_t>::max());
  if (count < 2) {
    return base::failed_precondition("a bootstrap needs two customers: wait for more");
  }
  std::vector<double> values(static_cast<std::size_t>(options.resamples));
  const std::function<void(std::size_t)> draw = [&](std::size_t resample) {
    base::Rng rng(options.seed, resample);
    std::vector<std::uint32_t> picked(count);
    for (auto& index : picked) {
      index = static_cast<std::uint32_t>(rng.below(count));
    }
    values[resample] = statistic(picked);
  };
  if (options.executor != nullptr) {
    options.executor->run(values.size(), draw);
  } else {
    for (std::size_t i = 0; i < values.size(); ++i) {
      draw(i);
    }
  }
  std::vector<std::uint32_t> all(count);
  std::iota(all.begin(), all.end(), 0U);
  std::sort(values.begin(), values.end());
  const auto below = std::upper_bound(values.begin(), values.end(), 0.0) - values.begin();
  const auto above = values.end() - std::lower_bound(values.begin(), values.end(), 0.0);
  const double tail = (1 - options.level) / 2;
  const double smaller_side = static_cast<double>(std::min(below, above) + 1) / static_cast<double>(options.resamples + 1);
  return Interval{statistic(all), quantile(values, tail), quantile(values, 1 - tail),
                  std::sqrt(Moments::of(values).variance()), std::min(1.0, 2 * smaller_side)};
}

base::Result<Interval> paired_bootstrap(std::span<const double> a,
                                        std::span<const double> b,
                                        const BootstrapOptions& options) {
  BECKON_CHECK(a.size() == b.size());
  return bootstrap(a.size(), [&](std::span<const std::uint32_t> picked) {
    double sum = 0;
    for (const auto i : picked) {
      sum += a[i] - b[i];
    }
    return sum / static_cast<double>(picked.size());
  }, options);
}

}  // namespace beckon::stats
