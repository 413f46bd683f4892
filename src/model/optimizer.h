#pragma once
// Folds the workers' gradients in index order, clips them, and takes an Adam step.

#include <span>
#include <vector>

#include "beckon/base/executor.h"
#include "beckon/model/train.h"
#include "beckon/tensor/tensor.h"
#include "layout.h"

namespace beckon::model::inner {

struct OptimizerState {
  std::vector<float> first, second;  ///< as long as the weights
  std::int64_t steps = 0;
};

/// Not thread-safe. Gradients are zero between steps.
class Optimizer {
 public:
  Optimizer(const Layout& layout, const TrainOptions& options);

  /// The buffer that shard `worker` adds to.
  std::span<float> gradients(std::size_t worker) { return gradients_[worker].span(); }
  OptimizerState& state() { return state_; }
  const OptimizerState& state() const { return state_; }

  /// One step. `rows`: sorted token rows that have a gradient; empty: all. Untouched rows and their moments stay as they
  /// are. Elements are independent and norms are summed in order, so the bits do not depend on the executor.
  /// failed_precondition when the gradient is not finite; then nothing has changed but the gradients.
  base::Status step(std::span<float> weights, std::span<const std::int32_t> rows, base::Executor& executor);

 private:
  struct Chunk {
    std::size_t begin = 0;  ///< of the weights, or of `rows` when `lazy`
    std::size_t end = 0;
    bool lazy = false;
  };
  std::vector<Chunk> chunks(std::size_t touched_rows) const;
  template <class Visit>
  void for_ranges(const Chunk& chunk, std::span<const std::int32_t> rows, Visit visit) const;
  double fold(const Chunk& chunk, std::span<const std::int32_t> rows);

  const Layout& layout_;
  TrainOptions options_;
  std::vector<tensor::Buffer> gradients_;
  OptimizerState state_;
};

}  // namespace beckon::model::inner
