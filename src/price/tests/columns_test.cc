// A price that follows risk would be sold as an experiment, or an experiment be called a fake, if one of these broke.
#include <gtest/gtest.h>

#include <algorithm>
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

// Price drawn within two classes; demand too differs by class.
struct Offers {
  std::vector<double> price, quantity, klass;
  std::vector<std::uint32_t> cell, index;
  std::vector<table::Column> columns;
  explicit Offers(std::uint64_t seed, std::size_t rows = 3000, int noise_columns = 20) {
    base::Rng rng(seed, 4);
    std::vector<double> threshold, contract, loan, log_price;
    std::vector<std::vector<double>> noise(static_cast<std::size_t>(noise_columns));
    for (std::size_t i = 0; i < rows; ++i) {
      const auto risky = static_cast<std::uint32_t>(rng.chance(0.5) ? 1 : 0);
      const double p = std::round(4 * (3 + 4 * risky + 6 * rng.uniform())) / 4;
      const double q = rng.chance(0.4 - 0.1 * risky - 0.01 * p) ? 1 : 0;
      price.push_back(p);
      quantity.push_back(q);
      klass.push_back(risky);
      cell.push_back(risky);
      index.push_back(static_cast<std::uint32_t>(i));
      threshold.push_back(p <= 5 + 4 * risky ? 1 : 0);
      contract.push_back(rng.chance(0.5) ? p : p - 0.25 * std::floor(8 * rng.uniform()));
      loan.push_back(q > 0 ? 100 * std::floor(1 + 20 * rng.uniform()) : 0);
      log_price.push_back(std::log(p));
      for (auto& column : noise) {
        column.push_back(rng.normal());
      }
    }
    columns = {numbers("class", klass), numbers("at_or_below_normal", threshold), numbers("contract_rate", contract), numbers("loan", loan),
               numbers("ln_price", log_price)};
    for (std::size_t c = 0; c < noise.size(); ++c) {
      columns.push_back(numbers("noise" + std::to_string(c), noise[c]));
    }
  }
  Rows rows(bool within) const { return {index, price, quantity, within ? std::span<const std::uint32_t>(cell) : std::span<const std::uint32_t>{}}; }
  std::vector<const table::Column*> known() const {
    std::vector<const table::Column*> out;
    for (const auto& column : columns) {
      if (role_of(column, rows(true)).role == Role::kKnownBefore) {
        out.push_back(&column);
      }
    }
    return out;
  }
  std::vector<double> logs() const {
    std::vector<double> out(price.size());
    std::ranges::transform(price, out.begin(), [](double p) { return std::log(p); });
    return out;
  }
};

TEST(Roles, TellCausesFromConsequences) {
  // A column made from the price would "predict" it and raise a false alarm; one filled in by the purchase would hide the effect.
  const Offers offers(1);
  const auto role = [&](std::size_t c) { return role_of(offers.columns[c], offers.rows(true)).role; };
  EXPECT_EQ(role(0), Role::kKnownBefore);
  EXPECT_EQ(role(1), Role::kCutsPrice);  // threshold
  EXPECT_EQ(role(2), Role::kMadeFromPrice);  // equal on half of the rows
  EXPECT_EQ(role(3), Role::kAfterPurchase);
  EXPECT_EQ(role(4), Role::kMadeFromPrice);  // logarithm
  for (std::size_t c = 5; c < offers.columns.size(); ++c) {
    EXPECT_EQ(role(c), Role::kKnownBefore) << offers.columns[c].name;
  }
}

TEST(Predictability, NamesTheClassWithoutCellsAndNothingWithin) {
  const Offers offers(2);
  const auto over_all = price_predictability(offers.known(), offers.logs(), offers.rows(false));
  ASSERT_TRUE(over_all.ok());
  EXPECT_TRUE(over_all->predicts);
  EXPECT_EQ(over_all->columns.front().column, "class");
  EXPECT_TRUE(over_all->columns.front().predicts);
  EXPECT_FALSE(over_all->columns[1].predicts);
  EXPECT_GT(over_all->r2_low, 0.3);
  const auto within = price_predictability(offers.known(), offers.logs(), offers.rows(true));
  ASSERT_TRUE(within.ok());
  EXPECT_FALSE(within->predicts);
}

TEST(Predictability, RaisesFewFalseAlarms) {
  // 20 columns asked at once: without the correction a third of all honest experiments would be called fakes.
  const int runs = runs_of(60);
  int alarms = 0;
  for (int run = 0; run < runs; ++run) {
    const Offers offers(100 + static_cast<std::uint64_t>(run), 400);
    PredictabilityOptions options;
    options.permutations = 99;
    options.seed = static_cast<std::uint64_t>(run);
    alarms += price_predictability(offers.known(), offers.logs(), offers.rows(true), options)->predicts ? 1 : 0;
  }
  testing::Test::RecordProperty("false_alarms", std::to_string(alarms) + " of " + std::to_string(runs));
  EXPECT_LE(alarms, std::max(3, runs / 20));
}

TEST(Predictability, FindsAWeakLeak) {
  // Whoever gave good customers slightly lower prices within the cells must be found out.
  Offers offers(3);
  for (std::size_t i = 0; i < offers.price.size(); ++i) {
    offers.price[i] *= std::exp(0.04 * offers.columns[7].numbers[i]);
  }
  std::vector<const table::Column*> noise;
  for (std::size_t c = 5; c < offers.columns.size(); ++c) {
    noise.push_back(&offers.columns[c]);
  }
  const auto within = price_predictability(noise, offers.logs(), offers.rows(true));
  ASSERT_TRUE(within.ok());
  EXPECT_TRUE(within->predicts);
  EXPECT_EQ(within->columns.front().column, offers.columns[7].name);
}

TEST(Predictability, SameBitsForAnyExecutor) {
  const Offers offers(4, 500);
  PredictabilityOptions options;
  options.permutations = 99;
  const auto alone = price_predictability(offers.known(), offers.logs(), offers.rows(true), options);
  base::SeededExecutor mixed(9);
  options.executor = &mixed;
  const auto together = price_predictability(offers.known(), offers.logs(), offers.rows(true), options);
  EXPECT_EQ(alone->p_value, together->p_value);
  EXPECT_EQ(alone->columns.front().r2, together->columns.front().r2);
}

}  // namespace
}  // namespace beckon::price
