#include "head_loss.h"

#include <algorithm>
#include <cmath>

namespace beckon::model::inner {
namespace {

// -log sigmoid(z) for label 1, -log(1 - sigmoid(z)) for label 0, without overflow.
LossOfLogit cross_entropy(double z, double label) {
  return {std::max(z, 0.0) - label * z + std::log1p(std::exp(-std::abs(z))), 1 / (1 + std::exp(-z)) - label};
}

LossOfLogit squared_error(double z, double label) {
  const double p = 1 / (1 + std::exp(-z));
  return {(label - p) * (label - p), 2 * (p - label) * p * (1 - p)};
}

}  // namespace

LossFunction loss_function(HeadLoss loss) { return loss == HeadLoss::kSquaredError ? squared_error : cross_entropy; }

double head_loss(const HeadLossInput& input, HeadScratch& scratch, std::span<float> dvectors, std::span<float> gradients) {
  const Network& net = input.network;
  const Layout& layout = *net.layout;
  const std::size_t heads = layout.head.columns;
  const std::size_t rows = input.vectors.size() / net.width();
  const auto vectors = tensor::view(input.vectors, rows, net.width());
  const auto weight = tensor::view(net.at(layout.head), net.width(), heads);
  const auto loss_of = loss_function(net.options->head_loss);
  scratch.logits.resize(rows * heads);
  scratch.dlogits.resize(rows * heads);
  tensor::gemm(vectors, weight, tensor::mutable_view(scratch.logits.span(), rows, heads));
  tensor::add_bias(net.at(layout.head_bias), scratch.logits.span());
  double loss = 0;
  for (std::size_t i = 0; i < rows * heads; ++i) {
    const std::int8_t label = input.label[i];
    const double scale = label < 0 ? 0 : input.scale[i % heads];
    const auto at = loss_of(static_cast<double>(scratch.logits[i]), label > 0 ? 1 : 0);
    loss += scale * at.loss;
    scratch.dlogits[i] = static_cast<float>(scale * at.slope);
  }
  const auto dlogits = tensor::view(scratch.dlogits.span(), rows, heads);
  tensor::gemm(vectors.t(), dlogits, tensor::mutable_view(part_of(gradients, layout.head), net.width(), heads),
               tensor::Into::kAdd);
  tensor::add_column_sums(scratch.dlogits.span(), part_of(gradients, layout.head_bias));
  tensor::gemm(dlogits, weight.t(), tensor::mutable_view(dvectors, rows, net.width()), tensor::Into::kAdd);
  return loss;
}

}  // namespace beckon::model::inner
