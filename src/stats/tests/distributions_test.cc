// Every interval in every report would be too wide or too narrow if one of these broke.
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "beckon/stats/stats.h"

namespace beckon::stats {
namespace {

double binomial_at_least(int k, int n, double p) {
  double sum = 0;
  for (int i = k; i <= n; ++i) {
    sum += std::exp(std::lgamma(n + 1.0) - std::lgamma(i + 1.0) - std::lgamma(n - i + 1.0)) * std::pow(p, i) * std::pow(1 - p, n - i);
  }
  return sum;
}

TEST(Distributions, NormalMatchesTables) {
  EXPECT_NEAR(normal_cdf(1.96), 0.9750021048517795, 1e-15);
  EXPECT_NEAR(normal_cdf(-10) / 7.619853024160527e-24, 1, 1e-12);
  EXPECT_NEAR(normal_quantile(0.975), 1.959963984540054, 1e-14);
  EXPECT_NEAR(normal_quantile(1e-10), -6.361340902404056, 1e-12);
  for (double p = 1e-6; p < 1; p += 0.0137) {
    EXPECT_NEAR(normal_cdf(normal_quantile(p)), p, 1e-14);
  }
}

TEST(Distributions, BetaMatchesTheBinomialSum) {
  for (int n = 1; n <= 40; n += 3) {
    for (int k = 1; k <= n; ++k) {
      for (const double x : {0.001, 0.1, 0.37, 0.5, 0.82, 0.999}) {
        EXPECT_NEAR(beta_cdf(x, k, n - k + 1), binomial_at_least(k, n, x), 1e-12) << k << " of " << n << " at " << x;
      }
    }
  }
  EXPECT_EQ(beta_cdf(0, 2, 3), 0);
  EXPECT_EQ(beta_cdf(1, 2, 3), 1);
  EXPECT_NEAR(beta_cdf(0.3, 0.5, 0.5), 2 / std::numbers::pi * std::asin(std::sqrt(0.3)), 1e-13);
}

TEST(Distributions, StudentMatchesItsClosedForms) {
  for (double t = -30; t < 30; t += 0.37) {
    EXPECT_NEAR(student_t_cdf(t, 1), 0.5 + std::atan(t) / std::numbers::pi, 1e-13);
    EXPECT_NEAR(student_t_cdf(t, 2), 0.5 + t / (2 * std::sqrt(2 + t * t)), 1e-13);
    EXPECT_NEAR(student_t_cdf(t, 1e8), normal_cdf(t), 1e-8);
  }
  EXPECT_NEAR(student_t_quantile(0.975, 5), 2.570581835636314, 1e-12);
  EXPECT_NEAR(student_t_quantile(0.975, 30), 2.042272456301238, 1e-12);
  EXPECT_NEAR(student_t_quantile(0.025, 1), -12.706204736174698, 1e-10);
}

TEST(Distributions, ChiSquareMatchesItsClosedForm) {
  for (const int half_df : {1, 2, 5, 20}) {
    for (double x = 0.1; x < 120; x *= 1.7) {
      double sum = 0;
      for (int k = 0; k < half_df; ++k) {
        sum += std::exp(-x / 2 + k * std::log(x / 2) - std::lgamma(k + 1.0));
      }
      EXPECT_NEAR(chi_square_upper(x, 2.0 * half_df), sum, 1e-13);
      EXPECT_NEAR(chi_square_cdf(x, 2.0 * half_df), 1 - sum, 1e-13);
    }
  }
  EXPECT_NEAR(chi_square_quantile(0.95, 1), 3.841458820694124, 1e-12);
  EXPECT_NEAR(chi_square_quantile(0.95, 10), 18.307038053275146, 1e-11);
  EXPECT_NEAR(chi_square_upper(100, 1) / 1.5239706048321106e-23, 1, 1e-10);
}

TEST(Distributions, QuantilesInvertTheirFunctions) {
  for (const double p : {1e-6, 0.001, 0.025, 0.3, 0.5, 0.9, 0.999, 1 - 1e-6}) {
    for (const double a : {0.3, 1.0, 4.5, 120.0, 5e4}) {
      EXPECT_NEAR(student_t_cdf(student_t_quantile(p, a), a), p, 1e-11) << p << " df " << a;
      EXPECT_NEAR(chi_square_cdf(chi_square_quantile(p, a), a), p, 1e-10) << p << " df " << a;
      for (const double b : {1.0, 33.0, 1e4}) {  // b < 1 puts upper quantiles closer to 1 than a double can be
        EXPECT_NEAR(beta_cdf(beta_quantile(p, a, b), a, b), p, 2e-9) << p << " " << a << " " << b;
      }
    }
  }
}

}  // namespace
}  // namespace beckon::stats
