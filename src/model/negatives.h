#pragma once
// Shared negatives of a step for the sampled softmax.

#include <span>
#include <vector>

#include "batch.h"
#include "beckon/tensor/tensor.h"

namespace beckon::model::inner {

/// Tokens drawn with replacement from q, with log(count · q(token)): e^logit / (count · q) summed over the draws estimates
/// the sum of e^logit over all tokens without bias.
struct NegativeSet {
  std::vector<std::int32_t> token;
  std::vector<float> log_expected;
};

/// q(t) in proportion to (times t is a target + 1)^power, t = 1 … tokens-1.
class NegativeSampler {
 public:
  NegativeSampler(std::size_t tokens, std::span<const Sequence> sequences, double power);
  /// The draw depends on (seed, stream) alone.
  NegativeSet draw(std::size_t count, std::uint64_t seed, std::uint64_t stream) const;

 private:
  std::vector<double> cumulative_;  // entry t-1: q(1) + … + q(t)
};

}  // namespace beckon::model::inner
