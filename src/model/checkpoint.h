#pragma once
// Model files and the state of a training beside them.

#include <string>
#include <string_view>

#include "beckon/model/train.h"
#include "optimizer.h"

namespace beckon::model::inner {

/// The bytes of a model file and back. Errors as in Model::load, without the path.
std::string model_to_bytes(const Model& model);
base::Result<Model> model_from_bytes(std::string_view bytes);

/// Everything that continues a training with the same bits, as of the end of an epoch.
struct TrainState {
  std::vector<float> weights;
  std::vector<float> average;       ///< empty without averaging
  std::vector<float> best_weights;
  OptimizerState optimizer;
  TrainReport report;
};
std::string state_to_bytes(const TrainState& state, const std::string& fingerprint);
/// failed_precondition when the state belongs to other options; `size` is the number of weights.
base::Result<TrainState> state_from_bytes(std::string_view bytes, const std::string& fingerprint, std::size_t size);

std::string state_path(const std::string& checkpoint_path);

}  // namespace beckon::model::inner
