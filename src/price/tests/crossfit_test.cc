// Adjusting for what the price setter saw would leave its bias in, or invent an effect, if one of these broke.
#include <gtest/gtest.h>

#include <numeric>

#include "worlds_helper.h"

namespace beckon::price {
namespace {

table::Column numbers(std::string name, std::vector<double> values) {
  table::Column column;
  column.name = std::move(name);
  column.kind = table::Kind::kNumber;
  column.numbers = std::move(values);
  return column;
}

std::vector<std::uint32_t> all_rows(std::size_t rows) {
  std::vector<std::uint32_t> out(rows);
  std::iota(out.begin(), out.end(), 0U);
  return out;
}

Elasticity double_ml(const World& world, std::uint64_t seed) {
  const table::Column known = numbers("known", world.known);
  const table::Column* columns[] = {&known};
  auto x = encode(columns, all_rows(world.price.size()));
  standardise(*x, {});
  const Residuals residuals = cross_fitted_residuals(world.all(), *x, Scale::kLogLog, {5, seed});
  return *pooled_elasticity(world.all(), {Scale::kLogLog, 0.95, &residuals});
}

TEST(Coverage, ResidualOnResidualUnderABentConfounder) {
  const int runs = runs_of(300);
  int inside = 0;
  double mean = 0;
  double plain = 0;
  for (int run = 0; run < runs; ++run) {
    const World world = bent_world(static_cast<std::uint64_t>(run), 600);
    const Elasticity found = double_ml(world, static_cast<std::uint64_t>(run));
    inside += holds(found.elasticity, -1.5) ? 1 : 0;
    mean += found.elasticity.estimate / runs;
    plain += pooled_elasticity(world.all(), {})->elasticity.estimate / runs;
  }
  EXPECT_GT(plain, -0.2);  // without the confounder: demand hardly reacts
  testing::Test::RecordProperty("mean_and_plain", std::to_string(mean) + " " + std::to_string(plain));
  EXPECT_NEAR(mean, -1.5, 0.04);
  testing::Test::RecordProperty("coverage", std::to_string(static_cast<double>(inside) / runs));
  EXPECT_GE(inside, 0.92 * runs) << inside;  // 300 runs have a deviation of 1.3 %
  EXPECT_LE(inside, 0.98 * runs) << inside;
}

TEST(CrossRidge, PredictsOnlyFromOtherRows) {
  // A column of noise must not explain anything out of fold; one that is the target must explain it all.
  base::Rng rng(3);
  std::vector<double> noise(500);
  std::vector<double> target(500);
  for (std::size_t i = 0; i < noise.size(); ++i) {
    noise[i] = rng.normal();
    target[i] = rng.normal();
  }
  const double mean = std::accumulate(target.begin(), target.end(), 0.0) / 500;
  for (double& value : target) {
    value -= mean;
  }
  const table::Column columns[] = {numbers("noise", noise), numbers("same", target)};
  const table::Column* both[] = {&columns[0], &columns[1]};
  auto x = encode(both, all_rows(500));
  standardise(*x, {});
  const CrossRidge ridge(*x, folds_of(500, {}, {5, 1}), 5);
  const auto scores = ridge.scores(target);
  EXPECT_LT(scores.blocks[0], 0.01);
  EXPECT_GT(scores.blocks[1], 0.95);
  const auto fit = ridge.fit(target);
  double squares = 0;
  double all = 0;
  for (std::size_t i = 0; i < target.size(); ++i) {
    squares += fit.residual[i] * fit.residual[i];
    all += target[i] * target[i];
  }
  EXPECT_NEAR(1 - squares / all, fit.r2, 1e-9);  // the short cut by products against a pass over the rows
  EXPECT_NEAR(scores.all, fit.r2, 1e-12);
}

TEST(Encode, KeepsIdsOutAndCountsRareLabels) {
  // A column with a different value on each row would let a regression learn every row by heart, and a million labels would not fit.
  table::Column id;
  id.name = "order";
  id.kind = table::Kind::kCategory;
  id.labels = {""};
  table::Column city = id;
  city.name = "city";
  city.labels = {"", "a", "b", "c", "d"};
  for (std::uint32_t i = 0; i < 1000; ++i) {
    id.labels.push_back("o" + std::to_string(i));
    id.codes.push_back(i + 1);
    city.codes.push_back(i < 4 ? 1 + i % 2 : 3 + i % 2);
  }
  const table::Column* both[] = {&id, &city};
  const auto x = encode(both, all_rows(1000));
  ASSERT_TRUE(x.ok());
  ASSERT_EQ(x->blocks.size(), 1u);
  EXPECT_EQ(x->blocks[0].name, "city");
  EXPECT_EQ(x->blocks[0].count, 2u);
  ASSERT_EQ(x->notes.size(), 2u);
  EXPECT_NE(x->notes[0].find("an id"), std::string::npos);
}

TEST(Encode, MissingAndInfiniteNumbersAreAFlag) {
  // A hole in a column must neither stop the study nor spread as NaN.
  std::vector<double> values(100);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<double>(i);
  }
  values[3] = std::nan("");
  values[4] = INFINITY;
  const table::Column column = numbers("x", values);
  const table::Column* columns[] = {&column};
  const auto x = encode(columns, all_rows(100));
  ASSERT_TRUE(x.ok());
  for (const double value : x->values) {
    EXPECT_TRUE(std::isfinite(value));
  }
  EXPECT_EQ(x->values[3 * x->columns + x->columns - 1], 1);
  EXPECT_EQ(x->values[4 * x->columns + x->columns - 1], 1);
  EXPECT_EQ(x->values[5 * x->columns + x->columns - 1], 0);
}

TEST(Encode, RefusesWhatDoesNotFit) {
  const table::Column column = numbers("x", std::vector<double>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15});
  const table::Column* columns[] = {&column};
  EncodeOptions options;
  options.columns_max = 2;
  const auto x = encode(columns, all_rows(15), options);
  ASSERT_FALSE(x.ok());  // memory would run out in the middle of a study instead
  EXPECT_EQ(x.error().code, base::ErrorCode::kResourceExhausted);
}

TEST(Folds, KeepSmallCellsWhole) {
  // Two rows of a demeaned pair mirror each other: apart, each would be predicted from itself.
  std::vector<std::uint32_t> cell(200);
  for (std::uint32_t i = 0; i < cell.size(); ++i) {
    cell[i] = i / 2;
  }
  const auto folds = folds_of(200, cell, {5, 1});
  for (std::size_t i = 0; i < 200; i += 2) {
    EXPECT_EQ(folds[i], folds[i + 1]);
  }
}

}  // namespace
}  // namespace beckon::price
