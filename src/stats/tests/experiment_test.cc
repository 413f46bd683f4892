// An experiment would be read wrongly, stopped too early or planned too small if one of these broke.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "beckon/base/rng.h"
#include "beckon/stats/stats.h"

namespace beckon::stats {
namespace {

TEST(Winsorise, CutsAtTheQuantilesOfAllArms) {
  // One order of 80,000 must not decide; but limits of one arm alone would move with the effect.
  std::vector<double> values(101);
  std::iota(values.begin(), values.end(), 0.0);
  const WinsorLimits limits = winsor_limits(values, 0.05, 0.95);
  EXPECT_NEAR(limits.low, 5, 1e-12);
  EXPECT_NEAR(limits.high, 95, 1e-12);
  EXPECT_EQ(winsorise(std::vector<double>{-1, 50, 1e9}, limits), (std::vector<double>{5, 50, 95}));
}

TEST(PostStratified, IsTheWeightedDifferenceOfTheStrata) {
  // With one stratum it is Welch's difference; with two the shares of all customers weigh them.
  const std::vector<double> t{1, 3, 10, 12};
  const std::vector<double> c{0, 2, 4, 8, 8.5, 9};
  const std::vector<std::uint32_t> one(6, 0);
  const auto single = post_stratified({t, std::span(one).first(4)}, {c, one}).value();
  EXPECT_NEAR(single.difference.estimate, difference_of_means(Moments::of(t), Moments::of(c))->estimate, 1e-12);
  EXPECT_NEAR(single.variance_kept_share, 1, 1e-12);
  const std::vector<std::uint32_t> ts{0, 0, 1, 1};
  const std::vector<std::uint32_t> cs{0, 0, 0, 1, 1, 1};
  const auto both = post_stratified({t, ts}, {c, cs}).value();
  EXPECT_NEAR(both.difference.estimate, 0.5 * (2 - 2) + 0.5 * (11 - 8.5), 1e-12);
  EXPECT_LT(both.variance_kept_share, 1);
}

TEST(PostStratified, MergesStrataThatHardlyAnybodyIsIn) {
  // A stratum with one customer has no variance; leaving him out would change who is compared.
  const std::vector<double> t{1, 3, 5};
  const std::vector<double> c{0, 2, 4};
  const std::vector<std::uint32_t> ts{0, 0, 1};
  const std::vector<std::uint32_t> cs{0, 0, 2};
  const auto merged = post_stratified({t, ts}, {c, cs}).value();
  EXPECT_EQ(merged.pooled_strata, 2);
  EXPECT_NEAR(merged.difference.estimate, 1, 1e-12);  // all in the largest stratum
  const std::vector<std::uint32_t> apart{0, 1, 2};
  const std::vector<std::uint32_t> others{3, 4, 5};
  const auto rest = post_stratified({t, apart}, {c, others});
  ASSERT_TRUE(rest.ok());  // the merged rest holds everybody
  EXPECT_NEAR(rest->difference.estimate, 1, 1e-12);
  EXPECT_FALSE(post_stratified({std::span(t).first(1), std::span(ts).first(1)}, {c, cs}).ok());
}

TEST(Power, IsTheTextbooksAndItsOwnInverse) {
  // A test planned too small finds nothing, and its silence is taken for "no effect".
  EXPECT_NEAR(minimum_detectable_effect(1), 1.959964 + 0.841621, 1e-6);
  EXPECT_NEAR(power_of(minimum_detectable_effect(2.5), 2.5), 0.8, 1e-4);
  EXPECT_NEAR(power_of(0, 1), 0.05, 1e-12);
  EXPECT_NEAR(power_of(-3, 1), power_of(3, 1), 1e-15);
  EXPECT_NEAR(static_cast<double>(customers_needed(0.1, 1)), 4 * 2.801585 * 2.801585 / 0.01, 1);
  EXPECT_GT(customers_needed(0.1, 1, 0.1), customers_needed(0.1, 1, 0.5));
}

TEST(Power, IsWhatASimulatedTestFinds) {
  // 80 % must mean that four of five such tests find the effect.
  const auto n = static_cast<int>(customers_needed(0.25, 1) / 2);
  int found = 0;
  constexpr int kRuns = 1000;
  for (int run = 0; run < kRuns; ++run) {
    base::Rng rng(12, static_cast<std::uint64_t>(run));
    Moments treated;
    Moments control;
    for (int i = 0; i < n; ++i) {
      treated.add(rng.normal() + 0.25);
      control.add(rng.normal());
    }
    found += difference_of_means(treated, control)->p_value < 0.05 ? 1 : 0;
  }
  EXPECT_NEAR(found / static_cast<double>(kRuns), 0.8, 0.04);
}

TEST(DeltaMethod, AgreesWithTheBootstrapByCustomer) {
  // Sessions of one customer are not independent: an error per session would be too small.
  base::Rng rng(8);
  std::vector<double> sessions;
  std::vector<double> orders;
  for (int i = 0; i < 2000; ++i) {
    const double rate = rng.chance(0.5) ? 0.05 : 0.4;
    sessions.push_back(1 + static_cast<double>(rng.poisson(6)));
    orders.push_back(0);
    for (double s = 0; s < sessions.back(); ++s) {
      orders.back() += rng.chance(rate) ? 1 : 0;
    }
  }
  const Interval delta = ratio(PairMoments::of(sessions, orders)).value();
  const Interval resampled = bootstrap(sessions.size(), [&](std::span<const std::uint32_t> picked) {
    double x = 0;
    double y = 0;
    for (const auto i : picked) {
      x += sessions[i];
      y += orders[i];
    }
    return y / x;
  }, {.resamples = 4000}).value();
  EXPECT_NEAR(delta.std_error / resampled.std_error, 1, 0.04);
  EXPECT_NEAR(delta.low, resampled.low, 0.1 * delta.std_error);
  EXPECT_NEAR(delta.high, resampled.high, 0.1 * delta.std_error);
  const double by_session = std::sqrt(delta.estimate * (1 - delta.estimate) / std::accumulate(sessions.begin(), sessions.end(), 0.0));
  EXPECT_GT(delta.std_error, 1.3 * by_session);
}

TEST(AaReplay, ShowsAFalsePositiveRateThatIsTooHigh) {
  // A test that takes sessions for customers errs far more often than 5 %, and the replay must show it.
  base::Rng rng(10);
  std::vector<double> values;
  for (int i = 0; i < 400; ++i) {
    values.push_back(rng.exponential());
  }
  const auto p_of = [&](double inflate) {
    return [&, inflate](std::span<const std::uint32_t> order) {
      Moments groups[2];
      for (std::size_t i = 0; i < order.size(); ++i) {
        groups[i < 200 ? 0 : 1].add(values[order[i]]);
      }
      const auto difference = difference_of_means(groups[0], groups[1]).value();
      return 2 * normal_cdf(-std::abs(difference.estimate) / (difference.std_error / inflate));
    };
  };
  const AaReplay sound = aa_replay(400, 200, p_of(1)).value();
  EXPECT_LE(sound.false_positives.low, 0.05);
  EXPECT_GE(sound.false_positives.high, 0.05);
  EXPECT_GT(aa_replay(400, 200, p_of(2))->false_positives.low, 0.2);
  EXPECT_EQ(aa_replay(10, 5, [](auto) { return -1.0; })->without_answer, 1000);
  EXPECT_FALSE(aa_replay(10, 1, p_of(1)).ok());
  base::ThreadExecutor threads(3);
  EXPECT_EQ(aa_replay(400, 200, p_of(1), {.executor = &threads})->false_positives.estimate, sound.false_positives.estimate);
}

TEST(Experiment, AConstantOutcomeOrAnEmptyArmIsNoWonder) {
  // Nobody bought in either arm: no interval, no crash, no significance.
  const std::vector<double> nothing(20, 0.0);
  const Interval none = difference_of_means(Moments::of(nothing), Moments::of(nothing)).value();
  EXPECT_EQ(none.p_value, 1);
  EXPECT_EQ(none.high - none.low, 0);
  EXPECT_FALSE(difference_of_means(Moments::of(nothing), Moments{}).ok());
  EXPECT_EQ(cuped({nothing, nothing}, {nothing, nothing})->difference.p_value, 1);
}

}  // namespace
}  // namespace beckon::stats
