#pragma once
// Softmax cross-entropy over all tokens or over shared negatives, forward and backward in one pass over blocks of rows.
// Never more logits than one block of rows are held; the tiles of a block are multiplied, exponentiated and reduced while
// they are in the cache (the online log-sum-exp of Milakov and Gimelshein 2018), and used again for the gradient.

#include <span>

#include "layer.h"
#include "negatives.h"
#include "recall.h"

namespace beckon::model::inner {

struct LossScratch {
  tensor::Buffer tiles, tile_max, tile_sum, factor, positive;
  tensor::Buffer gate, dgate;
  ColumnIndex columns;
  tensor::Buffer negative_rows, negative_bias, dnegative_rows, dnegative_bias;
};

/// vectors: rows × width; target: token of each row, > 0. The loss is scale · Σ -log p(target).
struct LossInput {
  Network network;
  std::span<const float> vectors;
  std::span<const std::int32_t> target;
  float scale = 1;
  const NegativeSet* negatives = nullptr;  ///< nullptr: all tokens
  RecallInput recall;
};
/// Returns the loss; overwrites dvectors (rows × width), adds to the gradients of the token table and the token bias.
double softmax_loss(const LossInput& input, LossScratch& scratch, std::span<float> dvectors, std::span<float> gradients);

}  // namespace beckon::model::inner
