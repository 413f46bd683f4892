// A discount would be valued wrongly, or a price above the public one be offered, if one of these broke.
#include <gtest/gtest.h>

#include "worlds_helper.h"

namespace beckon::price {
namespace {

// Demand that bends: steep at low prices, flat above 10. P(buy) per row.
double bent_share(double price) { return 0.15 + 0.5 * std::exp(-0.5 * (price - 5)); }

World offers(std::uint64_t seed, std::size_t rows) {
  base::Rng rng(seed, 8);
  World world;
  for (std::size_t i = 0; i < rows; ++i) {
    const double price = 5 + 0.5 * static_cast<double>(rng.below(16));
    world.price.push_back(price);
    world.cell.push_back(static_cast<std::uint32_t>(i % 2));
    world.quantity.push_back(rng.chance(bent_share(price) + 0.1 * static_cast<double>(i % 2) - 0.05) ? 1 : 0);
  }
  return world;
}

TEST(Curve, FallsWhateverTheData) {
  // Noise would otherwise make a dearer price look like a better seller, and the plan would follow it.
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const World world = offers(seed, 150);
    CurveOptions options;
    options.scale = Scale::kLinearAtMean;
    options.draws = 300;
    const auto curve = dose_curve(world.all(), options);
    ASSERT_TRUE(curve.ok());
    for (std::size_t p = 1; p < curve->points.size(); ++p) {
      EXPECT_LE(curve->points[p].quantity.estimate, curve->points[p - 1].quantity.estimate + 1e-12);
      EXPECT_LE(curve->points[p].quantity.low, curve->points[p].quantity.estimate);
      EXPECT_GE(curve->points[p].quantity.high, curve->points[p].quantity.estimate);
    }
  }
}

TEST(Coverage, CurveOfSharesHoldsTheTruthAtEveryDepth) {
  const int runs = runs_of(150);
  int inside = 0;
  int all = 0;
  double away = 0;
  double line_away = 0;
  for (int run = 0; run < runs; ++run) {
    const World world = offers(static_cast<std::uint64_t>(run), 4000);
    CurveOptions options;
    options.scale = Scale::kLinearAtMean;
    options.draws = 400;
    options.points = 11;
    const auto curve = dose_curve(world.all(), options);
    const auto line = pooled_elasticity(world.all(), {Scale::kLinearAtMean, 0.95, nullptr});
    for (const auto& point : curve->points) {
      const double truth = bent_share(point.price);
      inside += holds(point.quantity, truth) ? 1 : 0;
      ++all;
      away += std::pow(point.quantity.estimate - truth, 2);
      line_away += std::pow(line->mean_quantity + line->slope * (point.price - line->mean_price) - truth, 2);
    }
  }
  testing::Test::RecordProperty("coverage", std::to_string(static_cast<double>(inside) / all));
  EXPECT_GE(inside, 0.92 * all) << static_cast<double>(inside) / all;
  EXPECT_LE(inside, 0.985 * all) << static_cast<double>(inside) / all;
  EXPECT_LT(away, 0.25 * line_away);  // it bends where the truth bends
}

TEST(Coverage, CurveOfAmountsHoldsAConstantElasticity) {
  const int runs = runs_of(150);
  int inside = 0;
  int all = 0;
  for (int run = 0; run < runs; ++run) {
    const World world = log_log_world(static_cast<std::uint64_t>(run) + 900, {});
    CurveOptions options;
    options.draws = 400;
    options.points = 9;
    const auto curve = dose_curve(world.all(), options);
    const double top = curve->points.back().price;
    for (std::size_t p = 0; p + 1 < curve->points.size(); ++p) {
      inside += holds(curve->points[p].relative, std::pow(curve->points[p].price / top, -2)) ? 1 : 0;
      ++all;
    }
  }
  testing::Test::RecordProperty("coverage", std::to_string(static_cast<double>(inside) / all));
  EXPECT_GE(inside, 0.92 * all) << static_cast<double>(inside) / all;
  EXPECT_LE(inside, 0.985 * all) << static_cast<double>(inside) / all;
}

TEST(Curve, CountsWithZerosFollowTheirExponent) {
  base::Rng rng(11);
  World world;
  for (int i = 0; i < 6000; ++i) {
    const double price = std::exp(0.4 * rng.normal());
    world.price.push_back(price);
    world.quantity.push_back(static_cast<double>(rng.poisson(0.8 * std::pow(price, -1.2))));
  }
  CurveOptions options;
  options.scale = Scale::kPoisson;
  const auto curve = dose_curve(world.all(), options);
  ASSERT_TRUE(curve.ok());
  for (const auto& point : curve->points) {
    EXPECT_NEAR(point.quantity.estimate, 0.8 * std::pow(point.price, -1.2), 0.08 * std::pow(point.price, -1.2));
  }
}

TEST(Curve, AThinGroupLeansOnItsParent) {
  // Sixty rows of an item cannot draw a curve: with its group's elasticity behind it the answer is closer to the truth.
  double alone = 0;
  double leaning = 0;
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    const World world = log_log_world(seed + 50, {.rows = 60, .cells = 3});
    CurveOptions options;
    options.draws = 300;
    options.points = 5;
    const auto free = dose_curve(world.all(), options);
    options.prior_elasticity = -1.9;
    options.prior_std_error = 0.3;
    const auto pulled = dose_curve(world.all(), options);
    const double truth = std::pow(free->points[0].price / free->points[4].price, -2);
    alone += std::pow(std::log(free->points[0].relative.estimate / truth), 2);
    leaning += std::pow(std::log(pulled->points[0].relative.estimate / truth), 2);
  }
  EXPECT_LT(leaning, 0.6 * alone);
}

