#pragma once
// Who gets what, so that value is largest and no capacity is exceeded. Arrays in, picks and a certificate out; it knows neither
// customers nor offers.
//
//   maximise Σ value[c] over picked c,   with  Σ amount(c, row) <= capacity[row]  for every row,
//   at most picks_max picks a customer, at most one of a group.
//
// Method: multilevel semismooth Newton on the ridge-smoothed Lagrangian dual, a bound from the exact dual, repair and local search
// for whole picks (README.md). All functions are thread-safe; the answer is the same for every executor and number of workers.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "beckon/base/clock.h"
#include "beckon/base/executor.h"
#include "beckon/base/result.h"

namespace beckon::allocate {

struct Use {
  std::int32_t row = 0;
  std::int64_t amount = 0;  ///< >= 0, units of the row: minor units of a budget, pieces of a stock
};

/// Candidate c belongs to customer i when customer_start[i] <= c < customer_start[i + 1].
/// Fewer than 2^32 candidates and uses; no sum of amounts or values may pass 2^62.
struct Problem {
  std::vector<std::int64_t> customer_start;  ///< (customers + 1), from 0 to the number of candidates, non-decreasing
  std::vector<std::int64_t> value;           ///< (candidates) millionths of a minor unit or any unit; <= 0 is never picked
  std::vector<std::int64_t> use_start;       ///< (candidates + 1) into uses
  std::vector<Use> uses;                     ///< of one candidate: each row at most once
  std::vector<std::int64_t> capacity;        ///< (rows) >= 0
  std::int32_t picks_max = 1;                ///< per customer, >= 1
  std::vector<std::int32_t> group = {};      ///< empty, or (candidates): a customer gets at most one of each group >= 0

  std::int64_t customers() const { return static_cast<std::int64_t>(customer_start.size()) - 1; }
  std::int64_t rows() const { return static_cast<std::int64_t>(capacity.size()); }
  std::span<const Use> uses_of(std::int64_t candidate) const {
    const auto c = static_cast<std::size_t>(candidate);
    return std::span(uses).subspan(static_cast<std::size_t>(use_start[c]),
                                   static_cast<std::size_t>(use_start[c + 1] - use_start[c]));
  }
};

struct Options {
  base::Executor* executor = nullptr;  ///< null: in this thread
  const base::Clock* clock = nullptr;  ///< only to fill Solution::seconds
  double gap_target = 1e-5;            ///< local search ends when the gap is below
  int passes_max = 400;                ///< over all candidates; a bound for the time, seldom reached
  std::uint64_t seed = 1;              ///< order in which customers are sampled, and who yields among equals
  std::vector<double> start_dual = {}; ///< (rows) of an earlier solution, or empty
};

struct Solution {
  std::vector<std::int64_t> pick;  ///< (customers, picks_max) candidate or -1, the -1 last; always feasible
  std::int64_t value = 0;
  double upper_bound = 0;          ///< no feasible choice is worth more; rounding errors are on the safe side
  double gap = 0;                  ///< (upper_bound - value) / upper_bound, 0 when the bound is 0
  std::vector<double> dual;        ///< (rows) value of one more unit of capacity
  int passes = 0;                  ///< over all candidates (a pass over a tenth counts a tenth)
  bool converged = false;          ///< the dual met its tolerance; the certificate holds either way
  double seconds = 0;
};

/// invalid_argument when the arrays contradict each other (says where).
base::Result<Solution> solve(const Problem& problem, const Options& options = {});

/// Shares no code with solve(): recounts from scratch.
struct Audit {
  bool feasible = false;
  std::int64_t value = 0;
  std::vector<std::int64_t> used;  ///< (rows)
  std::string problem;             ///< first thing that is wrong, or empty
};
/// `pick` as in Solution. The problem must be one that solve() accepts.
Audit verify(const Problem& problem, std::span<const std::int64_t> pick);

/// The exact Lagrangian dual, an upper bound on every feasible value for any `dual` >= 0 (rows); rounded upwards.
double dual_bound(const Problem& problem, std::span<const double> dual);

}  // namespace beckon::allocate
