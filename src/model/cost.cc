#include "beckon/model/cost.h"

#include "layout.h"

namespace beckon::model {

double flops_per_position(const ModelOptions& options) {
  const double tokens = resolved_loss(options) == LossKind::kFullSoftmax ? options.tokens : options.negatives;
  const double width = options.width;
  const auto inside = static_cast<double>(inner::feed_forward_width(options));
  return 6.0 * (tokens * width + options.layers * (6.0 * width * width + 3.0 * width * inside));
}

std::int64_t training_bytes(const ModelOptions& options, const TrainOptions& training) {
  const auto weights = static_cast<std::int64_t>(inner::Layout(options).size);
  const std::int64_t copies = 4 + static_cast<std::int64_t>(training.worker_count) + (training.checkpoint_path.empty() ? 0 : 9);
  return copies * weights * static_cast<std::int64_t>(sizeof(float));
}

}  // namespace beckon::model
