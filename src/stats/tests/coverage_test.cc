// "95 %" must mean 95 of 100: short runs of the worlds that bench/stats_soak runs in full.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "worlds_helper.h"

namespace beckon::stats::worlds {
namespace {

constexpr int kRuns = 200;  // deviation of a count at 95 %: 1.5 points

TEST(Coverage, UnbiasedValuesOfAPolicyHoldTheTruth) {
  // A marketer would switch to a policy on an interval that is too short.
  for (LogWorld world : log_worlds()) {
    world.customers = std::min<std::size_t>(world.customers, world.name == "few conversions" ? 6000 : 3000);
    const Counts counts = run(world, {.runs = kRuns, .resamples = 0, .with_model = world.name == "fair overlap"});
    for (const char* name : {"ipw skewed", "snipw normal", "snipw skewed", "dr skewed", "sndr skewed"}) {
      if (const auto found = counts.by_interval.find(name); found != counts.by_interval.end()) {
        EXPECT_GE(found->second.coverage(), 0.90) << world.name << ", " << name;
        EXPECT_LE(found->second.coverage(), 0.99) << world.name << ", " << name;
      }
    }
    if (const auto found = counts.by_interval.find("ipw bernstein"); found != counts.by_interval.end()) {
      EXPECT_GE(found->second.coverage(), 0.95) << world.name;
    }
    if (counts.ess >= 1000) {
      EXPECT_LE(counts.refused, 0.05 * kRuns) << world.name;
    }
  }
}

TEST(Coverage, TheBootstrapByCustomerHoldsTheTruth) {
  // Rows of one customer belong together.
  LogWorld world = log_worlds()[3];
  world.customers = 300;
  const Counts counts = run(world, {.runs = kRuns, .resamples = 200, .with_model = false});
  EXPECT_GE(counts.by_interval.at("snipw bootstrap").coverage(), 0.89);
}

TEST(Coverage, BiasedEstimatorsAreSeenToBeBiased) {
  // The model of these worlds cannot know which action is best where; the direct method believes it, DR corrects it.
  LogWorld world = log_worlds()[0];
  world.customers = 1500;
  const Counts counts = run(world, {.runs = 60, .resamples = 0});
  const double truth = world.truth();
  EXPECT_LT(counts.by_interval.at("dm normal").bias(), -0.2 * truth);
  EXPECT_LT(std::abs(counts.by_interval.at("dr normal").bias()), 0.05 * truth);
  EXPECT_LT(std::abs(counts.by_interval.at("ipw normal").bias()), 0.05 * truth);
}

TEST(Coverage, SlatesReadFromTheFirstOn) {
  // Positions that influence one another make the independent weights wrong, not those of the cascade.
  const auto counts = run_slates({.runs = kRuns});
  EXPECT_GE(counts.at("sips").coverage(), 0.90);
  EXPECT_GE(counts.at("cascade").coverage(), 0.90);
  EXPECT_GT(std::abs(counts.at("iips").bias()), 3 * std::abs(counts.at("cascade").bias()));
}

TEST(Coverage, DifferencesOfExperimentsHoldTheTruth) {
  // An effect would be announced that is not there.
  for (ExperimentWorld world : experiment_worlds()) {
    world.per_arm = std::min<std::size_t>(world.per_arm, 1000);
    for (const auto& [name, counts] : run(world, {.runs = kRuns, .resamples = 100})) {
      EXPECT_GE(counts.coverage(), 0.89) << world.name << ", " << name;
    }
  }
}

TEST(Coverage, LookingEveryDayErrsSeldomAndFindsALargeEffect) {
  // Who looks daily at a plain test stops for nothing in three of ten experiments.
  for (const bool skewed : {false, true}) {
    const Peeking nothing = peek({.runs = 400, .per_day_and_arm = 50, .skewed = skewed});
    EXPECT_LE(nothing.always_valid, 0.05) << skewed;
    EXPECT_GE(nothing.plain, 0.2) << skewed;
    EXPECT_GE(nothing.covered_all_days, 0.95) << skewed;
  }
  EXPECT_GE(peek({.runs = 400, .effect_errors = 4, .per_day_and_arm = 50}).always_valid, 0.7);
}

}  // namespace
}  // namespace beckon::stats::worlds
