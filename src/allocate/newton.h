#pragma once
// Finds dual prices: semismooth Newton on the smoothed dual, from a sample of the customers to all of them.

#include <vector>

#include "smooth.h"

namespace beckon::allocate {

struct DualResult {
  std::vector<double> best;    ///< (rows, scaled) lowest exact dual seen
  std::vector<double> smooth;  ///< (rows, scaled) last minimiser of the smoothed dual
  bool converged = false;
};

/// `start` is empty or (rows, scaled).
DualResult minimise_dual(const Instance& instance, Evaluator& evaluator, const Options& options, std::vector<double> start);

}  // namespace beckon::allocate
