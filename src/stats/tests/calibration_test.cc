// "3 %" would no longer mean 3 of 100, and every expected profit would be wrong, if one of these broke.
#include <gtest/gtest.h>

#include <cmath>

#include "beckon/base/rng.h"
#include "beckon/stats/stats.h"

namespace beckon::stats {
namespace {

struct Sample {
  std::vector<double> predicted;
  std::vector<double> truth;
  std::vector<std::uint8_t> outcome;
};

// Predictions that are too confident: the truth is sigmoid(0.5 · logit(predicted) - 1).
Sample overconfident(std::uint64_t seed, int n) {
  base::Rng rng(seed);
  Sample sample;
  for (int i = 0; i < n; ++i) {
    const double score = 2 * rng.normal();
    sample.predicted.push_back(sigmoid(score));
    sample.truth.push_back(sigmoid(0.5 * score - 1));
    sample.outcome.push_back(rng.chance(sample.truth.back()) ? 1 : 0);
  }
  return sample;
}

TEST(Calibration, ReliabilityShowsOverconfidenceAndPlattFindsTheKnownMap) {
  const Sample sample = overconfident(1, 20'000);
  const auto before = reliability_table(sample.predicted, sample.outcome);
  ASSERT_EQ(before.size(), 10U);
  EXPECT_GT(expected_calibration_error(before), 0.15);
  const auto platt = PlattCalibration::fit(sample.predicted, sample.outcome);
  ASSERT_TRUE(platt.ok());
  EXPECT_NEAR(platt->slope, 0.5, 0.03);
  EXPECT_NEAR(platt->offset, -1, 0.05);
  const Sample fresh = overconfident(2, 20'000);
  std::vector<double> mended;
  for (const double p : fresh.predicted) {
    mended.push_back(platt->apply(p));
  }
  const auto after = reliability_table(mended, fresh.outcome);
  EXPECT_LT(expected_calibration_error(after), 0.015);
  EXPECT_LT(log_loss(mended, fresh.outcome), log_loss(fresh.predicted, fresh.outcome));
  EXPECT_LT(brier_score(mended, fresh.outcome), brier_score(fresh.predicted, fresh.outcome));
}

TEST(Calibration, IsotonicIsMonotoneAndNearTheTruth) {
  const Sample sample = overconfident(3, 20'000);
  const auto isotonic = IsotonicCalibration::fit(sample.predicted, sample.outcome);
  ASSERT_TRUE(isotonic.ok());
  double error = 0;
  for (std::size_t i = 0; i < sample.truth.size(); ++i) {
    error += std::abs(isotonic->apply(sample.predicted[i]) - sample.truth[i]) / 20'000;
  }
  EXPECT_LT(error, 0.012);
  for (double p = 0.01; p < 1; p += 0.01) {
    EXPECT_GE(isotonic->apply(p), isotonic->apply(p - 0.01));
  }
  EXPECT_EQ(isotonic->apply(-1), isotonic->y.front());
  EXPECT_FALSE(IsotonicCalibration::fit({}, {}).ok());
}

TEST(Calibration, IsotonicOfAHandfulMatchesAHandCalculation) {
  const std::vector<double> p = {0.1, 0.2, 0.2, 0.3, 0.4};
  const std::vector<std::uint8_t> y = {0, 1, 0, 0, 1};
  const auto out = IsotonicCalibration::fit(p, y);
  ASSERT_TRUE(out.ok());
  ASSERT_EQ(out->y.size(), 3U);
  EXPECT_EQ(out->y[0], 0);
  EXPECT_NEAR(out->y[1], 1.0 / 3, 1e-15);
  EXPECT_NEAR(out->x[1], 0.7 / 3, 1e-15);
  EXPECT_EQ(out->y[2], 1);
}

TEST(Calibration, EqualWidthBinsLeaveEmptyOnesOut) {
  const std::vector<double> p = {0.05, 0.06, 0.55, 1.0};
  const std::vector<std::uint8_t> y = {0, 1, 1, 1};
  const auto bins = reliability_table(p, y, {10, false});
  ASSERT_EQ(bins.size(), 3U);
  EXPECT_EQ(bins[0].count, 2);
  EXPECT_EQ(bins[2].predicted, 1.0);
  EXPECT_NEAR(expected_calibration_error(bins), (2 * 0.445 + 0.45 + 0) / 4, 1e-12);
}

TEST(Auc, CountsPairsAndTies) {
  EXPECT_DOUBLE_EQ(auc(std::vector{0.1, 0.4, 0.35, 0.8}, std::vector<std::uint8_t>{0, 0, 1, 1}), 0.75);
  EXPECT_DOUBLE_EQ(auc(std::vector{0.5, 0.5, 0.5}, std::vector<std::uint8_t>{0, 1, 1}), 0.5);
  EXPECT_DOUBLE_EQ(auc(std::vector{0.5, 0.6}, std::vector<std::uint8_t>{1, 1}), 0.5);
}

TEST(Logistic, FindsKnownCoefficientsWithHonestErrors) {
  int inside = 0;
  constexpr int kFits = 200;
  for (int run = 0; run < kFits; ++run) {
    base::Rng rng(4, static_cast<std::uint64_t>(run));
    std::vector<double> x;
    std::vector<std::uint8_t> y;
    for (int i = 0; i < 600; ++i) {
      const double a = rng.normal();
      const double b = rng.normal();
      x.insert(x.end(), {a, b});
      y.push_back(rng.chance(sigmoid(-0.5 + 0.8 * a - 0.3 * b)) ? 1 : 0);
    }
    const auto model = fit_logistic({x, y, 2}, {0.0, 50});
    ASSERT_TRUE(model.ok());
    EXPECT_TRUE(model->converged);
    inside += std::abs(model->coefficients[0] - 0.8) < 1.96 * model->std_error[0] ? 1 : 0;
  }
  EXPECT_GE(inside, 0.91 * kFits);
}

TEST(Logistic, WeightsEqualRepeatedRowsAndThePenaltyShrinks) {
  const std::vector<double> x = {0, 1, 2, 3, 1, 2};
  const std::vector<std::uint8_t> y = {0, 0, 1, 1, 1, 0};
  const std::vector<double> weight = {1, 2, 1, 1, 1, 1};
  std::vector<double> repeated_x = x;
  std::vector<std::uint8_t> repeated_y = y;
  repeated_x.push_back(1);
  repeated_y.push_back(0);
  const auto weighted = fit_logistic({x, y, 1, weight}, {0.1, 50});
  const auto repeated = fit_logistic({repeated_x, repeated_y, 1}, {0.1, 50});
  ASSERT_TRUE(weighted.ok() && repeated.ok());
  EXPECT_NEAR(weighted->coefficients[0], repeated->coefficients[0], 1e-9);
  EXPECT_NEAR(weighted->predict(std::vector{1.5}), repeated->predict(std::vector{1.5}), 1e-9);
  EXPECT_LT(fit_logistic({x, y, 1}, {10, 50})->coefficients[0], weighted->coefficients[0]);
}

TEST(Logistic, RefusesWhatItCannotAnswer) {
  const std::vector<std::uint8_t> all_ones = {1, 1};
  const std::vector<std::uint8_t> mixed = {0, 1};
  EXPECT_FALSE(fit_logistic({std::vector{1.0, 2.0}, all_ones, 1}).ok());
  EXPECT_FALSE(fit_logistic({std::vector{1.0, std::nan("")}, mixed, 1}).ok());
  EXPECT_FALSE(fit_logistic({std::vector{1.0, 1.0}, mixed, 1}, {0.0, 50}).ok());  // a constant column beside the intercept
  const auto separated = fit_logistic({std::vector{-1.0, 1.0}, mixed, 1}, {1e-6, 100});
  ASSERT_TRUE(separated.ok());
  EXPECT_TRUE(std::isfinite(separated->coefficients[0]));
}

}  // namespace
}  // namespace beckon::stats
