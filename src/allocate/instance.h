#pragma once
// A problem made ready for passes: candidates that can never be picked are gone, customers are in random order (so that a prefix
// is a sample), values and amounts are floats of about 1.

#include <cstdint>
#include <functional>
#include <vector>

#include "beckon/allocate/allocate.h"

namespace beckon::allocate {

struct Link {
  std::int32_t row;
  float amount;
};

struct Instance {
  std::int64_t rows = 0;
  std::int32_t picks_max = 1;
  std::vector<std::int64_t> start;         ///< (customers + 1); customers without a candidate are left out
  std::vector<float> value;                ///< (candidates) over value_scale
  std::vector<std::uint32_t> link_start;   ///< (candidates + 1)
  std::vector<Link> links;                 ///< amount over row_scale
  std::vector<std::int32_t> group;         ///< empty or (candidates)
  std::vector<double> capacity;            ///< (rows) over row_scale
  double value_scale = 1;
  std::vector<double> row_scale;           ///< (rows) mean amount of a use

  std::int64_t customers() const { return static_cast<std::int64_t>(start.size()) - 1; }
  /// Value per unit, in the caller's units ↔ in units of the instance.
  std::vector<double> dual_out(const std::vector<double>& scaled) const;
  std::vector<double> dual_in(const std::vector<double>& dual) const;
};

/// A valid problem with what every later step asks of it.
struct Context {
  const Problem& problem;
  const Options& options;
  std::vector<std::uint8_t> usable;  ///< (candidates) 1: may be in some feasible choice: positive value, no use above its capacity
  bool can(std::int64_t candidate) const { return usable[static_cast<std::size_t>(candidate)] != 0; }
};

base::Status validate(const Problem& problem, const Options& options);
/// The problem must be valid.
Context make_context(const Problem& problem, const Options& options);
Instance make_instance(const Context& context);

/// task(0) … task(count - 1) on the executor, or here when it is null.
void run_tasks(base::Executor* executor, std::size_t count, const std::function<void(std::size_t)>& task);

/// First index of part `part` of `parts` equal parts of [0, count).
inline std::int64_t part_begin(std::int64_t count, std::size_t part, std::size_t parts) {
  return count * static_cast<std::int64_t>(part) / static_cast<std::int64_t>(parts);
}

}  // namespace beckon::allocate
