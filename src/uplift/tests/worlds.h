#pragma once
// Trials with known effects for tests.

#include <algorithm>
#include <cmath>
#include <functional>

#include "beckon/base/rng.h"
#include "beckon/uplift/uplift.h"

namespace beckon::uplift {

/// Four columns, uniform in [-1, 1]. base(x) and effect(x) are probabilities or amounts.
struct World {
  std::size_t rows = 4000;
  std::uint64_t seed = 1;
  Response response = Response::kProbability;
  std::function<double(std::span<const float>)> base = [](auto x) { return 0.2 + 0.1 * static_cast<double>(x[0]); };
  std::function<double(std::span<const float>)> effect = [](auto) { return 0.0; };
  std::function<double(std::span<const float>)> propensity = [](auto) { return 0.5; };
  double noise = 1;  ///< of amounts
};

inline Trial trial_of(const World& world) {
  Trial out;
  out.response = world.response;
  out.x.rows = world.rows;
  out.x.columns = 4;
  out.x.names = {"a", "b", "c", "d"};
  base::Rng rng(world.seed, 99);
  for (std::size_t r = 0; r < world.rows; ++r) {
    for (int c = 0; c < 4; ++c) {
      out.x.values.push_back(static_cast<float>(2 * rng.uniform() - 1));
    }
    const auto x = out.x.row(r);
    const double e = world.propensity(x);
    const bool treated = rng.chance(e);
    const double mean = world.base(x) + (treated ? world.effect(x) : 0);
    out.treated.push_back(treated ? 1 : 0);
    out.propensity.push_back(static_cast<float>(e));
    out.outcome.push_back(static_cast<float>(world.response == Response::kProbability ? (rng.chance(mean) ? 1 : 0) : mean + world.noise * rng.normal()));
  }
  return out;
}

inline std::vector<std::uint32_t> all_rows(const Trial& trial) {
  std::vector<std::uint32_t> out(trial.treated.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<std::uint32_t>(i);
  }
  return out;
}

inline double correlation(std::span<const float> a, const std::vector<double>& b) {
  double ma = 0, mb = 0, ab = 0, aa = 0, bb = 0;
  const double n = static_cast<double>(b.size());
  for (std::size_t i = 0; i < b.size(); ++i) {
    ma += static_cast<double>(a[i]) / n;
    mb += b[i] / n;
  }
  for (std::size_t i = 0; i < b.size(); ++i) {
    const double da = static_cast<double>(a[i]) - ma;
    const double db = b[i] - mb;
    ab += da * db;
    aa += da * da;
    bb += db * db;
  }
  return ab / std::sqrt(std::max(1e-300, aa * bb));
}

}  // namespace beckon::uplift
