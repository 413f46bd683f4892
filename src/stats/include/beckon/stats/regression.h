#pragma once
// Logistic regression by Newton's method (iteratively reweighted least squares), for a few dozen columns: O(n·d² + d³) a step.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "beckon/base/result.h"

namespace beckon::stats {

/// 1 / (1 + e^-x) without overflow.
double sigmoid(double x);

struct LogisticData {
  std::span<const double> x;              ///< (n, columns) row-major; scale the columns alike, the penalty sees their units
  std::span<const std::uint8_t> outcome;  ///< (n) 0 or 1
  std::size_t columns = 1;
  std::span<const double> weight = {};    ///< (n) or empty: all 1
};
struct LogisticOptions {
  double l2 = 1.0;          ///< penalty l2/2 · |coefficients|²; the intercept is free
  int iterations_max = 50;
};
struct LogisticModel {
  std::vector<double> coefficients;  ///< (columns)
  std::vector<double> std_error;     ///< (columns), from the inverse penalised Hessian
  double intercept = 0;
  double intercept_std_error = 0;
  int iterations = 0;
  bool converged = false;
  double predict(std::span<const double> row) const;  ///< probability
};
/// failed_precondition when a class is missing, a value is not finite, or the Hessian is singular (l2 = 0 and a constant column).
base::Result<LogisticModel> fit_logistic(const LogisticData& data, const LogisticOptions& options = {});

}  // namespace beckon::stats
