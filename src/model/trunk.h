#pragma once
// From tokens to vectors and back: embeddings, layers, final norm.

#include "norm.h"

namespace beckon::model::inner {

struct TrunkCache {
  std::vector<tensor::Buffer> x;  ///< input of each layer, then of the final norm
  std::vector<std::unique_ptr<LayerCache>> layers;
  const Layout* made_for = nullptr;
  NormCache last;
  std::span<const float> result;  ///< into this cache: rows × width, or sequences × width with last_only
  tensor::Buffer dx;
  Workspace work;
};

/// What all layers remember of one sequence.
struct TrunkState {
  std::vector<std::unique_ptr<LayerState>> layers;  ///< made by the first trunk_advance
  std::size_t positions = 0;
  /// Forgets the positions from `length` on, or all of them when a layer cannot.
  void rewind(std::size_t length);
  std::size_t bytes() const;
};

/// The times of a whole sequence; both empty when they are not known or the model does not want them.
struct SequenceTimes {
  std::span<const std::int64_t> at_ms, request_ms;
};

/// pass.batch: one sequence, of which the state holds the positions before; it holds all of them afterwards. cache.result: one row, of
/// the last position. With absolute positions, which are counted from the end, the state must be empty.
void trunk_advance(const Pass& pass, const SequenceTimes& times, TrunkState& state, TrunkCache& cache);

void trunk_forward(const Pass& pass, TrunkCache& cache);
/// dvectors: rows × width; gradients (as long as the weights) are added to.
void trunk_backward(const Pass& pass, TrunkCache& cache, std::span<const float> dvectors, std::span<float> gradients);

}  // namespace beckon::model::inner
