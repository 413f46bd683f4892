#pragma once
// A trained network for other programs: ONNX, opset 17.

#include <string>

#include "beckon/model/model.h"

namespace beckon::model {

/// The bytes of a ModelProto. Inputs, int64: `tokens` (batch, length), oldest first, the end of shorter rows filled with 0; `side`
/// (batch, length, columns) when the network has side columns; `lengths` (batch), 1 … length. length <= length_max. Outputs, float32:
/// `e` (batch, width), the vector after position lengths-1; `logits` (batch, tokens), whose column 0 means nothing; `head_logits`
/// (batch, heads) when there are heads. It computes what Model::encode, score_tokens and head_logits do for histories without times.
/// failed_precondition for other architectures than ligr with positions by distance, and above protobuf's limit of 2 GiB.
base::Result<std::string> to_onnx(const Model& model);

}  // namespace beckon::model
