#include "negatives.h"

#include <algorithm>
#include <cmath>

#include "beckon/base/rng.h"

namespace beckon::model::inner {

RowNegatives draw_row_negatives(const ModelOptions& options, std::size_t rows, std::uint64_t seed, std::uint64_t stream) {
  RowNegatives out;
  out.per_row = static_cast<std::size_t>(resolved_negatives(options));
  out.token.reserve(rows * out.per_row);
  base::Rng rng(seed, stream);
  const auto items = static_cast<std::uint64_t>(options.tokens) - 1;
  for (std::size_t i = 0; i < rows * out.per_row; ++i) {
    out.token.push_back(static_cast<std::int32_t>(1 + rng.below(items)));
  }
  if (resolved_loss(options) == LossKind::kGbce && items > 1) {
    // β = α·(t·(1 - 1/α) + 1/α) with the sampling rate α: at t = 1 it undoes the overconfidence that sampling brings.
    const double alpha = std::min(1.0, static_cast<double>(out.per_row) / static_cast<double>(items - 1));
    const auto t = static_cast<double>(options.gbce_calibration);
    out.positive_power = static_cast<float>(alpha * (t * (1 - 1 / alpha) + 1 / alpha));
  }
  return out;
}

NegativeSampler::NegativeSampler(std::size_t tokens, std::span<const Sequence> sequences, double power) {
  BECKON_CHECK(tokens > 1);
  std::vector<double> count(tokens - 1, 1.0);
  for (const auto& sequence : sequences) {
    for (const std::int32_t target : sequence.target) {
      if (target > 0) {
        count[static_cast<std::size_t>(target) - 1] += 1;
      }
    }
  }
  double sum = 0;
  for (const double value : count) {
    sum += std::pow(value, power);
    cumulative_.push_back(sum);
  }
  for (double& value : cumulative_) {
    value /= sum;
  }
}

NegativeSet NegativeSampler::draw(std::size_t count, std::uint64_t seed, std::uint64_t stream) const {
  base::Rng rng(seed, stream);
  NegativeSet set;
  set.token.reserve(count);
  set.log_expected.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto found = std::upper_bound(cumulative_.begin(), cumulative_.end() - 1, rng.uniform());
    const double probability = found == cumulative_.begin() ? *found : *found - *(found - 1);
    set.token.push_back(static_cast<std::int32_t>(found - cumulative_.begin()) + 1);
    set.log_expected.push_back(static_cast<float>(std::log(static_cast<double>(count) * probability)));
  }
  return set;
}

}  // namespace beckon::model::inner
