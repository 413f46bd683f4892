#pragma once
// Layer norm with its parameters.

#include "layer.h"

namespace beckon::model::inner {

struct NormCache {
  tensor::Buffer y, mean, inverse;
};
struct NormParts {
  const Part* gain;
  const Part* shift;
};
/// out.y = layer norm of x.
void norm_forward(const Network& net, const NormParts& parts, std::span<const float> x, NormCache& out);

struct NormBackward {
  std::span<const float> x;
  const NormCache* cache;
  std::span<const float> dy;
  std::span<float> dx;         ///< +=
  std::span<float> gradients;  ///< of all weights; +=
};
void norm_backward(const Network& net, const NormParts& parts, const NormBackward& io);

}  // namespace beckon::model::inner
