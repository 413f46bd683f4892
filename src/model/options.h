#pragma once
// Options as JSON in checkpoints.

#include <string>

#include "beckon/model/train.h"

namespace beckon::model::inner {

std::string text_of(Precision precision);
/// kAuto becomes what this processor does.
Precision resolved_precision(Precision precision);
std::string to_json(const ModelOptions& options);
/// invalid_argument when a field is missing or out of range.
base::Result<ModelOptions> options_from_json(std::string_view text);
/// Everything that an exact continuation depends on, as one line.
std::string fingerprint(const ModelOptions& options, const TrainOptions& training);

}  // namespace beckon::model::inner
