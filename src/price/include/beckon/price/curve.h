#pragma once
// Expected quantity over price: discount depth as a dose. Never rises with the price, smooth, pulled towards the elasticity of the
// group, with an interval for each prediction; and what each depth is worth.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "beckon/base/result.h"
#include "beckon/price/crossfit.h"
#include "beckon/price/elasticity.h"
#include "beckon/stats/intervals.h"

namespace beckon::price {

struct CurveOptions {
  Scale scale = Scale::kLogLog;
  double level = 0.95;
  double public_price = 0;        ///< nobody pays more; 0: the highest price of the curve
  double prior_elasticity = 0;    ///< of the group's parent (Shrunk::prior_mean), and how far a group lies from it
  double prior_std_error = 5;     ///< 5: hardly any
  std::size_t points = 25;
  int draws = 2'000;              ///< of the posterior
  std::uint64_t seed = 1;
  const CrossRidge* columns = nullptr;  ///< of the same rows: what they predict is taken out of quantity and price; not with kPoisson
};

struct CurvePoint {
  double price = 0;
  double depth = 0;               ///< 1 - price / public price, 0 … 1
  stats::Interval quantity;       ///< expected, per row
  stats::Interval relative;       ///< to the quantity at the highest price of the curve
  stats::Interval revenue;        ///< price · quantity, per row
};

/// Prices ascend from the lowest seen (0.5 % quantile) to the public price or the highest seen (99.5 %), whichever is lower.
struct DoseCurve {
  std::vector<CurvePoint> points;
  double public_price = 0;
  double bend = 0;  ///< deviation from the straight line of the scale that the data ask for; 0: none

  /// The quantity at a depth, linear between points. invalid_argument for a depth below 0 (a price above the public one is never
  /// offered) or of 1 and more; failed_precondition outside the prices seen: nothing is extrapolated.
  base::Result<CurvePoint> at_depth(double depth) const;
};

/// `group` of the data is not read. The response at up to nine knots (hat functions, cells taken out, robust errors) meets a Gaussian
/// process around the line of the prior (Rasmussen and Williams 2006); draws of the posterior are made monotone by isotonic
/// projection (Lin and Dunson 2014). failed_precondition when the price has fewer than two values inside cells or no row is left.
base::Result<DoseCurve> dose_curve(const Observations& data, const CurveOptions& options);

/// Profit per row at a depth: (public price · (1 - depth) - unit cost) · quantity.
struct DepthValue {
  double depth = 0;
  stats::Interval profit;
};
/// In the order of `depths`; those outside the curve are left out.
std::vector<DepthValue> depth_values(const DoseCurve& curve, std::span<const double> depths, double unit_cost);

}  // namespace beckon::price
