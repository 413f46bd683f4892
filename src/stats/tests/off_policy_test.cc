// A policy that loses money would look better than the one that runs, or the other way round, if one of these broke.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "beckon/base/rng.h"
#include "worlds_helper.h"

namespace beckon::stats {
namespace {

using testing::HasSubstr;

const std::vector<double> kReward{1, 0, 1, 0};
const std::vector<double> kPropensity{0.5, 0.25, 0.5, 0.25};
const std::vector<double> kTarget{0.5, 0.5, 0.25, 0};  // weights 1, 2, 0.5, 0

double value(const std::vector<PolicyValue>& values, Estimator estimator) {
  for (const auto& one : values) {
    if (one.estimator == estimator) {
      return one.value;
    }
  }
  return std::nan("");
}

TEST(OffPolicy, EveryEstimatorIsItsFormula) {
  // A slip in one formula would move the judgement of a policy without anybody seeing it.
  const std::vector<double> shown(4, 0.5);
  const std::vector<double> target{0.4, 0.6, 0.5, 0.5};
  const std::vector<double> category{2, 1, 1, 1};
  const OffPolicyInputs inputs{{kReward, kPropensity, kTarget}, shown, target, true, category};
  const auto values = estimate_policy(inputs, {.clip = 0.75, .switch_above = 1.5, .shrinkage = 2, .resamples = 0}).value();
  ASSERT_EQ(values.size(), 9U);
  EXPECT_NEAR(value(values, Estimator::kIpw), 0.375, 1e-15);
  EXPECT_NEAR(value(values, Estimator::kIpwClipped), 0.3125, 1e-15);
  EXPECT_NEAR(value(values, Estimator::kSnipw), 1.5 / 3.5, 1e-15);
  EXPECT_NEAR(value(values, Estimator::kDm), 0.5, 1e-15);
  EXPECT_NEAR(value(values, Estimator::kDr), 0.4375, 1e-15);
  EXPECT_NEAR(value(values, Estimator::kSndr), 0.5 - 0.25 / 3.5, 1e-15);
  EXPECT_NEAR(value(values, Estimator::kSwitchDr), 0.6875, 1e-15);
  EXPECT_NEAR(value(values, Estimator::kDrOs), 2.0 / 3.6, 1e-15);
  EXPECT_NEAR(value(values, Estimator::kMipw), 0.75, 1e-15);
}

TEST(OffPolicy, TheErrorOfASelfNormalisedValueIsTheDeltaMethods) {
  // Too small an error would call a policy better that only had luck.
  const auto values = estimate_policy({{kReward, kPropensity, kTarget}}, {.resamples = 0}).value();
  const auto pairs = PairMoments::of(std::vector<double>{1, 2, 0.5, 0}, std::vector<double>{1, 0, 0.5, 0});
  EXPECT_NEAR(values[2].normal.std_error, ratio(pairs)->std_error, 1e-12);
  EXPECT_NEAR(values[0].normal.std_error, std::sqrt(Moments::of(std::vector<double>{1, 0, 0.5, 0}).variance() / 4), 1e-12);
}

TEST(OffPolicy, TheReportedIntervalReachesFurtherWhereFewLargeRewardsAre) {
  // Of few large orders the next log may hold one more: an interval that is even on both sides ends too low and misses the truth from above.
  std::vector<double> even;
  std::vector<double> skewed;
  for (int i = 0; i < 400; ++i) {
    even.push_back(i % 2);
    skewed.push_back(i % 40 == 0 ? 1 : 0);
  }
  const std::vector<double> half(400, 0.5);
  const auto of = [&](const std::vector<double>& reward) { return estimate_policy({{reward, half, half}}, {.resamples = 0}).value().front(); };
  const PolicyValue symmetric = of(even);
  EXPECT_NEAR(symmetric.skewed.low, symmetric.normal.low, 1e-6);
  EXPECT_NEAR(symmetric.skewed.high, symmetric.normal.high, 1e-6);
  const PolicyValue few = of(skewed);
  EXPECT_GT(few.skewed.low, few.normal.low);
  EXPECT_GT(few.skewed.high, few.normal.high);
  // Hall's formula, written out for the 10 of 400: skewness (1 - 2p) / √(p (1 - p)), divided by √n.
  const double skew = (1 - 2 * 0.025) / std::sqrt(0.025 * 0.975) / 20;
  const double upper = -3 / skew * (std::cbrt(1 + skew * (-1.959963984540054 - skew / 6)) - 1);
  EXPECT_NEAR(few.skewed.high, 0.025 + few.normal.std_error * upper, 1e-9);
}

TEST(OffPolicy, TheSameCustomerTwiceIsNoNewEvidence) {
  // Copying every row must not make the interval narrower, when the copies belong to the same customers.
  worlds::LogWorld world{.customers = 500};
  const auto log = worlds::draw(world, 1);
  worlds::Log twice = log;
  for (auto* column : {&twice.reward, &twice.propensity, &twice.target}) {
    column->insert(column->end(), column->begin(), column->begin() + static_cast<std::ptrdiff_t>(log.reward.size()));
  }
  twice.customer.insert(twice.customer.end(), log.customer.begin(), log.customer.end());
  const auto once = estimate_policy({log.decisions()}, {.resamples = 200}).value();
  const auto both = estimate_policy({twice.decisions()}, {.resamples = 200}).value();
  for (std::size_t i = 0; i < once.size(); ++i) {
    EXPECT_NEAR(once[i].normal.std_error, both[i].normal.std_error, 1e-12);
    EXPECT_NEAR(once[i].bootstrap->low, both[i].bootstrap->low, 1e-12);
  }
  EXPECT_NEAR(judge_overlap(importance_weights(log.decisions()), log.customer).ess_customers,
              judge_overlap(importance_weights(twice.decisions()), twice.customer).ess_customers, 1e-9);
}

TEST(OffPolicy, AModelThatDoesNotKnowTheActionsIsOnlyABaseline) {
  // Without it, DM would call the running policy's own value that of the other one.
  const std::vector<double> baseline(4, 0.5);
  const auto values = estimate_policy({{kReward, kPropensity, kTarget}, baseline, baseline, false}, {.resamples = 0}).value();
  EXPECT_TRUE(std::isnan(value(values, Estimator::kDm)));
  EXPECT_TRUE(std::isnan(value(values, Estimator::kSwitchDr)));
  EXPECT_TRUE(std::isnan(value(values, Estimator::kDrOs)));
  EXPECT_NEAR(value(values, Estimator::kDr), 0.5 + (0.5 - 1 + 0.25) / 4, 1e-15);
}

TEST(OffPolicy, BadLogsAreRefusedWithCountAndRow) {
  // A log with holes must not become a figure.
  const auto message = [](std::vector<double> reward, std::vector<double> propensity, std::vector<double> target) {
    const auto answer = estimate_policy({{reward, propensity, target}});
    return answer.ok() ? std::string() : answer.error().message;
  };
  EXPECT_THAT(message({1, NAN, INFINITY}, {1, 1, 1}, {1, 1, 1}), HasSubstr("2 rows (first: row 2) have a reward"));
  EXPECT_THAT(message({1, 0, 1}, {1, 1, 0}, {1, 1, 1}), HasSubstr("1 row (first: row 3) have a propensity"));
  EXPECT_THAT(message({1, 0}, {1.5, NAN}, {1, 1}), HasSubstr("2 rows (first: row 1) have a propensity"));
  EXPECT_THAT(message({1, 0}, {1, 1}, {-0.1, 2}), HasSubstr("2 rows (first: row 1) have a target"));
  EXPECT_THAT(message({1, 0}, {1, 1}, {0, 0}), HasSubstr("never does what the log shows"));
  EXPECT_THAT(message({1}, {1}, {1}), HasSubstr("two customers"));
  EXPECT_THAT(message({}, {}, {}), HasSubstr("two customers"));
}

TEST(OffPolicy, IsTheSameForAnyNumberOfWorkers) {
  // Two runs of the same report must print the same interval.
  const auto log = worlds::draw({.customers = 300}, 3);
  OffPolicyOptions options;
  options.resamples = 200;
  const auto alone = estimate_policy({log.decisions()}, options).value();
  base::ThreadExecutor threads(4);
  options.executor = &threads;
  const auto many = estimate_policy({log.decisions()}, options).value();
  EXPECT_EQ(alone[0].bootstrap->low, many[0].bootstrap->low);
  EXPECT_EQ(alone[2].bootstrap->high, many[2].bootstrap->high);
}

TEST(OffPolicy, EmpiricalBernsteinIsItsFormulaAndShrinksWithTheRange) {
  // Too narrow a bound would promise what it cannot hold.
  Moments moments;
  for (int i = 0; i < 100; ++i) {
    moments.add(i % 2);
  }
  const double log_term = std::log(80.0);
  const auto interval = empirical_bernstein(moments, 1).value();
  EXPECT_NEAR(interval.high - 0.5, std::sqrt(2 * moments.variance() * log_term / 100) + 7 * log_term / (3 * 99), 1e-12);
  EXPECT_GT(empirical_bernstein(moments, 10)->high, interval.high);
  EXPECT_FALSE(empirical_bernstein(Moments{}, 1).ok());
}

TEST(RewardModel, RidgeFindsALineWhateverTheUnits) {
  // A column in cents instead of euros must not change the model.
  base::Rng rng(5);
  std::vector<double> x;
  std::vector<double> cents;
  std::vector<double> y;
  for (int i = 0; i < 400; ++i) {
    const double a = rng.normal();
    const double b = rng.normal();
    x.insert(x.end(), {a, b});
    cents.insert(cents.end(), {100 * a, b});
    y.push_back(3 + 2 * a - b + 0.1 * rng.normal());
  }
  const auto model = fit_ridge(x, y).value();
  EXPECT_NEAR(model.coefficients[0], 2, 0.03);
  EXPECT_NEAR(model.coefficients[1], -1, 0.03);
  EXPECT_NEAR(model.intercept, 3, 0.03);
  EXPECT_NEAR(fit_ridge(cents, y)->predict(std::vector<double>{100, 1}), model.predict(std::vector<double>{1, 1}), 1e-9);
  EXPECT_FALSE(fit_ridge({}, {}).ok());
  EXPECT_FALSE(fit_ridge(std::vector<double>{NAN}, std::vector<double>{1}).ok());
}

TEST(RewardModel, LearnsWhatActionsAreWorthFewOrMany) {
  // Otherwise DM and DR would judge all actions alike.
  for (const std::size_t actions : {5U, 100U}) {
    base::Rng rng(6);
    std::vector<double> reward;
    std::vector<std::uint32_t> action;
    for (int i = 0; i < 20000; ++i) {
      action.push_back(static_cast<std::uint32_t>(rng.below(actions)));
      reward.push_back(rng.chance(action.back() == 3 ? 0.6 : 0.2) ? 1 : 0);
    }
    const auto model = LinearRewardLearner().fit({{}, 0, action, actions, reward}).value();
    EXPECT_NEAR(model->predict({}, 3), 0.6, 0.1) << actions;
    EXPECT_NEAR(model->predict({}, 1), 0.2, 0.1) << actions;
  }
}

TEST(RewardModel, RewardsThatNeverVaryAreAConstant) {
  // A campaign without a single sale must get an answer, not a singular matrix.
  const std::vector<double> reward(10, 0.0);
  const std::vector<double> context(10, 1.0);
  EXPECT_EQ(LinearRewardLearner().fit({context, 1, {}, 0, reward}).value()->predict(std::vector<double>{1}, 0), 0);
  EXPECT_FALSE(LinearRewardLearner().fit({{}, 0, {}, 0, {}}).ok());
}

TEST(RewardModel, NoRowIsPredictedByAModelThatSawItsCustomer) {
  // A model that saw the answer makes DR's correction vanish, and with it the honesty of its interval.
  struct Remember final : RewardModel {
    double predict(std::span<const double> context, std::uint32_t) const override { return seen.contains(context[0]) ? 1 : 0; }
    std::set<double> seen;
  };
  struct Learner final : RewardLearner {
    base::Result<std::unique_ptr<RewardModel>> fit(const RewardRows& rows) const override {
      auto model = std::make_unique<Remember>();
      model->seen.insert(rows.context.begin(), rows.context.end());
      return std::unique_ptr<RewardModel>(std::move(model));
    }
  };
  std::vector<double> context;
  std::vector<std::uint32_t> customer;
  for (std::uint32_t i = 0; i < 300; ++i) {
    customer.push_back(i / 3);
    context.push_back(i / 3);
  }
  const std::vector<double> reward(300, 1.0);
  const auto fitted = cross_fit(Learner(), {context, 1, {}, 0, reward}, customer, nullptr).value();
  EXPECT_THAT(fitted.shown, testing::Each(0.0));
}

TEST(Slates, EveryWeightingIsItsFormula) {
  // Rows arrive in any order; a slate is read from its first position on.
  const std::vector<std::uint32_t> slate{0, 0, 1, 1};
  const std::vector<double> position{2, 1, 1, 2};
  const std::vector<double> reward{1, 2, 3, 4};
  const std::vector<double> propensity(4, 0.5);
  const std::vector<double> target{0.25, 1, 0.5, 0};  // weights 0.5, 2, 1, 0
  const auto values = estimate_slates({slate, position, {reward, propensity, target}}).value();
  EXPECT_NEAR(values[0].value.estimate, (2 * 0.5 * 3 + 0) / 2, 1e-15);
  EXPECT_NEAR(values[1].value.estimate, (0.5 + 4 + 3 + 0) / 2, 1e-15);
  EXPECT_NEAR(values[2].value.estimate, (4 + 1 + 3 + 0) / 2, 1e-15);
  EXPECT_EQ(values[2].max_weight, 2);
}

}  // namespace
}  // namespace beckon::stats
