#include "poisson.h"

#include <algorithm>
#include <cmath>

namespace beckon::price {
namespace {

constexpr int kStepsMax = 60;
constexpr double kStepMax = 2;
constexpr double kSlopeMax = 200;  // beyond, the likelihood has no maximum: all quantity stands at one end of the prices

std::uint32_t group_at(const PoissonData& data, std::size_t i) { return data.group.empty() ? 0 : data.group[i]; }

struct EffectSums {
  double quantity = 0;
  double weight = 0;  // Σ exp(slope · x)
  double first = 0;   // Σ exp(slope · x) · x
  double second = 0;
  double top = 0;     // largest exponent, for safety
};

std::vector<EffectSums> effect_sums(const PoissonData& data, const std::vector<PoissonSlope>& slopes) {
  std::vector<EffectSums> sums(data.effects.count);
  std::vector<bool> seen(data.effects.count, false);
  for (std::size_t i = 0; i < data.x.size(); ++i) {
    EffectSums& sum = sums[data.effects.code[i]];
    const double exponent = slopes[group_at(data, i)].slope * data.x[i];
    sum.top = seen[data.effects.code[i]] ? std::max(sum.top, exponent) : exponent;
    seen[data.effects.code[i]] = true;
  }
  for (std::size_t i = 0; i < data.x.size(); ++i) {
    EffectSums& sum = sums[data.effects.code[i]];
    const double weight = std::exp(slopes[group_at(data, i)].slope * data.x[i] - sum.top);
    sum.quantity += data.quantity[i];
    sum.weight += weight;
    sum.first += weight * data.x[i];
    sum.second += weight * data.x[i] * data.x[i];
  }
  return sums;
}

}  // namespace

std::vector<PoissonSlope> poisson_slopes(const PoissonData& data, std::size_t groups) {
  std::vector<PoissonSlope> out(groups);
  std::vector<double> information(groups, 0);
  std::vector<EffectSums> sums;
  for (int step = 0; step < kStepsMax; ++step) {
    sums = effect_sums(data, out);
    std::vector<double> score(groups, 0);
    std::fill(information.begin(), information.end(), 0);
    for (std::size_t i = 0; i < data.x.size(); ++i) {
      const EffectSums& sum = sums[data.effects.code[i]];
      const double mean_x = sum.first / sum.weight;
      const double expected = sum.quantity * std::exp(out[group_at(data, i)].slope * data.x[i] - sum.top) / sum.weight;
      score[group_at(data, i)] += data.quantity[i] * (data.x[i] - mean_x);
      information[group_at(data, i)] += expected * (data.x[i] - mean_x) * (data.x[i] - mean_x);
    }
    bool all = true;
    for (std::size_t g = 0; g < groups; ++g) {
      if (!(information[g] > 1e-12) || std::abs(out[g].slope) > kSlopeMax) {
        out[g].converged = false;
        continue;
      }
      const double move = std::clamp(score[g] / information[g], -kStepMax, kStepMax);
      out[g].converged = std::abs(move) < 1e-9 * (1 + std::abs(out[g].slope));
      out[g].slope += out[g].converged ? 0 : move;
      all = all && out[g].converged;
    }
    if (all) {
      break;
    }
  }
  std::vector<double> meat(groups, 0);
  for (std::size_t i = 0; i < data.x.size(); ++i) {
    const EffectSums& sum = sums[data.effects.code[i]];
    const double expected = sum.quantity * std::exp(out[group_at(data, i)].slope * data.x[i] - sum.top) / sum.weight;
    const double part = (data.x[i] - sum.first / sum.weight) * (data.quantity[i] - expected);
    meat[group_at(data, i)] += part * part;
  }
  for (std::size_t g = 0; g < groups; ++g) {
    out[g].std_error = out[g].converged ? std::sqrt(meat[g]) / information[g] : 0;
  }
  return out;
}

}  // namespace beckon::price
