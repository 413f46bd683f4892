// Every effect is made of expected outcomes: these must be right, for both kinds of outcome, with weights and with holes in the data.
#include <gtest/gtest.h>

#include "beckon/stats/regression.h"
#include "worlds.h"

namespace beckon::uplift {
namespace {

std::vector<float> fitted(const Base& base, const Matrix& x, std::span<const float> y, Response response, std::span<const float> weight = {}) {
  std::vector<std::uint32_t> rows;
  for (std::uint32_t r = 0; r < x.rows; ++r) {
    rows.push_back(r);
  }
  const auto model = base.fit({&x, rows, y, weight, response, 1});
  EXPECT_TRUE(model.ok()) << model.error().message;
  std::vector<float> out(x.rows);
  (*model)->predict(x, rows, out);
  return out;
}

TEST(Linear, ProbabilitiesMatchAnotherSolver) {
  // The house has a second logistic regression, with another penalty's unit: on standardised columns both must say the same.
  World world;
  world.rows = 3000;
  world.base = [](auto x) { return 0.5 + 0.2 * static_cast<double>(x[0]) - 0.2 * static_cast<double>(x[1]); };
  const Trial t = trial_of(world);
  std::vector<double> mean(4, 0);
  std::vector<double> deviation(4, 0);
  for (std::size_t c = 0; c < 4; ++c) {
    for (std::size_t r = 0; r < world.rows; ++r) {
      mean[c] += static_cast<double>(t.x.row(r)[c]) / 3000;
    }
    for (std::size_t r = 0; r < world.rows; ++r) {
      deviation[c] += std::pow(static_cast<double>(t.x.row(r)[c]) - mean[c], 2) / 3000;
    }
  }
  std::vector<double> x;
  std::vector<std::uint8_t> y;
  for (std::size_t r = 0; r < world.rows; ++r) {
    for (std::size_t c = 0; c < 4; ++c) {
      x.push_back((static_cast<double>(t.x.row(r)[c]) - mean[c]) / std::sqrt(deviation[c]));
    }
    y.push_back(t.outcome[r] > 0 ? 1 : 0);
  }
  const auto other = stats::fit_logistic({x, y, 4, {}}, {10, 100}).value();
  const auto own = fitted(*linear(), t.x, t.outcome, Response::kProbability);
  for (std::size_t r = 0; r < world.rows; r += 37) {
    EXPECT_NEAR(static_cast<double>(own[r]), other.predict(std::span(x).subspan(r * 4, 4)), 1e-4);
  }
}

TEST(Bases, AmountsComeNearTheTruth) {
  // A straight line for both, a step for trees alone.
  World world;
  world.rows = 20'000;
  world.response = Response::kAmount;
  world.noise = 0.5;
  world.base = [](auto x) { return 2 * static_cast<double>(x[0]) + (x[1] > 0 ? 1 : 0); };
  const Trial t = trial_of(world);
  const auto error = [&](const std::vector<float>& said) {
    double sum = 0;
    for (std::size_t r = 0; r < world.rows; ++r) {
      sum += std::pow(static_cast<double>(said[r]) - world.base(t.x.row(r)), 2) / static_cast<double>(world.rows);
    }
    return std::sqrt(sum);
  };
  EXPECT_LT(error(fitted(*boosted_trees(), t.x, t.outcome, Response::kAmount)), 0.2);
  EXPECT_LT(error(fitted(*linear(), t.x, t.outcome, Response::kAmount)), 0.3);  // the step as a line leaves 0.25
}

TEST(Bases, AWeightIsAsManyRows) {
  // R weighs by (t - e)², class transformation by 1/P(t): a base that ignored weights would answer another question.
  for (const Response response : {Response::kAmount, Response::kProbability}) {
    Matrix x;
    x.columns = 1;
    x.rows = 2000;
    x.names = {"a"};
    std::vector<float> y;
    std::vector<float> weight;
    base::Rng rng(4);
    for (std::size_t r = 0; r < x.rows; ++r) {
      x.values.push_back(static_cast<float>(rng.uniform()));
      y.push_back(r % 2 == 0 ? 1 : 0);
      weight.push_back(r % 2 == 0 ? 3 : 1);
    }
    for (const auto& base : {boosted_trees(), linear()}) {
      const auto said = fitted(*base, x, y, response, weight);
      double mean = 0;
      for (const float s : said) {
        mean += static_cast<double>(s) / 2000;
      }
      EXPECT_NEAR(mean, 0.75, 0.02) << base->name();
    }
  }
}

TEST(Bases, HolesAndConstantsAreNoProblem) {
  // Real files have empty cells, columns of one value and outcomes that nobody has.
  Matrix x;
  x.columns = 3;
  x.rows = 1200;
  std::vector<float> y;
  base::Rng rng(5);
  for (std::size_t r = 0; r < x.rows; ++r) {
    const float a = rng.chance(0.2) ? std::nanf("") : static_cast<float>(rng.normal());
    x.values.insert(x.values.end(), {a, 7.0F, std::nanf("")});
    y.push_back(std::isnan(a) ? 2.0F : a);
  }
  for (const auto& base : {boosted_trees(), linear()}) {
    for (const float s : fitted(*base, x, y, Response::kAmount)) {
      ASSERT_TRUE(std::isfinite(s)) << base->name();
    }
    const std::vector<float> nobody(x.rows, 0.0F);
    EXPECT_EQ(fitted(*base, x, nobody, Response::kProbability), nobody);
  }
}

TEST(Encoder, LabelsNumbersDatesAndHoles) {
  // A label that was never seen, a column in another order, a hole: the learner must read the same thing as in training.
  const auto train = table::parse_table("n,city,day,same\n1,Rome,2026-01-01,x\nNA,Oslo,2026-01-03,x\n3,Rome,2026-01-02,x\n4,Bonn,2026-01-02,x\n", "a.csv").value();
  const auto encoder = Encoder::learn(train, {{"n", "city", "day", "same"}, 2});
  ASSERT_TRUE(encoder.ok());
  EXPECT_EQ(encoder->constant(), std::vector<std::string>{"same"});
  const Matrix x = encoder->encode(train).value();
  EXPECT_EQ(x.names, (std::vector<std::string>{"n", "n missing", "city=Rome", "city=Bonn", "city=(others)", "day"}));
  EXPECT_EQ(std::vector<float>(x.row(3).begin(), x.row(3).begin() + 5), (std::vector<float>{4, 0, 0, 1, 0}));
  EXPECT_TRUE(std::isnan(x.row(1)[0]));
  EXPECT_EQ(x.row(1)[1], 1);
  EXPECT_EQ(x.row(1)[4], 1);
  EXPECT_EQ(x.row(1)[5] - x.row(0)[5], 2);
  const auto other = table::parse_table("city,day,n,same\nParis,2026-01-01,5,y\n,2026-01-01,5,y\n", "b.csv").value();
  const Matrix y = encoder->encode(other).value();
  EXPECT_EQ(y.row(0)[4], 1);
  EXPECT_EQ(y.row(1)[2] + y.row(1)[3] + y.row(1)[4], 0);
  EXPECT_FALSE(encoder->encode(table::parse_table("city,day\nRome,2026-01-01\n", "c.csv").value()).ok());
  EXPECT_FALSE(Encoder::learn(train, {{"same"}, 2}).ok());
}

}  // namespace
}  // namespace beckon::uplift
