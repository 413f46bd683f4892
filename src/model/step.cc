#include "step.h"

#include <algorithm>

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
  tensor::gather_add(rows, work.trunk.result, work.vectors.span());
  work.dvectors_of_targets.resize(work.vectors.size());
  const auto scale = static_cast<float>(input.plan->token_scale);
  double loss = 0;
  if (input.plan->row_negatives != nullptr) {
    loss = binary_loss({input.network, work.vectors.span(), work.target, work.target_row, scale, input.batch->first_row,
                        input.plan->row_negatives},
                       work.dvectors_of_targets.span(), gradients);
  } else {
    loss = softmax_loss({input.network, work.vectors.span(), work.target, scale, input.plan->negatives, {input.recalled, work.target_row}, input.plan->table},
                        work.loss, {work.dvectors_of_targets.span(), gradients});
  }
  if (!input.network.options->token_bias) {
    std::ranges::fill(part_of(gradients, input.network.layout->token_bias), 0.0F);
  }
  tensor::scatter_add(rows, work.dvectors_of_targets.span(), work.dvectors.span());
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
  const bool heads_only = input.plan->heads_only;
  if (input.plan->token_scale > 0 && !heads_only) {
    loss += token_loss(input, work, gradients);
  }
  if (net.options->heads > 0) {
    loss += head_loss({net, work.trunk.result, input.batch->label, input.plan->head_scale}, work.heads,
                      work.dvectors.span(), gradients);
  }
  if (!heads_only) {
    trunk_backward(pass, work.trunk, work.dvectors.span(), gradients);
  }
  return loss;
}

}  // namespace beckon::model::inner
