#include "step.h"

#include <cmath>

namespace beckon::model::inner {
namespace {

double token_loss(const ShardInput& input, StepWork& work, std::span<float> gradients) {
  work.target.clear();
  work.target_row.clear();
  for (std::size_t r = 0; r < input.batch->rows(); ++r) {
    if (input.batch->target[r] > 0) {
      work.target.push_back(input.batch->target[r]);
      work.target_row.push_back(static_cast<std::int32_t>(r));
    }
  }
  const std::size_t width = input.network.width();
  const tensor::RowTable rows{work.target_row, 1, width, 1};
  work.vectors.resize(work.target.size() * width);
  work.vectors.zero();
  tensor::gather_add(rows, work.trunk.last.y.span(), work.vectors.span());
  work.dvectors_of_targets.resize(work.vectors.size());
  const double loss = softmax_loss(
      {input.network, work.vectors.span(), work.target, static_cast<float>(input.plan->token_scale), input.plan->negatives},
      work.loss, work.dvectors_of_targets.span(), gradients);
  tensor::scatter_add(rows, work.dvectors_of_targets.span(), work.dvectors.span());
  return loss;
}

// -log sigmoid(z) for label 1, -log(1 - sigmoid(z)) for label 0, without overflow.
double binary_loss(double z, bool label) {
  return std::max(z, 0.0) - (label ? z : 0.0) + std::log1p(std::exp(-std::abs(z)));
}

double head_loss(const ShardInput& input, StepWork& work, std::span<float> gradients) {
  const Network& net = input.network;
  const Layout& layout = *net.layout;
  const std::size_t heads = layout.head.columns;
  const std::size_t rows = input.batch->rows();
  const auto vectors = tensor::view(work.trunk.last.y.span(), rows, net.width());
  const auto weight = tensor::view(net.at(layout.head), net.width(), heads);
  work.logits.resize(rows * heads);
  work.dlogits.resize(rows * heads);
  tensor::gemm(vectors, weight, tensor::mutable_view(work.logits.span(), rows, heads));
  tensor::add_bias(net.at(layout.head_bias), work.logits.span());
  double loss = 0;
  for (std::size_t i = 0; i < rows * heads; ++i) {
    const std::int8_t label = input.batch->label[i];
    const double scale = label < 0 ? 0 : input.plan->head_scale[i % heads];
    const auto z = static_cast<double>(work.logits[i]);
    loss += scale * binary_loss(z, label > 0);
    work.dlogits[i] = static_cast<float>(scale * (1 / (1 + std::exp(-z)) - (label > 0 ? 1 : 0)));
  }
  const auto dlogits = tensor::view(work.dlogits.span(), rows, heads);
  tensor::gemm(vectors.t(), dlogits, tensor::mutable_view(part_of(gradients, layout.head), net.width(), heads),
               tensor::Into::kAdd);
  tensor::add_column_sums(work.dlogits.span(), part_of(gradients, layout.head_bias));
  tensor::gemm(dlogits, weight.t(), tensor::mutable_view(work.dvectors.span(), rows, net.width()), tensor::Into::kAdd);
  return loss;
}

}  // namespace

LossPlan plan_loss(const ModelOptions& options, std::span<const PackedBatch> shards) {
  const auto heads = static_cast<std::size_t>(options.heads);
  double targets = 0;
  std::vector<double> known(heads, 0.0);
  for (const auto& shard : shards) {
    for (const std::int32_t target : shard.target) {
      targets += target > 0 ? 1 : 0;
    }
    for (std::size_t i = 0; i < shard.label.size(); ++i) {
      known[i % heads] += shard.label[i] >= 0 ? 1 : 0;
    }
  }
  LossPlan plan;
  plan.token_scale = targets > 0 ? 1 / targets : 0;
  for (const double count : known) {
    plan.head_scale.push_back(count > 0 ? static_cast<double>(options.head_weight) / count : 0);
  }
  return plan;
}

double loss_and_gradient(const ShardInput& input, StepWork& work, std::span<float> gradients) {
  const Network& net = input.network;
  if (input.batch->rows() == 0) {
    return 0;
  }
  DropoutPlan dropout = input.plan->dropout;
  dropout.first_row = input.batch->first_row;
  const Pass pass{net, input.batch, dropout, true, false};
  trunk_forward(pass, work.trunk);
  work.dvectors.resize(input.batch->rows() * net.width());
  work.dvectors.zero();
  double loss = 0;
  if (input.plan->token_scale > 0) {
    loss += token_loss(input, work, gradients);
  }
  if (net.options->heads > 0) {
    loss += head_loss(input, work, gradients);
  }
  trunk_backward(pass, work.trunk, work.dvectors.span(), gradients);
  return loss;
}

}  // namespace beckon::model::inner
