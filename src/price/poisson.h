#pragma once
// Private to price: one slope a group under Poisson pseudo-likelihood with a free effect for each cell.

#include <vector>

#include "dense.h"

namespace beckon::price {

struct PoissonData {
  std::vector<double> x;                       ///< (n), centred inside effects
  std::span<const double> quantity;            ///< (n), >= 0
  const Codes& effects;                        ///< each belongs to one group
  std::span<const std::uint32_t> group;        ///< (n) or empty
};
struct PoissonSlope {
  double slope = 0;
  double std_error = 0;  ///< robust: holds when the variance is not the mean
  bool converged = false;
};
/// The effects are maximised out: what is left is a multinomial inside each effect, concave in the slope. Newton's method, all groups
/// at once. Effects without any quantity say nothing and drop out.
std::vector<PoissonSlope> poisson_slopes(const PoissonData& data, std::size_t groups);

}  // namespace beckon::price
