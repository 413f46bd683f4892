#include "beckon/model/cost.h"

#include "layout.h"

namespace beckon::model {

double flops_per_position(const ModelOptions& options) {
  const bool full = resolved_loss(options) == LossKind::kFullSoftmax;
  double weights = static_cast<double>(full ? options.tokens - 1 : resolved_negatives(options)) * options.width;
  for (const auto& [name, part] : inner::Layout(options).named) {
    weights += name.starts_with("layers.") && part.rows > 1 && name.ends_with(".weight") ? static_cast<double>(part.size()) : 0;
  }
  return 6 * weights;
}

std::int64_t training_bytes(const ModelOptions& options, const TrainOptions& training) {
  const auto weights = static_cast<std::int64_t>(inner::Layout(options).size);
  const std::int64_t copies = (training.averaging > 0 ? 5 : 4) + static_cast<std::int64_t>(training.worker_count) + (training.checkpoint_path.empty() ? 0 : 11);
  return copies * weights * static_cast<std::int64_t>(sizeof(float));
}

}  // namespace beckon::model
