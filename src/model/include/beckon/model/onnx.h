#pragma once
// A trained network for other programs: ONNX, opset 18.

#include <string>

#include "beckon/model/model.h"

namespace beckon::model {

/// The bytes of a ModelProto that computes Model::encode, score_histories and head_logits, for every architecture. Inputs, int64:
///   tokens (batch, length)            oldest first, 1 … length_max of them, the end of shorter rows filled with 0
///   side (batch, length, columns)     when the network has side columns
///   at_ms, request_ms (batch, length) when it has a bias by time: as in Sequence; 0 everywhere for histories whose times are not known
///   lengths (batch)                   1 … length
///   memory_tokens (batch, any)        when a memory was trained: the history's tokens, newest LAST, shorter rows filled with 0 in front.
///                                     It looks at the last 200, which may be more than the network's own length_max
/// Outputs, float32: `e` (batch, width), the vector after position lengths-1; `logits` (batch, tokens), with what the memory knows, whose
/// column 0 means nothing; `head_logits` (batch, heads) when there are heads.
/// failed_precondition above protobuf's limit of 2 GiB.
base::Result<std::string> to_onnx(const Model& model);

}  // namespace beckon::model
