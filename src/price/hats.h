#pragma once
// Private to price: the response at the knots of a piecewise linear curve, and how well the data know it.

#include <vector>

#include "beckon/base/result.h"
#include "beckon/price/curve.h"
#include "dense.h"

namespace beckon::price {

/// A row's place between knots: weight 1 - right on `knot`, right on the next.
struct Hat {
  std::uint32_t knot = 0;
  double right = 0;
};

struct Knots {
  std::vector<double> price;  ///< ascending, two or more
  std::vector<double> at;     ///< the same in the units of the scale: log(price / mean price), or price / mean price - 1
  std::vector<double> mass;   ///< share of the rows on each, sums to 1
  std::vector<Hat> hats;      ///< (rows)
  Hat place(double value) const;
};
/// At most `count` knots at quantiles of the price, or at its values when these are fewer.
Knots make_knots(std::span<const double> prices, Scale scale, std::size_t count);

/// Gaussian summary of the data: information matrix (knots, knots), and information · estimate. Constants (level) carry none.
struct Response {
  std::vector<double> information;
  std::vector<double> pull;
};
base::Result<Response> response_at_knots(const Observations& data, const Knots& knots, const CurveOptions& options);

}  // namespace beckon::price
