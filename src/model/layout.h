#pragma once
// Where each parameter lies in the one vector of all weights. Matrices are input × output, so that y = x·W.

#include <span>
#include <string>
#include <vector>

#include "beckon/model/model.h"

namespace beckon::model::inner {

struct Part {
  std::size_t offset = 0;
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::size_t size() const { return rows * columns; }
};

inline std::span<const float> part_of(std::span<const float> weights, const Part& part) {
  return weights.subspan(part.offset, part.size());
}
inline std::span<float> part_of(std::span<float> weights, const Part& part) {
  return weights.subspan(part.offset, part.size());
}

struct LayerParts {
  Part norm1_gain, norm1_shift;
  Part qkv, qkv_bias;      // width × 3·width
  Part distance_bias;      // heads × length_max
  Part mix, mix_bias;      // width × width, after the attention
  Part gate1, gate1_bias;  // width × width
  Part norm2_gain, norm2_shift;
  Part up;    // width × 2·feed_forward
  Part down;  // feed_forward × width
  Part gate2, gate2_bias;
};

struct NamedPart {
  std::string name;
  Part part;
};

struct Layout {
  explicit Layout(const ModelOptions& options);

  std::vector<LayerParts> layers;
  std::vector<Part> side;
  Part final_gain, final_shift;
  Part head, head_bias;  // width × heads
  Part token, token_bias;
  std::vector<NamedPart> named;  // all of the above, in order of offset
  std::size_t size = 0;

 private:
  Part add(const std::string& name, std::size_t rows, std::size_t columns);
};

std::size_t feed_forward_width(const ModelOptions& options);

}  // namespace beckon::model::inner
