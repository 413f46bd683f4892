#pragma once
// Softmax cross-entropy over all tokens or over shared negatives, forward and backward in one pass over blocks of rows.
// Never more logits than one block of rows are held; the tiles of a block are multiplied, exponentiated and reduced while
// they are in the cache (the online log-sum-exp of Milakov and Gimelshein 2018), and used again for the gradient.

#include <span>

#include "layer.h"
#include "negatives.h"
#include "packed_table.h"
#include "recall.h"

namespace beckon::model::inner {

struct LossScratch {
  tensor::Buffer tiles, tile_max, tile_sum, factor, positive, scaled, product;
  PackedTable table;
  tensor::Bf16Storage vectors, scaled_vectors, by_row, kept;
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
  const PackedTable* table = nullptr;  ///< nullptr: packed by the call, if it needs one
};
struct LossGradients {
  std::span<float> vectors;  ///< rows × width; overwritten
  std::span<float> weights;  ///< of all weights; what is learned here is added to: token table and bias, gates of the memory
};
/// Returns the loss. With the network's precision bf16 the products and the exponentials in them are bfloat16; the positive's logit
/// and its share of the gradient stay fp32.
double softmax_loss(const LossInput& input, LossScratch& scratch, const LossGradients& out);

}  // namespace beckon::model::inner
