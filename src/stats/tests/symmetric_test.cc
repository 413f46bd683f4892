// Texts would be turned into the wrong directions if one of these broke.
#include "beckon/stats/symmetric.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "beckon/base/rng.h"

namespace beckon::stats {
namespace {

TEST(SymmetricAxes, RebuildTheMatrixFromOrthogonalColumns) {
  // The definition, on matrices nobody thought of.
  for (const std::size_t n : {1UL, 2UL, 7UL, 60UL}) {
    base::Rng rng(n);
    std::vector<double> a(n * n);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j <= i; ++j) {
        a[i * n + j] = a[j * n + i] = rng.normal();
      }
    }
    const auto axes = symmetric_axes(a, n).value();
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) {
        double rebuilt = 0;
        double product = 0;
        for (std::size_t k = 0; k < n; ++k) {
          rebuilt += axes.vectors[i * n + k] * axes.values[k] * axes.vectors[j * n + k];
          product += axes.vectors[k * n + i] * axes.vectors[k * n + j];
        }
        EXPECT_NEAR(rebuilt, a[i * n + j], 1e-10);
        EXPECT_NEAR(product, i == j ? 1 : 0, 1e-12);
      }
    }
    EXPECT_TRUE(std::is_sorted(axes.values.rbegin(), axes.values.rend()));
  }
}

TEST(SymmetricAxes, RefusesWhatIsNoNumber) {
  // It would go on into every vector.
  EXPECT_EQ(symmetric_axes(std::vector<double>{1, 0, std::numeric_limits<double>::quiet_NaN(), 1}, 2).error().code, base::ErrorCode::kFailedPrecondition);
  EXPECT_TRUE(symmetric_axes({}, 0).ok());
  EXPECT_EQ(symmetric_axes(std::vector<double>(9, 0.0), 3)->values, std::vector<double>(3, 0.0));
}

}  // namespace
}  // namespace beckon::stats
