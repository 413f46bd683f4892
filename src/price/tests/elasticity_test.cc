// A discount would be bought with an elasticity that is off, or whose interval is too short, if one of these broke: known truth.
#include <gtest/gtest.h>

#include <numeric>

#include "worlds_helper.h"

namespace beckon::price {
namespace {

TEST(Scale, FollowsTheQuantity) {
  const std::vector<double> binary{0, 1, 1};
  const std::vector<double> counts{0, 1, 2};
  const std::vector<double> amounts{0.5, 1, 2};
  EXPECT_EQ(scale_for(binary), Scale::kLinearAtMean);
  EXPECT_EQ(scale_for(counts), Scale::kPoisson);
  EXPECT_EQ(scale_for(amounts), Scale::kLogLog);
}

TEST(LogLog, MatchesASlopeByHand) {
  // log p = 0, 1, 2 and log q = 3, 1, 0.5 …: the slope is Σ x̃ỹ / Σ x̃²; six rows leave four degrees of freedom.
  const std::vector<double> logs{0, 1, 2, 0, 1, 2};
  const std::vector<double> response{3, 1, 0.5, 3.2, 1.2, 0.1};
  World world;
  for (std::size_t i = 0; i < logs.size(); ++i) {
    world.price.push_back(std::exp(logs[i]));
    world.quantity.push_back(std::exp(response[i]));
  }
  const auto found = pooled_elasticity(world.all(), {});
  ASSERT_TRUE(found.ok());
  EXPECT_NEAR(found->elasticity.estimate, (0.5 + 0.1 - 3 - 3.2) / 4, 1e-12);
  EXPECT_EQ(found->variation.distinct_prices, 3);
  EXPECT_NEAR(found->variation.residual_share, 1, 1e-12);
}

TEST(Coverage, LogLogInsideCellsWhereOrdinaryRegressionIsWrong) {
  WorldOptions options;
  options.confounding = 0.3;
  const int runs = runs_of(600);
  int inside = 0;
  double plain = 0;
  for (int run = 0; run < runs; ++run) {
    const World world = log_log_world(static_cast<std::uint64_t>(run), options);
    const auto within = pooled_elasticity(world.all(), {});
    ASSERT_TRUE(within.ok());
    inside += holds(within->elasticity, options.elasticity) ? 1 : 0;
    plain += pooled_elasticity({world.price, world.quantity, {}, {}}, {})->elasticity.estimate / runs;
  }
  EXPECT_GT(plain, -1);  // it says that demand hardly reacts
  testing::Test::RecordProperty("coverage", std::to_string(static_cast<double>(inside) / runs));
  EXPECT_GE(inside, 0.93 * runs) << inside;
  EXPECT_LE(inside, 0.97 * runs) << inside;
}

// P(buy) = base of the cell - 0.04 · price: elasticity at the mean = -0.04 · mean price / mean share.
World binary_world(std::uint64_t seed, std::size_t rows) {
  base::Rng rng(seed, 1);
  World world;
  for (std::size_t i = 0; i < rows; ++i) {
    const auto cell = static_cast<std::uint32_t>(i % 3);
    const double price = 4 + cell + 4 * rng.uniform();  // dear where demand is strong
    world.cell.push_back(cell);
    world.price.push_back(price);
    world.quantity.push_back(rng.chance(0.45 + 0.15 * cell - 0.04 * price) ? 1 : 0);
  }
  return world;
}

TEST(Coverage, LinearProbabilityAtTheMean) {
  const double truth = -0.04 * 7 / (0.45 + 0.15 - 0.04 * 7);
  const int runs = runs_of(600);
  int inside = 0;
  for (int run = 0; run < runs; ++run) {
    const World world = binary_world(static_cast<std::uint64_t>(run), 900);
    inside += holds(pooled_elasticity(world.all(), {Scale::kLinearAtMean, 0.95, nullptr})->elasticity, truth) ? 1 : 0;
  }
  testing::Test::RecordProperty("coverage", std::to_string(static_cast<double>(inside) / runs));
  EXPECT_GE(inside, 0.93 * runs) << inside;
  EXPECT_LE(inside, 0.97 * runs) << inside;
}

World count_world(std::uint64_t seed, std::size_t rows) {
  base::Rng rng(seed, 3);
  World world;
  for (std::size_t i = 0; i < rows; ++i) {
    const auto cell = static_cast<std::uint32_t>(i % 10);
    const double log_price = 0.1 * cell + 0.3 * rng.normal();
    const double more = std::exp(0.5 * rng.normal() - 0.125);  // varies more than a Poisson count
    world.cell.push_back(cell);
    world.price.push_back(std::exp(log_price));
    world.quantity.push_back(static_cast<double>(rng.poisson(more * std::exp(-0.5 + 0.3 * cell - 1.2 * log_price))));
  }
  return world;
}

TEST(Coverage, PoissonWithZerosAndSpread) {
  const int runs = runs_of(600);
  int inside = 0;
  for (int run = 0; run < runs; ++run) {
    const World world = count_world(static_cast<std::uint64_t>(run), 500);
    const auto found = pooled_elasticity(world.all(), {Scale::kPoisson, 0.95, nullptr});
    ASSERT_TRUE(found.ok());
    inside += holds(found->elasticity, -1.2) ? 1 : 0;
  }
  testing::Test::RecordProperty("coverage", std::to_string(static_cast<double>(inside) / runs));
  EXPECT_GE(inside, 0.93 * runs) << inside;
  EXPECT_LE(inside, 0.97 * runs) << inside;
}

TEST(Poisson, SaysWhatLogLogSaysWithoutNoise) {
  // Exact counts on the curve: both must find the exponent to many digits, in each group its own.
  World world;
  for (int i = 0; i < 40; ++i) {
    const double price = 1 + 0.05 * i;
    world.price.push_back(price);
    world.group.push_back(static_cast<std::uint32_t>(i % 2));
    world.quantity.push_back(100 * std::pow(price, i % 2 == 0 ? -1.5 : -0.5));
  }
  const auto found = elasticities(world.all(), 2, {Scale::kPoisson, 0.95, nullptr});
  EXPECT_NEAR(found[0].slope, -1.5, 1e-7);
  EXPECT_NEAR(found[1].slope, -0.5, 1e-7);
}

TEST(Groups, AnswerLikeTheirRowsAlone) {
  // A group's answer must not depend on who else is in the file.
  World world = log_log_world(5, {});
  for (std::size_t i = 0; i < world.price.size(); ++i) {
    world.group.push_back(static_cast<std::uint32_t>(i / 200));
  }
  const auto groups = elasticities(world.all(), 3, {});
  World second;
  for (std::size_t i = 200; i < 400; ++i) {
    second.price.push_back(world.price[i]);
    second.quantity.push_back(world.quantity[i]);
    second.cell.push_back(world.cell[i]);
  }
  const auto alone = pooled_elasticity({second.price, second.quantity, second.cell, {}}, {});
  EXPECT_NEAR(groups[1].elasticity.estimate, alone->elasticity.estimate, 1e-10);
  EXPECT_NEAR(groups[1].elasticity.std_error, alone->elasticity.std_error, 1e-10);
  EXPECT_FALSE(groups[2].identified);  // a code without rows
}

TEST(Groups, OneRowSaysNothing) {
  // One sale of an item must not come out as an elasticity with an interval of width 0.
  World world = log_log_world(6, {});
  world.group.assign(world.price.size(), 0);
  world.group.back() = 1;
  const auto groups = elasticities(world.all(), 2, {});
  EXPECT_TRUE(groups[0].identified);
  EXPECT_FALSE(groups[1].identified);
  EXPECT_EQ(groups[1].variation.rows, 1);
}

TEST(Pooled, RefusesPricesThatDoNotMoveInsideCells) {
  // "Randomised within item" where each item has one price: there is no answer, and no number may be shown.
  World world;
  for (std::size_t i = 0; i < 100; ++i) {
    world.cell.push_back(static_cast<std::uint32_t>(i % 10));
    world.price.push_back(1 + static_cast<double>(i % 10));
    world.quantity.push_back(5 + static_cast<double>(i % 7));
  }
  const auto found = pooled_elasticity(world.all(), {});
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.error().code, base::ErrorCode::kFailedPrecondition);
}

}  // namespace
}  // namespace beckon::price
