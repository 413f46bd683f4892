#pragma once
// Does the log hold enough of what the policy to be judged would have done? Importance weights = target probability / logged probability.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "beckon/base/result.h"
#include "beckon/stats/intervals.h"

namespace beckon::stats {

/// (Σw)² / Σw²: as many equally weighted rows would say as much (Kish 1965). 0 when all weights are 0.
double effective_sample_size(std::span<const double> weights);

/// Shape of a generalised Pareto distribution over `excess` (positive, any order), by the profile posterior mean of Zhang and Stephens
/// (Technometrics 2009), drawn towards 0.5 as ten more values would (Vehtari et al.). Above 0: the tail is a power, above 0.5: without
/// variance. Empty with fewer than five values.
std::optional<double> pareto_shape(std::span<const double> excess);

/// k-hat of Pareto-smoothed importance sampling (Vehtari, Simpson, Gelman, Yao, Gabry 2024): pareto_shape() of the largest
/// min(0.2 n, 3√n) weights less the next smaller one. Ties at that one are left out; when they leave fewer than five, the next lower
/// value is taken. Empty when the weights do not differ enough for a tail (all equal, fewer than 25 rows).
std::optional<double> pareto_k(std::span<const double> weights);

struct OverlapLimits {
  double ess_min = 100;
  double k_max = 0.7;
};
/// What `refused` rests on, and the reason as a sentence for the reader.
struct Overlap {
  std::int64_t rows = 0;
  std::int64_t customers = 0;
  double ess = 0;            ///< over rows
  double ess_customers = 0;  ///< over customers, each with the sum of his weights; rows of one customer are not independent
  double max_weight = 0;
  Interval mean_weight;      ///< should hold 1: else the probabilities are wrong, or the target plays what was never shown
  std::optional<double> k_hat;
  bool refused = false;
  std::string reason;
};
/// `customer` has an entry per weight or is empty (each row its own customer). Refuses when the smaller ess < ess_min or k_hat > k_max.
Overlap judge_overlap(std::span<const double> weights, std::span<const std::uint32_t> customer = {}, const OverlapLimits& limits = {});

/// Several loggers that each wrote a part of one log: the probability under the mixture, Σ_l share_l · p_l (Agarwal et al., KDD'17,
/// "balanced" estimator), which has no larger variance than weighting each row by its own logger. `of_each` (rows, loggers) row-major:
/// probability of the shown action under every logger; `logger` (rows): who showed it, < loggers.
std::vector<double> balanced_propensity(std::span<const double> of_each, std::span<const std::uint32_t> logger, std::size_t loggers);

}  // namespace beckon::stats
