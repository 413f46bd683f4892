// A report would claim a lift that is not there, or miss one that is, if one of these broke: known truth, simulated.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "beckon/base/rng.h"
#include "beckon/stats/stats.h"

namespace beckon::stats {
namespace {

constexpr int kRuns = 500;
constexpr double kCoverageLeast = 0.93;  // of 95 % intervals; 500 runs have a deviation of 1 %

template <class Run>
double coverage(const Run& run) {
  int inside = 0;
  for (int i = 0; i < kRuns; ++i) {
    base::Rng rng(2026, static_cast<std::uint64_t>(i));
    const auto [interval, truth] = run(rng);
    EXPECT_LE(interval.low, interval.estimate + 1e-12);
    EXPECT_GE(interval.high, interval.estimate - 1e-12);
    inside += interval.low <= truth && truth <= interval.high ? 1 : 0;
  }
  return static_cast<double>(inside) / kRuns;
}

Share draw_share(base::Rng& rng, double p, std::int64_t n) {
  Share share{0, n};
  for (std::int64_t i = 0; i < n; ++i) {
    share.successes += rng.chance(p) ? 1 : 0;
  }
  return share;
}

TEST(Wilson, CoversShares) {
  for (const double about : {0.02, 0.1, 0.5, 0.95}) {
    // Counts are whole, so coverage at one share swings by 3 points around 95 %: shares near `about` are drawn.
    EXPECT_GE(coverage([&](base::Rng& rng) {
      const double p = about * (0.9 + 0.15 * rng.uniform());
      return std::pair(wilson(draw_share(rng, p, 200)), p);
    }), kCoverageLeast) << about;
  }
}

TEST(Wilson, StaysInsideAndMatchesAPublishedValue) {
  const Interval none = wilson({0, 10});
  EXPECT_EQ(none.low, 0);
  EXPECT_NEAR(none.high, 0.2775, 1e-4);  // Newcombe 1998
  EXPECT_EQ(wilson({10, 10}).high, 1);
  EXPECT_NEAR(wilson({81, 263}).low, 0.2553, 5e-5);   // Newcombe 1998, table I, method 3
  EXPECT_NEAR(wilson({81, 263}).high, 0.3662, 5e-5);
  EXPECT_EQ(wilson({0, 0}).high, 1);
}

TEST(Welch, CoversADifferenceOfSkewedUnequalGroups) {
  const double rate = coverage([](base::Rng& rng) {
    Moments treated;
    Moments control;
    for (int i = 0; i < 400; ++i) {
      treated.add(3 * rng.exponential());
    }
    for (int i = 0; i < 150; ++i) {
      control.add(rng.exponential() + rng.normal());
    }
    return std::pair(difference_of_means(treated, control).value(), 2.0);
  });
  EXPECT_GE(rate, kCoverageLeast);
  EXPECT_LE(rate, 0.98);
}

TEST(Welch, MatchesNumericalIntegrationAndRefusesTooFew) {
  const std::vector<double> a = {27.5, 21.0, 19.0, 23.6, 17.0, 17.9, 16.9, 20.1, 21.9, 22.6, 23.1, 19.6, 19.0, 21.7, 21.4};
  const std::vector<double> b = {27.1, 22.0, 20.8, 23.4, 23.4, 23.5, 25.8, 22.0, 24.8, 20.2, 21.9, 22.1, 22.9, 30.5, 24.4};
  const auto out = difference_of_means(Moments::of(a), Moments::of(b));
  ASSERT_TRUE(out.ok());
  EXPECT_NEAR(out->p_value, 0.00807193817216778, 1e-12);  // t = -2.85, df = 27.9, density integrated by Simpson's rule
  EXPECT_FALSE(difference_of_means(Moments::of(std::vector{1.0}), Moments::of(b)).ok());
  const auto same = difference_of_means(Moments::of(std::vector{1.0, 1.0}), Moments::of(std::vector{1.0, 1.0}));
  EXPECT_EQ(same->p_value, 1);
}

TEST(Moments, MergingGroupsEqualsOneGroup) {
  base::Rng rng(5);
  Moments whole;
  Moments left;
  Moments right;
  for (int i = 0; i < 1000; ++i) {
    const double x = 1e6 + rng.normal();
    whole.add(x);
    (i < 137 ? left : right).add(x);
  }
  left.merge(right);
  left.merge(Moments{});
  EXPECT_EQ(left.count, whole.count);
  EXPECT_NEAR(left.mean, whole.mean, 1e-8);
  EXPECT_NEAR(left.variance(), whole.variance(), 1e-8);
}

TEST(Newcombe, CoversDifferencesOfSmallShares) {
  for (const auto& [p, q] : {std::pair(0.03, 0.02), std::pair(0.5, 0.45), std::pair(0.01, 0.01)}) {
    EXPECT_GE(coverage([&, pt = p, pc = q](base::Rng& rng) {
      return std::pair(difference_of_shares(draw_share(rng, pt, 900), draw_share(rng, pc, 300)).value(), pt - pc);
    }), kCoverageLeast);
  }
  const auto published = difference_of_shares({56, 70}, {48, 80});  // Newcombe 1998b, example a, method 10
  EXPECT_NEAR(published->low, 0.0524, 5e-5);
  EXPECT_NEAR(published->high, 0.3339, 5e-5);
}

TEST(Ratio, CoversClicksPerMessageWhenCustomersDiffer) {
  const double rate = coverage([](base::Rng& rng) {
    std::vector<double> messages;
    std::vector<double> clicks;
    for (int i = 0; i < 500; ++i) {
      const double n = 1 + static_cast<double>(rng.poisson(4));
      const double p = 0.1 + 0.2 * rng.uniform();  // customers differ: a per-message binomial would be too narrow
      double c = 0;
      for (double m = 0; m < n; ++m) {
        c += rng.chance(p) ? 1 : 0;
      }
      messages.push_back(n);
      clicks.push_back(c);
    }
    return std::pair(ratio(PairMoments::of(messages, clicks)).value(), 0.2);
  });
  EXPECT_GE(rate, kCoverageLeast);
}

TEST(Ratio, DifferencesAndRelativeLiftsCover) {
  const auto draw = [](base::Rng& rng, double share) {
    std::vector<double> x;
    std::vector<double> y;
    for (int i = 0; i < 400; ++i) {
      x.push_back(1 + rng.exponential());
      y.push_back(share * x.back() * 2 * rng.uniform());
    }
    return PairMoments::of(x, y);
  };
  EXPECT_GE(coverage([&](base::Rng& rng) {
    const auto treated = draw(rng, 0.5);
    return std::pair(difference_of_ratios(treated, draw(rng, 0.4)).value(), 0.1);
  }), kCoverageLeast);
  EXPECT_GE(coverage([](base::Rng& rng) {
    Moments treated;
    Moments control;
    for (int i = 0; i < 500; ++i) {
      treated.add(1.1 * rng.exponential());
      control.add(rng.exponential());
    }
    return std::pair(relative_lift(treated, control).value(), 0.1);
  }), kCoverageLeast);
  EXPECT_FALSE(relative_lift(Moments::of(std::vector{1.0, 2.0}), Moments::of(std::vector{0.0, 0.0})).ok());
}

TEST(Cuped, CoversAndCutsTheVarianceByTheKnownShare) {
  double kept = 0;
  const double rate = coverage([&](base::Rng& rng) {
    std::vector<double> before[2];
    std::vector<double> after[2];
    for (const int group : {0, 1}) {
      for (int i = 0; i < 300; ++i) {
        before[group].push_back(rng.normal());
        after[group].push_back(0.8 * before[group].back() + 0.6 * rng.normal() + 0.3 * group);  // correlation 0.8
      }
    }
    const auto out = cuped({after[1], before[1]}, {after[0], before[0]});
    kept += out->variance_kept_share / kRuns;
    return std::pair(out->difference, 0.3);
  });
  EXPECT_GE(rate, kCoverageLeast);
  EXPECT_NEAR(kept, 1 - 0.8 * 0.8, 0.01);
}

TEST(SampleRatio, AlarmsOnABrokenSplitAndSeldomOnASoundOne) {
  const std::vector<double> intended = {0.9, 0.05, 0.05};
  EXPECT_TRUE(sample_ratio(std::vector<std::int64_t>{90'000, 5'000, 4'500}, intended).alarm);
  int low = 0;
  for (int run = 0; run < 2000; ++run) {
    base::Rng rng(9, static_cast<std::uint64_t>(run));
    std::vector<std::int64_t> counts(3);
    for (int i = 0; i < 1000; ++i) {
      const double u = rng.uniform();
      ++counts[u < 0.9 ? 0 : u < 0.95 ? 1 : 2];
    }
    low += sample_ratio(counts, intended).p_value < 0.05 ? 1 : 0;
  }
  EXPECT_NEAR(low / 2000.0, 0.05, 0.015);
  EXPECT_FALSE(sample_ratio(std::vector<std::int64_t>{0, 0, 0}, intended).alarm);
}

TEST(ConfidenceSequence, DailyLooksUnderTheNullErrSeldomWhileADailyTestErrsOften) {
  int sequence_errors = 0;
  int test_errors = 0;
  for (int run = 0; run < kRuns; ++run) {
    base::Rng rng(77, static_cast<std::uint64_t>(run));
    Moments moments;
    bool sequence_err = false;
    bool test_err = false;
    for (int day = 0; day < 30; ++day) {
      for (int i = 0; i < 200; ++i) {
        moments.add(rng.normal());
      }
      const double std_error = std::sqrt(moments.variance() / static_cast<double>(moments.count));
      const Interval always = confidence_sequence(moments.mean, std_error, moments.count);
      EXPECT_EQ(always.p_value < 0.05, always.low > 0 || always.high < 0);
      sequence_err |= always.low > 0 || always.high < 0;
      test_err |= std::abs(moments.mean) > 1.96 * std_error;
    }
    sequence_errors += sequence_err ? 1 : 0;
    test_errors += test_err ? 1 : 0;
  }
  EXPECT_LE(sequence_errors, 0.05 * kRuns);
  EXPECT_GE(test_errors, 0.2 * kRuns);
}

TEST(ManyQuestions, AdjustedPValuesMatchTheirDefinitions) {
  const std::vector<double> p = {0.01, 0.04, 0.03, 0.005};
  const auto h = holm(p);
  EXPECT_NEAR(h[0], 0.03, 1e-15);
  EXPECT_NEAR(h[1], 0.06, 1e-15);
  EXPECT_NEAR(h[2], 0.06, 1e-15);
  EXPECT_NEAR(h[3], 0.02, 1e-15);
  const auto b = benjamini_hochberg(p);
  EXPECT_NEAR(b[0], 0.02, 1e-15);
  EXPECT_NEAR(b[1], 0.04, 1e-15);
  EXPECT_NEAR(b[2], 0.04, 1e-15);
  EXPECT_NEAR(b[3], 0.02, 1e-15);
}

TEST(Bootstrap, CoversAPairedDifferenceAndIsTheSameForAnyExecutor) {
  BootstrapOptions options;
  options.resamples = 400;
  EXPECT_GE(coverage([&](base::Rng& rng) {
    std::vector<double> a;
    std::vector<double> b;
    for (int i = 0; i < 150; ++i) {
      b.push_back(5 * rng.exponential());
      a.push_back(b.back() + 0.2 + 0.5 * rng.normal());
    }
    return std::pair(paired_bootstrap(a, b, options).value(), 0.2);
  }), kCoverageLeast - 0.005);  // percentile intervals of 150 customers are a little narrow
  const std::vector<double> a = {1, 2, 3, 4, 9};
  const std::vector<double> b = {0, 2, 5, 1, 3};
  const auto alone = paired_bootstrap(a, b, options);
  base::ThreadExecutor threads(4);
  base::SeededExecutor seeded(3);
  for (base::Executor* executor : {static_cast<base::Executor*>(&threads), static_cast<base::Executor*>(&seeded)}) {
    options.executor = executor;
    const auto other = paired_bootstrap(a, b, options);
    EXPECT_EQ(alone->low, other->low);
    EXPECT_EQ(alone->high, other->high);
    EXPECT_EQ(alone->std_error, other->std_error);
  }
  EXPECT_NEAR(alone->estimate, 8.0 / 5, 1e-12);
}

// What 60 held-out customers and 540 others spend: most nothing, some an order, few a very large one.
std::vector<double> skewed_spend(base::Rng& rng, int count) {
  std::vector<double> values;
  for (int i = 0; i < count; ++i) {
    values.push_back(rng.chance(0.12) ? std::exp(3 + 1.3 * rng.normal()) : 0);
  }
  return values;
}

TEST(Permutation, HoldsZeroAsOftenAsItSaysWhereWelchDoesNot) {
  // A small holdout and a few large orders: with too short an interval every tenth idle campaign "works" or "harms".
  int permuted_holds = 0;
  int welch_holds = 0;
  constexpr int kWorlds = 1000;
  PermutationOptions options;
  options.permutations = 399;
  for (int i = 0; i < kWorlds; ++i) {
    base::Rng rng(77, static_cast<std::uint64_t>(i));
    const auto treated = skewed_spend(rng, 540);
    const auto control = skewed_spend(rng, 60);
    options.seed = static_cast<std::uint64_t>(i);
    const Interval mine = permuted_difference_of_means(treated, control, options).value();
    const Interval welch = difference_of_means(Moments::of(treated), Moments::of(control)).value();
    EXPECT_LE(mine.low, mine.estimate);
    EXPECT_GE(mine.high, mine.estimate);
    permuted_holds += mine.low <= 0 && mine.high >= 0 ? 1 : 0;
    welch_holds += welch.low <= 0 && welch.high >= 0 ? 1 : 0;
  }
  EXPECT_NEAR(permuted_holds, kWorlds * 0.95, kWorlds * 0.02);
  EXPECT_LT(welch_holds, permuted_holds);
}

TEST(Permutation, CoversARealDifferenceWhicheverGroupIsSmaller) {
  PermutationOptions options;
  options.permutations = 399;
  for (const auto& [treated_count, control_count] : {std::pair{540, 200}, std::pair{200, 540}}) {
    EXPECT_GE(coverage([&, treated_size = treated_count, control_size = control_count](base::Rng& rng) {
      std::vector<double> treated(static_cast<std::size_t>(treated_size));
      std::vector<double> control(static_cast<std::size_t>(control_size));
      for (double& value : treated) {
        value = 3 * rng.exponential();
      }
      for (double& value : control) {
        value = rng.exponential() + rng.normal();
      }
      return std::pair(permuted_difference_of_means(treated, control, options).value(), 2.0);
    }), kCoverageLeast) << treated_count;
  }
}

TEST(Permutation, IsTheSameEveryTimeAndKnowsItsEdges) {
  // A report made twice from the same records must print the same interval.
  base::Rng rng(5);
  const auto treated = skewed_spend(rng, 80);
  const auto control = skewed_spend(rng, 30);
  const auto once = permuted_difference_of_means(treated, control).value();
  EXPECT_EQ(once.low, permuted_difference_of_means(treated, control).value().low);
  const auto other_way = permuted_difference_of_means(control, treated).value();
  EXPECT_NEAR(once.low, -other_way.high, 1e-9 + 0.15 * std::abs(once.low));  // another draw, the same distribution
  const std::vector<double> nothing(20, 0.0);
  EXPECT_EQ(permuted_difference_of_means(nothing, nothing)->low, 0);
  EXPECT_FALSE(permuted_difference_of_means(nothing, std::span(nothing).first(1)).ok());
  PermutationOptions large;
  large.smaller_group_max = 10;
  EXPECT_EQ(permuted_difference_of_means(treated, control, large)->low, difference_of_means(Moments::of(treated), Moments::of(control))->low);
}

}  // namespace
}  // namespace beckon::stats