TEST(Curve, NeverAboveThePublicPriceNorBeyondWhatWasSeen) {
  const World world = offers(1, 2000);
  CurveOptions options;
  options.scale = Scale::kLinearAtMean;
  options.public_price = 10;
  const auto curve = dose_curve(world.all(), options);
  ASSERT_TRUE(curve.ok());
  EXPECT_LE(curve->points.back().price, 10);  // rows up to 12.50 were seen
  EXPECT_EQ(curve->points.back().depth, 0);
  EXPECT_EQ(curve->at_depth(-0.1).error().code, base::ErrorCode::kInvalidArgument);
  EXPECT_EQ(curve->at_depth(0.9).error().code, base::ErrorCode::kFailedPrecondition);
  const auto half = curve->at_depth(0.3);
  ASSERT_TRUE(half.ok());
  EXPECT_NEAR(half->price, 7, 1e-12);
  EXPECT_NEAR(half->revenue.estimate, 7 * half->quantity.estimate, 1e-12);
}

TEST(DepthValues, SubtractTheCostAndKeepTheOrderOfBounds) {
  const World world = offers(2, 2000);
  CurveOptions options;
  options.scale = Scale::kLinearAtMean;
  const auto curve = dose_curve(world.all(), options);
  const double depths[] = {0, 0.2, 0.95};
  const auto values = depth_values(*curve, depths, 11);
  ASSERT_EQ(values.size(), 2u);  // 95 % was never offered
  EXPECT_GT(values[0].profit.estimate, 0);
  EXPECT_LT(values[1].profit.estimate, 0);  // sold below its cost
  EXPECT_LE(values[1].profit.low, values[1].profit.high);
}

TEST(Curve, SaysNoWhereThereIsNothing) {
  World world;
  for (int i = 0; i < 50; ++i) {
    world.price.push_back(2);
    world.quantity.push_back(i % 2);
  }
  EXPECT_EQ(dose_curve(world.all(), {}).error().code, base::ErrorCode::kFailedPrecondition);
}

}  // namespace
}  // namespace beckon::price
