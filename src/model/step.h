#pragma once
// Loss and gradient of one shard of a step.

#include "binary_loss.h"
#include "head_loss.h"
#include "softmax_loss.h"
#include "trunk.h"

namespace beckon::model::inner {

/// What makes the loss of a step a mean over the whole step, whatever the cut into shards.
struct LossPlan {
  double token_scale = 1;          ///< 1 / targets of the step
  std::vector<double> head_scale;  ///< per head: head_weight / known labels of the step
  const NegativeSet* negatives = nullptr;       ///< of the sampled softmax
  const RowNegatives* row_negatives = nullptr;  ///< of BCE and gBCE; neither: full softmax
  const PackedTable* table = nullptr;  ///< of the full softmax; nullptr: every shard packs its own
  DropoutPlan dropout;
  bool heads_only = false;  ///< no token loss, and no gradient below the heads
};
/// Counts over all shards of the step. Scales are 0 where there is nothing.
LossPlan plan_loss(const ModelOptions& options, std::span<const PackedBatch> shards);

struct StepWork {
  TrunkCache trunk;
  LossScratch loss;
  HeadScratch heads;
  std::vector<std::int32_t> target, target_row;
  tensor::Buffer vectors, dvectors_of_targets, dvectors;
};

struct ShardInput {
  Network network;
  const PackedBatch* batch = nullptr;
  const LossPlan* plan = nullptr;
  const RecalledBatch* recalled = nullptr;  ///< nullptr: no memory
};
/// Returns this shard's part of the loss, adds to the gradients.
double loss_and_gradient(const ShardInput& input, StepWork& work, std::span<float> gradients);

}  // namespace beckon::model::inner
