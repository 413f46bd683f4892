#pragma once
// The memory's part of the logits in a loss over blocks of rows: gates forward, their gradient backward.

#include <span>
#include <vector>

#include "layer.h"
#include "memory.h"

namespace beckon::model::inner {

/// Row r of the loss is row `row[r]` of the batch.
struct RecallInput {
  const RecalledBatch* batch = nullptr;  ///< nullptr: the model has no memory
  std::span<const std::int32_t> row;
};

/// What a gate reads and writes for a block of rows. gate and dgate: rows × kMemoryFeatures.
struct GateBlock {
  Network network;
  std::span<const float> vectors;  ///< rows × width
  std::size_t rows = 0;
};
void gates_forward(const GateBlock& block, std::span<float> gate);
/// Adds to dvectors (rows × width) and to the gradients of the gates' weights.
void gates_backward(const GateBlock& block, std::span<const float> dgate, std::span<float> dvectors, std::span<float> gradients);

inline float recalled_logit(const Recalled& entry, std::span<const float> gate) {
  float sum = 0;
  for (std::size_t k = 0; k < kMemoryFeatures; ++k) {
    sum += gate[k] * entry.feature[k];
  }
  return sum;
}
inline void add_recalled_gradient(const Recalled& entry, float dlogit, std::span<float> dgate) {
  for (std::size_t k = 0; k < kMemoryFeatures; ++k) {
    dgate[k] += dlogit * entry.feature[k];
  }
}

/// Entries of a row whose token is in [first, end); the row is by token.
std::span<const Recalled> tokens_between(std::span<const Recalled> row, std::int32_t first, std::int32_t end);
/// The entry of one token, or nullptr.
const Recalled* find_token(std::span<const Recalled> row, std::int32_t token);

/// Columns in which a token stands among the negatives of a step. Keeps its table between steps: one entry a token.
class ColumnIndex {
 public:
  void assign(std::span<const std::int32_t> column_tokens, std::size_t tokens);
  /// First column of the token, then next(column); -1: none.
  std::int32_t first(std::int32_t token) const { return first_[static_cast<std::size_t>(token)]; }
  std::int32_t next(std::int32_t column) const { return next_[static_cast<std::size_t>(column)]; }

 private:
  std::vector<std::int32_t> first_, next_, marked_;
};

}  // namespace beckon::model::inner
