#pragma once
// Random problems for the tests and the bench of allocate.

#include <algorithm>
#include <cmath>

#include "beckon/allocate/allocate.h"
#include "beckon/base/rng.h"

namespace beckon::allocate {

struct Shape {
  std::int64_t customers = 100;
  std::int64_t candidates = 8;   ///< per customer; some have fewer when `ragged`
  std::int64_t budgets = 3;      ///< rows used by cost
  std::int64_t quantities = 5;   ///< rows used by one
  std::int64_t slots = 4;
  std::int32_t picks_max = 1;
  std::int32_t groups = 0;       ///< 0: no groups
  double tightness = 1;          ///< factor on capacities
  std::int64_t round_to = 1;     ///< values are multiples: ties
  bool ragged = true;
};

/// Values from a response model (decide.md, section 1.3): p = sigmoid(…), cost by response, value by cost.
inline Problem random_problem(const Shape& shape, std::uint64_t seed) {
  base::Rng rng(seed);
  Problem problem;
  problem.picks_max = shape.picks_max;
  problem.customer_start = {0};
  problem.use_start = {0};
  const std::int64_t rows = shape.budgets + shape.quantities + shape.slots;
  std::vector<double> used(static_cast<std::size_t>(rows), 0);
  const auto pick_row = [&](std::int64_t first, std::int64_t count) {
    return static_cast<std::int32_t>(first + static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(count))));
  };
  const auto use = [&](std::int32_t row, std::int64_t amount) {
    problem.uses.push_back({row, amount});
    used[static_cast<std::size_t>(row)] += static_cast<double>(amount) / static_cast<double>(shape.candidates);
  };
  for (std::int64_t i = 0; i < shape.customers; ++i) {
    const double customer = rng.normal();
    const auto count = shape.ragged ? static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(shape.candidates) + 1))
                                    : shape.candidates;
    for (std::int64_t j = 0; j < count; ++j) {
      const double p = 1 / (1 + std::exp(2.5 - 0.8 * customer - 0.8 * rng.normal()));
      const double cost = p * std::exp(1 + 0.7 * rng.normal()) + 0.002;
      const double value = cost * (std::exp(0.2 + 0.8 * rng.normal()) - 0.35);
      const auto micro = static_cast<std::int64_t>(value * 1e6);
      problem.value.push_back(micro / shape.round_to * shape.round_to);
      if (shape.budgets > 0) {
        use(pick_row(0, shape.budgets), static_cast<std::int64_t>(cost * 1000));
      }
      if (shape.quantities > 0) {
        use(pick_row(shape.budgets, shape.quantities), 1);
      }
      if (shape.slots > 0) {
        use(pick_row(shape.budgets + shape.quantities, shape.slots), 1);
      }
      problem.use_start.push_back(static_cast<std::int64_t>(problem.uses.size()));
      if (shape.groups > 0) {
        problem.group.push_back(static_cast<std::int32_t>(rng.below(static_cast<std::uint64_t>(shape.groups) + 1)) - 1);
      }
    }
    problem.customer_start.push_back(static_cast<std::int64_t>(problem.value.size()));
  }
  for (std::int64_t m = 0; m < rows; ++m) {
    const double share = m < shape.budgets ? 0.25 + 0.5 * rng.uniform() : 0.35 + 0.9 * rng.uniform();
    problem.capacity.push_back(static_cast<std::int64_t>(share * shape.tightness * used[static_cast<std::size_t>(m)] * shape.picks_max));
  }
  return problem;
}

}  // namespace beckon::allocate
