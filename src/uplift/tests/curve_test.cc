// A ranking would be praised for what chance did, or a policy's profit counted twice, if one of these broke.
#include <gtest/gtest.h>

#include <limits>

#include "worlds.h"

namespace beckon::uplift {
namespace {

Trial by_hand() {
  Trial t;
  t.treated = {1, 0, 1, 0, 1, 0};
  t.outcome = {1, 0, 1, 1, 0, 1};
  t.propensity = std::vector<float>(6, 0.5F);
  t.response = Response::kProbability;
  return t;
}

TEST(Qini, MatchesACalculationByHand) {
  // One definition, on paper: others print Qinis of 12, 1.2 and -0.4 for the same order.
  const Ranking ranking(by_hand(), std::vector<float>{6, 5, 4, 3, 2, 1}, 1);
  // g after each row: 1; 1 - 0·1/1 = 1; 2 - 0·2/1 = 2; 2 - 1·2/2 = 1; 2 - 1·3/2 = 0.5; 2 - 2·3/3 = 0
  const double area = (0.5 + 1 + 1.5 + 1.5 + 0.75 + 0.25) / 6;
  EXPECT_NEAR(ranking.qini(), (area - 0) / 6, 1e-12);
  EXPECT_NEAR(ranking.uplift_at(0.5), 1 - 0, 1e-12);
  EXPECT_NEAR(ranking.uplift_at(1), 2.0 / 3 - 2.0 / 3, 1e-12);
  EXPECT_TRUE(std::isnan(ranking.uplift_at(0.17)));
  EXPECT_NEAR(ranking.curve(6)[3], 2.0 / 6, 1e-12);
}

TEST(Qini, AResampleIsTheSameAsWritingTheRowsSoOften) {
  // The bootstrap weighs instead of copying: both must be one number.
  World world;
  world.rows = 4000;
  world.effect = [](auto x) { return 0.1 * (1 + static_cast<double>(x[0])); };
  const Trial t = trial_of(world);
  std::vector<float> score;
  std::vector<std::uint16_t> times;
  Trial copied;
  std::vector<float> copied_score;
  base::Rng rng(11);
  for (std::size_t r = 0; r < world.rows; ++r) {
    score.push_back(t.x.row(r)[0]);
    times.push_back(static_cast<std::uint16_t>(rng.poisson(1)));
    for (int i = 0; i < times[r]; ++i) {
      copied.treated.push_back(t.treated[r]);
      copied.outcome.push_back(t.outcome[r]);
      copied.propensity.push_back(0.5F);
      copied_score.push_back(score[r]);
    }
  }
  const double plain = Ranking(t, score, 1).qini();
  const double weighed = Ranking(t, score, 1).qini(times);
  // Steps of several rows at once: the area between them is a line, the curve nearly one. And copies change the share of treated a little.
  EXPECT_NEAR(weighed, Ranking(copied, copied_score, 1).qini(), 2e-4);
  EXPECT_GT(std::abs(weighed - plain), 1e-4);
  EXPECT_NEAR(Ranking(t, score, 1).qini(std::vector<std::uint16_t>(world.rows, 7)), plain, 1e-9);
}

TEST(Qini, KnowsTheValueOfAPerfectOrderAndOfARandomOne) {
  // Effect 2a for a in 0 … 1 evenly: the perfect order gains ∫∫ = 1/3 - 1/4 of the largest effect a head of the treated, chance gains nothing.
  World world;
  world.rows = 400'000;
  world.response = Response::kAmount;
  world.noise = 0.2;
  world.base = [](auto) { return 0.0; };
  world.effect = [](auto x) { return 1 + static_cast<double>(x[0]); };
  const Trial trial = trial_of(world);
  std::vector<float> perfect;
  std::vector<float> random;
  base::Rng rng(3);
  for (std::size_t r = 0; r < world.rows; ++r) {
    perfect.push_back(trial.x.row(r)[0]);
    random.push_back(static_cast<float>(rng.uniform()));
  }
  // Sorted by u = 1 - φ·…: g(φ) = ½·(2φ - φ²), its integral 1/3, g(1)/2 = 1/4.
  EXPECT_NEAR(Ranking(trial, perfect, 1).qini(), 1.0 / 3 - 1.0 / 4, 0.003);
  EXPECT_NEAR(Ranking(trial, random, 1).qini(), 0, 0.003);
}

TEST(Qini, AnUnevenDesignIsMended) {
  // Twice as many treated on one side of the columns must not look like an effect there.
  World world;
  world.rows = 200'000;
  world.response = Response::kAmount;
  world.base = [](auto x) { return 2 * static_cast<double>(x[0]); };
  world.propensity = [](auto x) { return 0.5 + 0.3 * static_cast<double>(x[0]); };
  const Trial trial = trial_of(world);
  std::vector<float> score;
  for (std::size_t r = 0; r < world.rows; ++r) {
    score.push_back(trial.x.row(r)[0]);
  }
  EXPECT_NEAR(Ranking(trial, score, 1).qini(), 0, 0.01);
  EXPECT_NEAR(policy_value(trial, std::vector<std::uint8_t>(world.rows, 1), {1, 0}).profit, 0, 0.03);
}

TEST(Threshold, TreatsWhereTheEffectPaysItsCost) {
  // Effect 0.1·(1 + a), value 10, cost 0.8: treat where a > -0.2.
  World world;
  world.rows = 200'000;
  world.effect = [](auto x) { return 0.1 * (1 + static_cast<double>(x[0])); };
  const Trial trial = trial_of(world);
  std::vector<float> score;
  for (std::size_t r = 0; r < world.rows; ++r) {
    score.push_back(trial.x.row(r)[0]);
  }
  EXPECT_NEAR(best_threshold(trial, all_rows(trial), score, {10, 0.8}).score, -0.2, 0.15);
  // Never worth it: nobody but a lucky few at the very top.
  EXPECT_GT(best_threshold(trial, all_rows(trial), score, {10, 5}).score, 0.99);
  EXPECT_EQ(best_threshold(trial, all_rows(trial), score, {10, 50}).score, std::numeric_limits<double>::infinity());
  EXPECT_LT(best_threshold(trial, all_rows(trial), score, {10, 0}).score, -0.8);
}

TEST(PolicyValue, MatchesACalculationByHand) {
  // IRR and NIR are compared with other people's figures: the same formulas, or the comparison is void.
  const PolicyValue value = policy_value(by_hand(), std::vector<std::uint8_t>{1, 1, 1, 1, 0, 0}, {10, 0.15});
  EXPECT_NEAR(value.share_treated, 4.0 / 6, 1e-12);
  EXPECT_NEAR(value.irr, 2.0 / 2 - 1.0 / 2, 1e-12);
  EXPECT_NEAR(value.nir, 10 * 2 - 0.15 * 2 - 10 * 1, 1e-12);
  EXPECT_NEAR(value.profit, (10 * (2 - 0 + 2 - 2) - 4 * 0.15) / 6, 1e-6);
  EXPECT_EQ(policy_value(by_hand(), std::vector<std::uint8_t>(6, 0), {10, 0.15}).profit, 0);
}

TEST(PolicyValue, ItsIntervalHoldsTheTruthAsOftenAsItSays) {
  // 95 % intervals of 600 worlds, rows of one customer alike: 93 to 97 % must hold the truth.
  int held = 0;
  constexpr int kWorlds = 600;
  for (int w = 0; w < kWorlds; ++w) {
    base::Rng rng(7, static_cast<std::uint64_t>(w));
    Trial trial;
    trial.response = Response::kAmount;
    for (std::uint32_t customer = 0; customer < 400; ++customer) {
      const bool treated = rng.chance(0.5);
      const double own = rng.normal();
      for (int row = 0; row < 3; ++row) {
        trial.treated.push_back(treated ? 1 : 0);
        trial.propensity.push_back(0.5F);
        trial.outcome.push_back(static_cast<float>(own + 0.3 * rng.normal() + (treated ? 0.2 : 0)));
        trial.customer.push_back(customer);
      }
    }
    const PolicyValue value = policy_value(trial, std::vector<std::uint8_t>(trial.treated.size(), 1), {1, 0.05});
    held += value.low <= 0.15 && 0.15 <= value.high ? 1 : 0;
  }
  EXPECT_GE(held, 0.93 * kWorlds);
  EXPECT_LE(held, 0.97 * kWorlds);
}

}  // namespace
}  // namespace beckon::uplift
