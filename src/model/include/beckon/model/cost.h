#pragma once
// What a training costs, before it starts.

#include <cstdint>

#include "beckon/model/train.h"

namespace beckon::model {

/// Floating-point operations in matrix products that training takes a position with a target: 6 a weight that it meets there
/// (forward, and two products backward).
double flops_per_position(const ModelOptions& options);

/// Bytes that train() holds at once beside the sequences: weights, their average, the best ones so far, Adam's two moments, a gradient for each worker
/// and a copy of the state while a checkpoint is written.
std::int64_t training_bytes(const ModelOptions& options, const TrainOptions& training);

}  // namespace beckon::model
