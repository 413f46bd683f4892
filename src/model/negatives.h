#pragma once
// Negatives of a step: shared by all positions for the sampled softmax, or each position's own for BCE and gBCE.

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

/// Uniform draws from 1 … tokens-1: row r of the step has the tokens r·per_row … (r+1)·per_row-1.
struct RowNegatives {
  std::vector<std::int32_t> token;
  std::size_t per_row = 0;
  float positive_power = 1;  ///< β of gBCE; 1: plain BCE
};
/// The draw depends on (seed, stream) and the number of rows alone.
RowNegatives draw_row_negatives(const ModelOptions& options, std::size_t rows, std::uint64_t seed, std::uint64_t stream);

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
