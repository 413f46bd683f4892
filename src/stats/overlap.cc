#include "beckon/stats/overlap.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>

#include "beckon/base/check.h"
#include "scores.h"

namespace beckon::stats {
namespace {

constexpr std::size_t kTailLeast = 5;
constexpr double kTie = 1e-12;  // relative; the same weight computed in two ways is one value

std::string shown(double value) {
  char text[40];
  std::snprintf(text, sizeof text, value >= 100 ? "%.0f" : "%.2f", value);
  return text;
}

std::string reason_of(const Overlap& overlap, const OverlapLimits& limits) {
  const double ess = std::min(overlap.ess, overlap.ess_customers);
  if (!(ess >= limits.ess_min)) {
    const bool by_rows = overlap.ess <= overlap.ess_customers;
    return "the effective sample is " + shown(ess) + (by_rows ? " rows" : " customers") + ", at least " + shown(limits.ess_min) +
           " are needed: the policy that ran seldom did what this one would do (largest weight " + shown(overlap.max_weight) +
           "). Log more rows, or judge a policy that is closer to the one that ran";
  }
  if (overlap.k_hat.has_value() && *overlap.k_hat > limits.k_max) {
    return "the weights have too heavy a tail: k-hat is " + shown(*overlap.k_hat) + ", at most " + shown(limits.k_max) +
           " is sound (largest weight " + shown(overlap.max_weight) +
           "). A few rows decide the estimate, and rarer ones that would decide it have not been seen. Log with more exploration, or judge "
           "a policy that is closer to the one that ran";
  }
  return "";
}

}  // namespace

double effective_sample_size(std::span<const double> weights) {
  double sum = 0;
  double squares = 0;
  for (const double weight : weights) {
    sum += weight;
    squares += weight * weight;
  }
  return squares > 0 ? sum * sum / squares : 0;
}

std::optional<double> pareto_shape(std::span<const double> excess) {
  if (excess.size() < kTailLeast) {
    return std::nullopt;
  }
  std::vector<double> x(excess.begin(), excess.end());
  std::sort(x.begin(), x.end());
  BECKON_CHECK(x.front() > 0);
  const auto n = static_cast<double>(x.size());
  const double quartile = x[static_cast<std::size_t>(n / 4 + 0.5) - 1];
  const int points = 30 + static_cast<int>(std::sqrt(n));
  const auto shape_at = [&](double theta) {
    double sum = 0;
    for (const double value : x) {
      sum += std::log1p(-theta * value);
    }
    return sum / n;
  };
  // The grid of theta = -shape / scale and its profile likelihood; the factor 3 and the quartile are Zhang and Stephens' prior.
  std::vector<double> theta(static_cast<std::size_t>(points));
  std::vector<double> likelihood(theta.size());
  for (std::size_t j = 0; j < theta.size(); ++j) {
    theta[j] = 1 / x.back() + (1 - std::sqrt(points / (static_cast<double>(j) + 0.5))) / (3 * quartile);
    const double shape = shape_at(theta[j]);
    // theta and shape pass 0 together, where -theta / shape is 1 / mean.
    const double rate = std::abs(shape) > 1e-12 ? -theta[j] / shape : n / std::accumulate(x.begin(), x.end(), 0.0);
    likelihood[j] = n * (std::log(rate) - shape - 1);
  }
  const double top = *std::max_element(likelihood.begin(), likelihood.end());
  double mean_theta = 0;
  double total = 0;
  for (std::size_t j = 0; j < theta.size(); ++j) {
    const double weight = std::exp(likelihood[j] - top);
    mean_theta += weight * theta[j];
    total += weight;
  }
  return (shape_at(mean_theta / total) * n + 5) / (n + 10);
}

std::optional<double> pareto_k(std::span<const double> weights) {
  const auto n = static_cast<double>(weights.size());
  const auto tail = static_cast<std::size_t>(std::ceil(std::min(0.2 * n, 3 * std::sqrt(n))));
  if (tail < kTailLeast) {
    return std::nullopt;
  }
  std::vector<double> sorted(weights.begin(), weights.end());
  std::sort(sorted.begin(), sorted.end());
  double cutoff = sorted[sorted.size() - tail - 1];
  auto first = std::upper_bound(sorted.begin(), sorted.end(), cutoff * (1 + kTie));
  if (static_cast<std::size_t>(sorted.end() - first) < kTailLeast) {
    const auto tied = std::lower_bound(sorted.begin(), sorted.end(), cutoff);
    if (tied == sorted.begin()) {
      return std::nullopt;
    }
    cutoff = *std::prev(tied);
    first = tied;
  }
  std::vector<double> excess;
  for (auto value = first; value != sorted.end(); ++value) {
    excess.push_back(*value - cutoff);
  }
  return pareto_shape(excess);
}

Overlap judge_overlap(std::span<const double> weights, std::span<const std::uint32_t> customer, const OverlapLimits& limits) {
  const Units units = units_of(customer, weights.size());
  Overlap out;
  out.rows = static_cast<std::int64_t>(weights.size());
  out.customers = static_cast<std::int64_t>(units.count());
  out.ess = effective_sample_size(weights);
  const Scores scores{sums_by_unit(units, weights), {}, {}};
  out.ess_customers = effective_sample_size(scores.plain);
  out.max_weight = weights.empty() ? 0 : *std::max_element(weights.begin(), weights.end());
  if (units.count() >= 2) {
    out.mean_weight = normal_interval(units, scores, 0.95);
  }
  out.k_hat = pareto_k(weights);
  out.reason = reason_of(out, limits);
  out.refused = !out.reason.empty();
  return out;
}

std::vector<double> balanced_propensity(std::span<const double> of_each, std::span<const std::uint32_t> logger, std::size_t loggers) {
  BECKON_CHECK(loggers >= 1 && of_each.size() == logger.size() * loggers);
  std::vector<double> share(loggers, 0);
  for (const auto who : logger) {
    BECKON_CHECK(who < loggers);
    share[who] += 1 / static_cast<double>(logger.size());
  }
  std::vector<double> out(logger.size(), 0);
  for (std::size_t row = 0; row < out.size(); ++row) {
    for (std::size_t l = 0; l < loggers; ++l) {
      out[row] += share[l] * of_each[row * loggers + l];
    }
  }
  return out;
}

}  // namespace beckon::stats
