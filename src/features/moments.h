#pragma once
// Private to features: sums over rows that are too many for one product in float.

#include <cstddef>
#include <span>
#include <vector>

namespace beckon::features {

struct Rows {
  std::span<const float> data;  ///< (rows, width)
  std::size_t width = 0;
};

/// (a.width, b.width): Σ weight · aᵀ b over the rows. In blocks, summed in double.
std::vector<double> weighted_products(const Rows& a, const Rows& b, std::span<const float> weights);

}  // namespace beckon::features
