#pragma once
// Where each parameter lies in the one vector of all weights. Matrices are input × output, so that y = x·W.

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "beckon/model/model.h"

namespace beckon::model::inner {

class Layer;

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

struct NamedPart {
  std::string name;
  Part part;
};

/// Immutable once made, hence thread-safe.
struct Layout {
  explicit Layout(const ModelOptions& options);
  ~Layout();
  Layout(const Layout&) = delete;
  Layout& operator=(const Layout&) = delete;

  /// Reserves a parameter; layers call it while they are made.
  Part add(const std::string& name, std::size_t rows, std::size_t columns);

  std::vector<std::unique_ptr<const Layer>> layers;
  std::vector<Part> side;        // one a column; empty where the column has one value only
  Part position;                 // length_max × width; empty without absolute positions
  Part final_gain, final_shift;  // empty without a final norm
  Part head, head_bias;          // width × heads
  Part token, token_bias;
  Part gate, gate_bias;          // width × features of the memory; empty without memory
  std::vector<NamedPart> named;  // all parameters, in order of offset
  std::size_t size = 0;
};

/// What `positions` and `feed_forward_width` stand for.
Positions resolved_positions(const ModelOptions& options);
std::size_t feed_forward_width(const ModelOptions& options);
bool is_recurrent(Arch arch);

}  // namespace beckon::model::inner
