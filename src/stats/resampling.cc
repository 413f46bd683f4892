#include "beckon/stats/resampling.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "beckon/base/rng.h"
#include "quantile.h"

namespace beckon::stats {
namespace {

struct Sums {
  double sum = 0;
  double squares = 0;
};

// Welch's t of a split of values whose mean is 0 together; 0 where nothing varies.
double studentised(const Sums& few, std::size_t few_count, const Sums& all, std::size_t all_count) {
  const auto n = static_cast<double>(few_count);
  const auto m = static_cast<double>(all_count - few_count);
  const double mean_few = few.sum / n;
  const double mean_rest = (all.sum - few.sum) / m;
  const double var_few = std::max(0.0, few.squares - n * mean_few * mean_few) / (n - 1);
  const double var_rest = std::max(0.0, all.squares - few.squares - m * mean_rest * mean_rest) / (m - 1);
  const double error = std::sqrt(var_few / n + var_rest / m);
  return error > 0 ? (mean_few - mean_rest) / error : 0;
}

// t of the smaller group against the rest, for random splits; sorted.
std::vector<double> permuted_t(std::vector<double> pool, std::size_t few_count, const PermutationOptions& options) {
  Sums all;
  for (const double value : pool) {
    all.sum += value;
    all.squares += value * value;
  }
  base::Rng rng(options.seed);
  std::vector<double> t(static_cast<std::size_t>(options.permutations));
  for (double& one : t) {
    Sums few;
    for (std::size_t i = 0; i < few_count; ++i) {  // the first steps of a Fisher–Yates shuffle draw the smaller group
      std::swap(pool[i], pool[i + static_cast<std::size_t>(rng.below(pool.size() - i))]);
      few.sum += pool[i];
      few.squares += pool[i] * pool[i];
    }
    one = studentised(few, few_count, all, pool.size());
  }
  std::sort(t.begin(), t.end());
  return t;
}

}  // namespace

base::Result<Interval> permuted_difference_of_means(std::span<const double> treated, std::span<const double> control,
                                                    const PermutationOptions& options) {
  BECKON_CHECK(options.permutations >= 199 && options.level > 0 && options.level < 1);
  const Moments moments_treated = Moments::of(treated);
  const Moments moments_control = Moments::of(control);
  BECKON_TRY(const Interval welch, difference_of_means(moments_treated, moments_control, options.level));
  const std::size_t few_count = std::min(treated.size(), control.size());
  if (few_count > options.smaller_group_max || !(welch.std_error > 0)) {
    return welch;
  }
  Moments both = moments_treated;
  both.merge(moments_control);
  std::vector<double> pool;
  pool.reserve(treated.size() + control.size());
  for (const auto group : {treated, control}) {
    for (const double value : group) {
      pool.push_back(value - both.mean);  // keeps the squares small, so that no digits are lost
    }
  }
  const std::vector<double> t = permuted_t(std::move(pool), few_count, options);
  // The draws are "smaller group less the rest"; where that is the control, the difference has the other sign.
  const double sign = treated.size() <= control.size() ? 1 : -1;
  const auto tail = static_cast<std::size_t>((1 - options.level) / 2 * static_cast<double>(t.size() + 1));
  const double lowest = std::min(0.0, t[tail > 0 ? tail - 1 : 0]);
  const double highest = std::max(0.0, t[t.size() - std::max<std::size_t>(tail, 1)]);
  Interval out = welch;
  out.low = welch.estimate - (sign > 0 ? highest : -lowest) * welch.std_error;
  out.high = welch.estimate - (sign > 0 ? lowest : -highest) * welch.std_error;
  const double seen = sign * welch.estimate / welch.std_error;
  const auto below = std::upper_bound(t.begin(), t.end(), seen) - t.begin();
  const auto above = t.end() - std::lower_bound(t.begin(), t.end(), seen);
  out.p_value = std::min(1.0, 2 * static_cast<double>(std::min(below, above) + 1) / static_cast<double>(t.size() + 1));
  return out;
}

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
