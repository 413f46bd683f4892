#pragma once
// Passes over the candidates: the ridge-smoothed dual with gradient and generalised Hessian, and the exact dual.

#include <span>
#include <vector>

#include "instance.h"

namespace beckon::allocate {

/// Sums over customers; the linear part Σ capacity · dual is the caller's.
struct Evaluation {
  double value = 0;
  std::vector<double> usage;    ///< (rows) A x, the negative gradient of `value`
  std::vector<double> hessian;  ///< (rows, rows), lower triangle; empty when not asked for
};

struct Pass {
  std::int64_t customers = 0;  ///< the first so many
  double gamma = 0;            ///< ridge; 0: exact dual, usage is then of one maximiser
  bool hessian = false;
};

/// Per customer  max { r·x - gamma/2 |x|² : 0 <= x <= 1, Σx <= picks_max },  r = value - Aᵀ dual. Of a group only the candidate
/// with the largest r takes part (exact for gamma = 0; a heuristic at ties within a group otherwise).
/// Not thread-safe: keeps scratch between passes. Bits do not depend on the executor.
class Evaluator {
 public:
  Evaluator(const Instance& instance, base::Executor* executor);
  const Evaluation& run(std::span<const double> dual, const Pass& pass);
  /// Passes so far, in units of all customers.
  double passes() const { return passes_; }

 private:
  const Instance& instance_;
  base::Executor* executor_;
  std::vector<Evaluation> lanes_;
  Evaluation total_;
  double passes_ = 0;
};

}  // namespace beckon::allocate
