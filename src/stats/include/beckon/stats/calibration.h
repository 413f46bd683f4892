#pragma once
// Does "3 %" mean 3 of 100? Reliability, and two ways to mend probabilities. Predictions are in [0, 1]; outcomes are 0 or 1.

#include <cstdint>
#include <span>
#include <vector>

#include "beckon/base/result.h"
#include "beckon/stats/intervals.h"

namespace beckon::stats {

using Outcomes = std::span<const std::uint8_t>;

struct ReliabilityBin {
  double predicted = 0;   ///< mean prediction in the bin
  Interval observed;      ///< share with its Wilson interval
  std::int64_t count = 0;
};
struct BinOptions {
  int bins = 10;
  bool equal_counts = true;  ///< else equal widths of [0, 1]; empty bins are left out
  double level = 0.95;
};
std::vector<ReliabilityBin> reliability_table(std::span<const double> predicted, Outcomes outcome, const BinOptions& options = {});
/// Σ count/n · |predicted - observed| (Naeini et al. 2015). Biased upwards by about 1/√(count of a bin).
double expected_calibration_error(std::span<const ReliabilityBin> bins);

/// Mean of -log p(outcome); predictions are kept 1e-12 away from 0 and 1.
double log_loss(std::span<const double> predicted, Outcomes outcome);
double brier_score(std::span<const double> predicted, Outcomes outcome);
/// Probability that a positive is ranked above a negative, ties count half; 0.5 when a class is missing.
double auc(std::span<const double> score, Outcomes outcome);

/// p → sigmoid(slope · logit(p) + offset) (Platt 1999, on the logit scale). Keeps the order when slope > 0.
struct PlattCalibration {
  double slope = 1;
  double offset = 0;
  double apply(double predicted) const;
  /// failed_precondition when one class is missing.
  static base::Result<PlattCalibration> fit(std::span<const double> predicted, Outcomes outcome);
};

/// Monotone map by pool-adjacent-violators (Ayer et al. 1955), linear between block centres, constant outside. Wants a thousand
/// outcomes; with fewer use Platt.
struct IsotonicCalibration {
  std::vector<double> x;  ///< ascending
  std::vector<double> y;  ///< non-decreasing, same length
  double apply(double predicted) const;
  /// failed_precondition when there is no data.
  static base::Result<IsotonicCalibration> fit(std::span<const double> predicted, Outcomes outcome);
};

}  // namespace beckon::stats
