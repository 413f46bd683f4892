#include "beckon/stats/experiment.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "beckon/base/check.h"
#include "beckon/base/rng.h"
#include "beckon/stats/distributions.h"
#include "quantile.h"

namespace beckon::stats {
namespace {

constexpr std::int64_t kLeastInStratum = 2;

struct Stratum {
  Moments treated;
  Moments control;

  bool enough() const { return treated.count >= kLeastInStratum && control.count >= kLeastInStratum; }
  std::int64_t count() const { return treated.count + control.count; }
  void merge(const Stratum& other) {
    treated.merge(other.treated);
    control.merge(other.control);
  }
};

std::vector<Stratum> strata_of(const StratifiedGroup& treated, const StratifiedGroup& control) {
  BECKON_CHECK(treated.outcome.size() == treated.stratum.size() && control.outcome.size() == control.stratum.size());
  std::uint32_t largest = 0;
  for (const auto& group : {treated, control}) {
    for (const auto stratum : group.stratum) {
      largest = std::max(largest, stratum);
    }
  }
  std::vector<Stratum> strata(static_cast<std::size_t>(largest) + 1);
  for (std::size_t i = 0; i < treated.outcome.size(); ++i) {
    strata[treated.stratum[i]].treated.add(treated.outcome[i]);
  }
  for (std::size_t i = 0; i < control.outcome.size(); ++i) {
    strata[control.stratum[i]].control.add(control.outcome[i]);
  }
  return strata;
}

double z_of(double probability) { return normal_quantile(probability); }

}  // namespace

WinsorLimits winsor_limits(std::span<const double> values, double low_quantile, double high_quantile) {
  BECKON_CHECK(0 <= low_quantile && low_quantile < high_quantile && high_quantile <= 1 && !values.empty());
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  return {quantile(sorted, low_quantile), quantile(sorted, high_quantile)};
}

std::vector<double> winsorise(std::span<const double> values, const WinsorLimits& limits) {
  std::vector<double> out(values.begin(), values.end());
  for (double& value : out) {
    value = std::clamp(value, limits.low, limits.high);
  }
  return out;
}

base::Result<PostStratified> post_stratified(const StratifiedGroup& treated, const StratifiedGroup& control, double level) {
  BECKON_CHECK(level > 0 && level < 1);
  PostStratified out;
  Stratum all;
  Stratum rest;
  std::vector<Stratum> kept;
  for (const Stratum& stratum : strata_of(treated, control)) {
    all.merge(stratum);
    if (stratum.enough()) {
      kept.push_back(stratum);
    } else if (stratum.count() > 0) {
      rest.merge(stratum);
      ++out.pooled_strata;
    }
  }
  if (rest.enough()) {
    kept.push_back(rest);
  } else if (!kept.empty()) {
    std::max_element(kept.begin(), kept.end(), [](const auto& a, const auto& b) { return a.count() < b.count(); })->merge(rest);
  }
  if (kept.empty()) {
    return base::failed_precondition("post-stratification needs a stratum with two customers in each group: use fewer strata or wait");
  }
  double estimate = 0;
  double variance = 0;
  for (const Stratum& stratum : kept) {
    const double share = static_cast<double>(stratum.count()) / static_cast<double>(all.count());
    estimate += share * (stratum.treated.mean - stratum.control.mean);
    variance += share * share * (stratum.treated.variance() / static_cast<double>(stratum.treated.count) +
                                 stratum.control.variance() / static_cast<double>(stratum.control.count));
  }
  const double error = std::sqrt(variance);
  const double half = z_of(0.5 + level / 2) * error;
  const double p = error > 0 ? 2 * normal_cdf(-std::abs(estimate) / error) : (estimate == 0 ? 1 : 0);
  out.difference = {estimate, estimate - half, estimate + half, error, p};
  BECKON_TRY(const Interval welch, difference_of_means(all.treated, all.control, level));
  out.variance_kept_share = welch.std_error > 0 ? variance / (welch.std_error * welch.std_error) : 1;
  return out;
}

double minimum_detectable_effect(double std_error, double level, double power) {
  BECKON_CHECK(std_error >= 0 && level > 0 && level < 1 && power > 0 && power < 1);
  return (z_of(0.5 + level / 2) + z_of(power)) * std_error;
}

double power_of(double effect, double std_error, double level) {
  BECKON_CHECK(std_error >= 0 && level > 0 && level < 1);
  if (std_error == 0) {
    return effect == 0 ? 1 - level : 1;
  }
  const double z = z_of(0.5 + level / 2);
  return normal_cdf(effect / std_error - z) + normal_cdf(-effect / std_error - z);
}

std::int64_t customers_needed(double effect, double deviation, double treated_share, double power) {
  BECKON_CHECK(effect != 0 && deviation > 0 && treated_share > 0 && treated_share < 1 && power > 0 && power < 1);
  const double z = z_of(0.975) + z_of(power);
  const double of_both = deviation * deviation * (1 / treated_share + 1 / (1 - treated_share));
  return static_cast<std::int64_t>(std::ceil(z * z * of_both / (effect * effect)));
}

base::Result<AaReplay> aa_replay(std::size_t customers, std::size_t treated,
                                 const std::function<double(std::span<const std::uint32_t>)>& p_value, const ReplayOptions& options) {
  BECKON_CHECK(options.replays >= 100 && options.level > 0 && options.level < 1 && treated <= customers);
  if (treated < 2 || customers - treated < 2) {
    return base::failed_precondition("an A/A replay needs two customers in each group: wait for more");
  }
  std::vector<double> values(static_cast<std::size_t>(options.replays));
  const std::function<void(std::size_t)> one = [&](std::size_t replay) {
    base::Rng rng(options.seed, replay);
    std::vector<std::uint32_t> order(customers);
    std::iota(order.begin(), order.end(), 0U);
    for (std::size_t i = 0; i < treated; ++i) {  // the first steps of a Fisher–Yates shuffle draw the treated
      std::swap(order[i], order[i + static_cast<std::size_t>(rng.below(customers - i))]);
    }
    values[replay] = p_value(order);
  };
  if (options.executor != nullptr) {
    options.executor->run(values.size(), one);
  } else {
    for (std::size_t i = 0; i < values.size(); ++i) {
      one(i);
    }
  }
  AaReplay out;
  out.replays = options.replays;
  Share errors;
  for (const double p : values) {
    if (p < 0) {
      ++out.without_answer;
      continue;
    }
    ++errors.trials;
    errors.successes += p < 1 - options.level ? 1 : 0;
  }
  out.false_positives = wilson(errors);
  return out;
}

}  // namespace beckon::stats
