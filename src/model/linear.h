#pragma once
// y = x·W + b, forward and backward.

#include "layer.h"

namespace beckon::model::inner {

/// weight: input × output; an empty bias is none.
struct LinearParts {
  Part weight;
  Part bias;
};
LinearParts add_linear(Layout& layout, const std::string& name, const Part& shape, bool with_bias);

/// y is resized to rows × output.
void linear_forward(const Network& net, const LinearParts& parts, std::span<const float> x, tensor::Buffer& y);

struct LinearBackward {
  std::span<const float> x;
  std::span<const float> dy;
  std::span<float> dx;  ///< empty: not wanted
  tensor::Into into = tensor::Into::kOverwrite;
  std::span<float> gradients;  ///< of all weights; +=
};
/// dW += xᵀ·dy, db += Σ dy, dx (+)= dy·Wᵀ
void linear_backward(const Network& net, const LinearParts& parts, const LinearBackward& io);

}  // namespace beckon::model::inner
