#pragma once
// Losses of the binary heads.

#include "layer.h"

namespace beckon::model::inner {

struct LossOfLogit {
  double loss = 0;
  double slope = 0;  ///< by the logit
};
/// loss(logit, label) of one yes/no answer, label 0 or 1.
using LossFunction = LossOfLogit (*)(double, double);
LossFunction loss_function(HeadLoss loss);

struct HeadScratch {
  tensor::Buffer logits, dlogits;
};

/// vectors: rows × width; label: rows × heads, -1 counts nothing. The loss is Σ scale(head) · loss(label, sigmoid(logit)).
struct HeadLossInput {
  Network network;
  std::span<const float> vectors;
  std::span<const std::int8_t> label;
  std::span<const double> scale;
};
/// Returns the loss; adds to dvectors (rows × width) and to the gradients of the heads.
double head_loss(const HeadLossInput& input, HeadScratch& scratch, std::span<float> dvectors, std::span<float> gradients);

}  // namespace beckon::model::inner
