// Rare items would be priced by the luck of a few sales, or well measured ones be averaged away, if one of these broke.
#include <gtest/gtest.h>

#include "worlds_helper.h"

namespace beckon::price {
namespace {

struct Items {
  std::vector<double> truth, estimate, error;
  std::vector<std::uint32_t> parent;
  Items(std::uint64_t seed, std::uint32_t parents, std::uint32_t each) {
    base::Rng rng(seed, 6);
    for (std::uint32_t p = 0; p < parents; ++p) {
      const double middle = -2 + 0.6 * rng.normal();
      for (std::uint32_t i = 0; i < each; ++i) {
        truth.push_back(middle + 0.3 * rng.normal());
        error.push_back(0.1 + 0.8 * rng.uniform());
        estimate.push_back(truth.back() + error.back() * rng.normal());
        parent.push_back(p);
      }
    }
  }
};

TEST(Shrink, IsCloserToTheTruthAndCovers) {
  // The reason for shrinking at all: less error than the raw estimates, and intervals that hold.
  const int runs = runs_of(40);
  double raw = 0;
  double shrunk = 0;
  double flat = 0;
  int inside = 0;
  int all = 0;
  for (int run = 0; run < runs; ++run) {
    const Items items(static_cast<std::uint64_t>(run), 5, 8);
    const Shrinkage result = shrink({items.estimate, items.error, items.parent});
    const Shrinkage one_parent = shrink({items.estimate, items.error, {}});
    for (std::size_t g = 0; g < items.truth.size(); ++g) {
      raw += std::pow(items.estimate[g] - items.truth[g], 2);
      shrunk += std::pow(result.groups[g].value - items.truth[g], 2);
      flat += std::pow(one_parent.groups[g].value - items.truth[g], 2);
      inside += result.groups[g].low <= items.truth[g] && items.truth[g] <= result.groups[g].high ? 1 : 0;
      ++all;
    }
  }
  testing::Test::RecordProperty("squared_error_of_raw", std::to_string(shrunk / raw));
  EXPECT_LT(shrunk, 0.4 * raw);
  EXPECT_LT(shrunk, flat);  // knowing the parent helps
  testing::Test::RecordProperty("coverage", std::to_string(static_cast<double>(inside) / all));
  EXPECT_GE(inside, 0.93 * all);
  EXPECT_LE(inside, 0.97 * all);
}

TEST(Shrink, LeavesWellMeasuredGroupsAlone) {
  const std::vector<double> estimate{-2.77, -1.99, -2.04, -3.24, -3.57, -3.50};
  const std::vector<double> error{0.03, 0.04, 0.03, 0.08, 0.09, 0.06};
  const std::vector<std::uint32_t> parent{0, 1, 2, 0, 1, 2};
  const Shrinkage result = shrink({estimate, error, parent});
  for (std::size_t g = 0; g < estimate.size(); ++g) {
    EXPECT_NEAR(result.groups[g].value, estimate[g], 0.02);
  }
}

TEST(Shrink, GivesAnUnmeasuredGroupItsParent) {
  // An item with one sale gets what its brand says, with an interval that says how little that is.
  const std::vector<double> estimate{-2.0, -2.1, -1.9, -2.0, 0};
  const std::vector<double> error{0.1, 0.1, 0.1, 0.1, 0};
  const Shrinkage result = shrink({estimate, error, {}});
  EXPECT_NEAR(result.groups[4].value, -2, 0.05);
  EXPECT_EQ(result.groups[4].own_weight, 0);
  EXPECT_GT(result.groups[4].std_error, result.groups[0].std_error);
}

TEST(Shrink, OneGroupStaysAsItIs) {
  const std::vector<double> estimate{-1.3};
  const std::vector<double> error{0.2};
  const Shrinkage result = shrink({estimate, error, {}});
  EXPECT_NEAR(result.groups[0].value, -1.3, 1e-9);
  EXPECT_NEAR(result.groups[0].std_error, 0.2, 1e-9);
}

TEST(Shrink, NothingMeasuredIsNotAnAnswer) {
  const std::vector<double> none{0, 0};
  const Shrinkage result = shrink({none, none, {}});
  EXPECT_FALSE(std::isfinite(result.groups[0].std_error));
}

}  // namespace
}  // namespace beckon::price
