#pragma once
// Small made-up languages for the tests.

#include <vector>

#include "beckon/base/rng.h"
#include "beckon/model/train.h"

namespace beckon::model {

/// The next token is a function of the last two: 1 + (3·a + 5·b) mod (tokens - 1). Targets at every position but the first.
std::vector<Sequence> two_step_language(std::int32_t tokens, std::size_t count, std::size_t length, std::uint64_t seed);

/// A small network for it: 12 positions, no dropout.
ModelOptions language_options(std::int32_t tokens);

/// Random sequences for a model with side columns, heads and times; some targets and labels are missing. Each request is made
/// at the time of the next event.
std::vector<Sequence> random_sequences(const ModelOptions& options, std::size_t count, std::uint64_t seed);

}  // namespace beckon::model
