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

void trunk_forward(const Pass& pass, TrunkCache& cache);
/// dvectors: rows × width; gradients (as long as the weights) are added to.
void trunk_backward(const Pass& pass, TrunkCache& cache, std::span<const float> dvectors, std::span<float> gradients);

}  // namespace beckon::model::inner
