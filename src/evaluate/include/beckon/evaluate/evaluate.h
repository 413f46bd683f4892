#pragma once
// How well a network trained on these histories finds what comes next: the whole catalogue ranked, beside the floors it has to beat.
//
//   protocol.h   what is learned from, chosen on, measured
//   measures.h   hit rate, NDCG, reciprocal rank, recall, precision, coverage
//   floors.h     popularity, Markov chain, item neighbours, own history
//   machine.h    sgemm rate, memory
//   tensorboard.h  curves for TensorBoard
//   evaluate.h   all of it, once a seed

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "beckon/base/base.h"
#include "beckon/base/json.h"
#include "beckon/evaluate/floors.h"
#include "beckon/evaluate/machine.h"
#include "beckon/features/options.h"
#include "beckon/model/train.h"

namespace beckon::evaluate {

struct RunOptions {
  SplitOptions split;
  model::ModelOptions model;             ///< tokens, side columns and heads are set from the data
  features::FeatureOptions features;     ///< text vectors of timed data; the side columns are already in the data
  model::TrainOptions training;          ///< seed and checkpoint are set for each run
  std::vector<std::uint64_t> seeds{1};
  std::string folder;                    ///< checkpoints go to FOLDER/seed-N.safetensors; empty: none are kept
  std::string split_folder = {};         ///< write_split() goes there; empty: nowhere
  std::int64_t memory_bytes = 0;         ///< that may be taken; 0: what the machine has free
  std::int64_t horizon_ms = 7 * base::kDayMs;  ///< next basket: what weighs the evidence looks so far ahead
  int resamples = 1000;                  ///< of the bootstrap over customers
};

struct Environment {
  base::Executor* executor = nullptr;
  const base::Clock* clock = nullptr;    ///< for durations
  base::FileSystem* files = nullptr;
  base::ProgressMode progress = base::ProgressMode::kQuiet;
  const std::atomic<bool>* stop = nullptr;
  /// Called after every epoch of every seed.
  std::function<base::Status(std::uint64_t seed, const model::EpochReport&)> on_epoch;
};

/// Next basket of a timed set: "test" is the answer of network and counting together, as a shop gives it, and "mean.network" the network
/// alone. Else "test" is the network.
/// The report (docs/model.md): {"config", "runs", "mean", "floors", "intervals", "gain"}. Errors: failed_precondition without anybody to
/// test or anything to learn, resource_exhausted before the start when memory would not do, unavailable when it was stopped.
base::Result<base::Json> evaluate(Data& data, const RunOptions& options, const Environment& environment);

/// What evaluate() holds at once, at least.
std::int64_t memory_needed_bytes(const Data& data, const Split& cut, const RunOptions& options);
/// resource_exhausted, with what would need less, when a training needs more than is free. free_bytes 0: what the machine has free, and
/// anything goes where that is not known.
base::Status enough_memory(const model::ModelOptions& shape, const model::TrainOptions& training, std::int64_t needed_bytes,
                           std::int64_t free_bytes = 0);

}  // namespace beckon::evaluate
