#pragma once
// Sigmoid cross-entropy of the target against uniform negatives of its own: BCE (Kang and McAuley 2018) and gBCE (Petrov and
// Macdonald 2023, arXiv 2308.07192).

#include "layer.h"
#include "negatives.h"

namespace beckon::model::inner {

/// vectors: rows × width; target: token of each row, > 0; target_row: its row in the shard, whose first row is row first_row of
/// the step. With k negatives: scale / (1 + k) · Σ (-β·log sigmoid(z+) - Σ log(1 - sigmoid(z-))). A negative that is the target
/// counts nothing.
struct BinaryLossInput {
  Network network;
  std::span<const float> vectors;
  std::span<const std::int32_t> target;
  std::span<const std::int32_t> target_row;
  float scale = 1;
  std::uint32_t first_row = 0;
  const RowNegatives* negatives = nullptr;
};
/// Returns the loss; overwrites dvectors (rows × width), adds to the gradients of the token table and the token bias.
double binary_loss(const BinaryLossInput& input, std::span<float> dvectors, std::span<float> gradients);

}  // namespace beckon::model::inner
