// A log that cannot answer would answer all the same if one of these broke.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "beckon/base/rng.h"
#include "beckon/stats/stats.h"

namespace beckon::stats {
namespace {

using testing::HasSubstr;

TEST(EffectiveSample, CountsEqualWeightsFullyAndOneAlone) {
  // The sample would be called larger than it is.
  EXPECT_NEAR(effective_sample_size(std::vector<double>(50, 0.3)), 50, 1e-9);
  EXPECT_NEAR(effective_sample_size(std::vector<double>{1, 2, 0.5, 0}), 12.25 / 5.25, 1e-12);
  EXPECT_EQ(effective_sample_size(std::vector<double>{0, 0}), 0);
  EXPECT_EQ(effective_sample_size({}), 0);
}

TEST(ParetoTail, FindsTheExactShapeOfGeneralisedParetoQuantiles) {
  // A wrong k-hat lets a heavy tail pass or refuses a sound log. Values are the exact quantiles, so only the estimator can err.
  for (const double shape : {-0.5, 0.1, 0.5, 0.7, 1.0, 1.5}) {
    std::vector<double> excess;
    constexpr int kValues = 2000;
    for (int i = 0; i < kValues; ++i) {
      excess.push_back(2 * std::expm1(-shape * std::log1p(-(i + 0.5) / kValues)) / shape);
    }
    EXPECT_NEAR(pareto_shape(excess).value(), shape, 0.02) << shape;
  }
  EXPECT_FALSE(pareto_shape(std::vector<double>{1, 2, 3, 4}).has_value());
}

TEST(ParetoTail, FindsTheShapeOfRandomWeightsWithoutBias) {
  // Weights u^-k have an exact Pareto tail of shape k.
  for (const double shape : {0.2, 0.5, 0.7, 1.0}) {
    double mean = 0;
    constexpr int kRuns = 100;
    for (int run = 0; run < kRuns; ++run) {
      base::Rng rng(11, static_cast<std::uint64_t>(run));
      std::vector<double> weights(5000);
      for (double& weight : weights) {
        weight = std::pow(1 - rng.uniform(), -shape);
      }
      mean += pareto_k(weights).value() / kRuns;
    }
    EXPECT_NEAR(mean, shape, 0.04) << shape;
  }
}

TEST(ParetoTail, KnowsTiesAndTooFewWeights) {
  // Policies given as a table make few different weights; ties must neither stop the program nor look like a heavy tail.
  EXPECT_FALSE(pareto_k(std::vector<double>(1000, 1.0)).has_value());
  EXPECT_FALSE(pareto_k(std::vector<double>{1, 2, 3}).has_value());
  std::vector<double> some(1000, 0.0);
  std::fill(some.begin(), some.begin() + 40, 5.0);
  EXPECT_LT(pareto_k(some).value(), 0.7);
  std::fill(some.begin(), some.begin() + 500, 5.0);
  EXPECT_LT(pareto_k(some).value(), 0.7);
}

TEST(Overlap, RefusesOneDominatingWeight) {
  // One customer would decide the value of the policy.
  std::vector<double> weights(10000, 1.0);
  weights[77] = 5000;
  const Overlap overlap = judge_overlap(weights);
  EXPECT_TRUE(overlap.refused);
  EXPECT_THAT(overlap.reason, HasSubstr("largest weight 5000"));
  EXPECT_EQ(overlap.max_weight, 5000);
}

TEST(Overlap, RefusesAnEffectiveSampleOfAHandful) {
  // Twenty rows of ten thousand say something; the interval of a few is a lottery.
  std::vector<double> weights(10000, 0.0);
  std::fill(weights.begin(), weights.begin() + 20, 500.0);
  const Overlap overlap = judge_overlap(weights);
  EXPECT_NEAR(overlap.ess, 20, 1e-9);
  EXPECT_TRUE(overlap.refused);
  EXPECT_THAT(overlap.reason, HasSubstr("the effective sample is 20.00 rows, at least 100 are needed"));
  EXPECT_TRUE(judge_overlap({}).refused);
}

TEST(Overlap, RefusesAHeavyTailThatAnEffectiveSampleDoesNotSee) {
  // With a shape of 0.8 the next log of the same kind may hold a weight that changes everything. Exact quantiles of such a tail.
  std::vector<double> weights;
  for (int i = 0; i < 20000; ++i) {
    weights.push_back(std::pow((i + 0.5) / 20000, -0.8));
  }
  const Overlap overlap = judge_overlap(weights);
  EXPECT_GT(overlap.ess, 100);
  EXPECT_TRUE(overlap.refused);
  EXPECT_THAT(overlap.reason, HasSubstr("k-hat is 0.79"));
}

TEST(Overlap, RefusesManyRowsOfFewCustomers) {
  // Hundreds of rows of thirty customers are thirty customers.
  std::vector<std::uint32_t> customer(990);
  for (std::uint32_t i = 0; i < 990; ++i) {
    customer[i] = 7 * (i % 30);
  }
  const Overlap overlap = judge_overlap(std::vector<double>(990, 1.0), customer);
  EXPECT_EQ(overlap.customers, 30);
  EXPECT_TRUE(overlap.refused);
  EXPECT_THAT(overlap.reason, HasSubstr("30.00 customers"));
}

TEST(Overlap, LetsASoundLogPassAndSaysWhetherWeightsAverageOne) {
  // A refusal of sound logs makes the command useless; weights that do not average 1 show wrong probabilities.
  base::Rng rng(9);
  std::vector<double> weights(5000);
  for (double& weight : weights) {
    weight = rng.chance(0.25) ? 3 * 0.9 + rng.uniform() * 0.6 : 1.0 / 3;
  }
  const Overlap sound = judge_overlap(weights);
  EXPECT_FALSE(sound.refused) << sound.reason;
  EXPECT_LE(sound.mean_weight.low, 1);
  EXPECT_GE(sound.mean_weight.high, 1);
  for (double& weight : weights) {
    weight *= 0.6;
  }
  EXPECT_LT(judge_overlap(weights).mean_weight.high, 1);
}

TEST(Balance, WeighsEachRowByTheMixtureOfAllLoggers) {
  // Two loggers in one file: each alone may never show what the other shows.
  const std::vector<double> of_each{0.5, 0.1, 0.2, 0.8, 0.5, 0.1, 0.5, 0.1};
  const std::vector<std::uint32_t> logger{0, 1, 0, 0};
  const auto propensity = balanced_propensity(of_each, logger, 2);
  EXPECT_NEAR(propensity[0], 0.75 * 0.5 + 0.25 * 0.1, 1e-15);
  EXPECT_NEAR(propensity[1], 0.75 * 0.2 + 0.25 * 0.8, 1e-15);
}

TEST(Balance, TwoLoggersTogetherFindTheTruth) {
  // Estimating from a merged log with each row's own propensity is right too, but far wilder when one logger hardly explores.
  double balanced_squares = 0;
  double own_squares = 0;
  double mean = 0;
  constexpr int kRuns = 300;
  const double truth = 0.9 * 0.5 + 0.1 * 0.2;
  for (int run = 0; run < kRuns; ++run) {
    base::Rng rng(3, static_cast<std::uint64_t>(run));
    double balanced = 0;
    double own = 0;
    for (int i = 0; i < 1000; ++i) {
      const bool first = i % 2 == 0;  // half of the rows each
      const bool good = rng.chance(first ? 0.05 : 0.5);
      const double reward = rng.chance(good ? 0.5 : 0.2) ? 1 : 0;
      const double target = good ? 0.9 : 0.1;
      const std::vector<double> of_each{good ? 0.05 : 0.95, 0.5};
      balanced += target / ((of_each[0] + of_each[1]) / 2) * reward / 1000;
      own += target / of_each[first ? 0 : 1] * reward / 1000;
    }
    balanced_squares += (balanced - truth) * (balanced - truth);
    own_squares += (own - truth) * (own - truth);
    mean += balanced / kRuns;
  }
  EXPECT_NEAR(mean, truth, 0.01);
  EXPECT_LT(balanced_squares, own_squares / 2);
}

}  // namespace
}  // namespace beckon::stats
