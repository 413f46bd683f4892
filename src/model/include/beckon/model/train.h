#pragma once
// Training and evaluation.
//
// One sample is one history with a loss at every position that has a target or a label; long histories are cut into windows
// of `length_max`, at another place in each epoch. Token loss: softmax cross-entropy over all tokens, or the sampled one
// with logQ correction (Bengio and Senécal 2008; the positive stays uncorrected: Yi et al. 2019, Khrylchenko et al. 2025), or
// gBCE or BCE with uniform negatives of each position. Heads: binary cross-entropy or squared error. Adam with clipped gradients and a linear warm-up.

#include <functional>
#include <string>

#include "beckon/base/clock.h"
#include "beckon/model/model.h"

namespace beckon::model {

/// Of the matrix products in training; evaluation and serving are fp32. kBf16: bfloat16 factors, fp32 sums, fp32 weights; kAuto:
/// that where the processor multiplies bfloat16 in hardware, else fp32. Part of the result.
enum class Precision { kAuto, kFp32, kBf16 };

/// What a training changes. kHeads: the binary heads alone, on vectors of the network as it is; much cheaper.
enum class Update { kEverything, kHeads };

struct TrainOptions {
  std::uint64_t seed = 1;
  int epochs_max = 100;
  std::size_t batch_positions = 1024;  ///< positions a step, at least one window
  float learning_rate = 1e-3F;
  float gradient_norm_max = 5;  ///< 0: no clipping
  int warmup_steps = 100;
  int dropout_ramp_steps = 3000;  ///< dropout grows from half to all of itself over so many steps (Morerio et al. 2017); 0: all at once
  int patience = 8;                           ///< epochs without a better validation NDCG@10 before stopping
  std::size_t positions_per_sequence = 0;     ///< learn at most about this many positions of a history per epoch; 0: all
  std::size_t validation_count_max = 20'000;  ///< evenly spaced sample of the validation histories
  bool validation_exclude_seen = false;       ///< leave tokens of the history out of the ranking
  double negative_power = .5;                 ///< sampled softmax: negatives are drawn in proportion to (count + 1)^power
  std::size_t worker_count = 1;               ///< part of the result: same seed and worker count → same bits
  Precision precision = Precision::kAuto;
  /// The model is the exponential average of the weights over about 1 / (1 - averaging) steps (Polyak and Juditsky 1992; Izmailov et
  /// al. 2018); 0: the last weights.
  float averaging = .998F;
  Update update = Update::kEverything;
  int fine_tune_epochs = 3;        ///< over newer steps, after a pre-training; 0: none
  float fine_tune_rate = .5F;      ///< their learning rate as a share of learning_rate
  std::string checkpoint_path;                ///< empty: none. The best model; the training state goes to path + ".state"
  bool resume = false;                        ///< continue from the state file when there is one
};
base::Status validate(const TrainOptions& options);
/// "auto", "fp32", "bf16"; invalid_argument with the list for others.
base::Result<Precision> precision_from(const std::string& name);

struct EpochReport {
  int epoch = 0;  ///< from 1
  std::int64_t steps = 0;
  std::int64_t positions = 0;
  double train_loss = 0;  ///< mean over the epoch's steps
  double validation_ndcg10 = 0;
  double validation_hit10 = 0;
  double positions_per_second = 0;  ///< training alone
  double seconds = 0;               ///< with validation
};

struct TrainReport {
  std::vector<EpochReport> epochs;
  int best_epoch = 0;  ///< 0 when there was no validation
  double best_ndcg10 = 0;
  bool stopped_early = false;  ///< patience was used up
  bool cancelled = false;      ///< should_stop said so; the model holds the best epoch so far
};

struct TrainProgress {
  int epoch = 0;
  std::int64_t step = 0;         ///< within the epoch
  std::int64_t steps_total = 0;  ///< of the epoch
  double loss = 0;
};

struct EvaluateOptions {
  std::size_t k = 10;
  bool exclude_seen = false;
  std::size_t count_max = 0;  ///< 0: all; else an evenly spaced sample
};
struct Evaluation {
  std::size_t count = 0;
  double ndcg = 0;
  double hit = 0;
  double mrr = 0;
};

/// `files` is needed with a checkpoint path only. The executor may have any number of workers.
struct TrainHooks {
  base::Executor* executor = nullptr;
  const base::Clock* clock = nullptr;  ///< nullptr: no durations in the reports
  base::FileSystem* files = nullptr;
  std::function<void(const TrainProgress&)> on_step;
  std::function<void(const EpochReport&)> on_epoch;
  std::function<bool()> should_stop;  ///< asked after every step
  /// Asked once an epoch instead of ranking the validation set: for protocols with their own question. Its `ndcg` chooses the epoch.
  std::function<Evaluation(const Model&)> validate;
};

/// Trains `model` from its present weights; afterwards it holds the weights of the best epoch (the last, without
/// validation). A validation history counts when its last position has a target. Errors: invalid_argument for data or
/// options out of range, data_loss or failed_precondition for a state file that cannot be continued or a loss that is no
/// longer finite.
base::Result<TrainReport> train(Model& model, std::span<const Sequence> train_set, std::span<const Sequence> validation_set,
                                const TrainOptions& options, const TrainHooks& hooks);

/// Whether any position from learn_from on has a target or a label. train() wants at least one sequence that has.
bool teaches(const Sequence& sequence);

/// The options with which a model that `options` pre-trained is brought up to date: fine_tune_epochs at the lower rate, no
/// validation, no checkpoint. Give histories whose `learn_from` is the first position that the pre-training has not seen.
TrainOptions fine_tune_options(const TrainOptions& options);

/// Ranks the whole vocabulary for the last position of each sequence that has a target there. Ties count against us.
Evaluation evaluate(const Model& model, std::span<const Sequence> sequences, const EvaluateOptions& options,
                    base::Executor& executor);

}  // namespace beckon::model
