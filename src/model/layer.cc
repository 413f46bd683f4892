#include "layer.h"

#include <algorithm>
#include <cmath>

namespace beckon::model::inner {

Network network_of(const Model& model) {
  return {&model.options(), &model.layout(), model.weights()};
}

tensor::Dropout DropoutPlan::at(std::uint32_t site, std::size_t width) const {
  std::uint64_t mixed = (key ^ (site * 0x9E3779B97F4A7C15ULL)) * 0xBF58476D1CE4E5B9ULL;
  mixed = (mixed ^ (mixed >> 31U)) * 0x94D049BB133111EBULL;
  return {rate, static_cast<std::uint32_t>(mixed >> 32U), first_row * static_cast<std::uint32_t>(width)};
}

void copy_last_rows(const PackedBatch& batch, std::size_t width, std::span<const float> from, std::span<float> to) {
  for (std::size_t s = 0; s < batch.sequences(); ++s) {
    // Row s is never behind the row it is copied from, so the rows can move within one buffer.
    std::copy_n(from.data() + (batch.start[s + 1] - 1) * width, width, to.data() + s * width);
  }
}

void fill_normal(std::span<float> values, double deviation, base::Rng& rng) {
  for (float& value : values) {
    value = static_cast<float>(deviation * rng.normal());
  }
}

void fill_glorot(std::span<float> weights, const Part& part, base::Rng& rng) {
  fill_normal(part_of(weights, part), std::sqrt(2.0 / static_cast<double>(part.rows + part.columns)), rng);
}

}  // namespace beckon::model::inner
