// Of two messages everybody would get the same one, or each the wrong one, if one of these broke.
#include "beckon/uplift/several.h"

#include <gtest/gtest.h>

#include <functional>

#include "beckon/base/rng.h"

namespace beckon::uplift {
namespace {

constexpr std::size_t kColumns = 3;

// Nobody, a and b in shares that may differ; chance of the outcome: .2 and the arm's effect.
struct World {
  std::function<double(const float*)> effect_a;
  std::function<double(const float*)> effect_b;
  double share_a = 0.35;
  double share_b = 0.25;
  std::size_t rows = 12'000;
  std::uint64_t seed = 1;
};

struct Data {
  std::vector<Trial> trials{2};
  std::vector<std::vector<std::uint32_t>> rows{2};

  explicit Data(const World& world) {
    base::Rng rng(world.seed);
    for (std::uint32_t r = 0; r < world.rows; ++r) {
      float x[kColumns];
      for (float& value : x) {
        value = static_cast<float>(2 * rng.uniform() - 1);
      }
      const double draw = rng.uniform();
      const int arm = draw < world.share_a ? 0 : draw < world.share_a + world.share_b ? 1 : 2;
      const double effect = arm == 0 ? world.effect_a(x) : arm == 1 ? world.effect_b(x) : 0;
      const float outcome = rng.chance(0.2 + effect) ? 1.0F : 0.0F;
      for (int a = 0; a < 2; ++a) {
        if (arm == a || arm == 2) {
          const double share = a == 0 ? world.share_a : world.share_b;
          Trial& trial = trials[static_cast<std::size_t>(a)];
          trial.x.values.insert(trial.x.values.end(), x, x + kColumns);
          trial.treated.push_back(arm == a ? 1 : 0);
          trial.outcome.push_back(outcome);
          trial.propensity.push_back(static_cast<float>(share / (share + 1 - world.share_a - world.share_b)));
          rows[static_cast<std::size_t>(a)].push_back(r);
        }
      }
    }
    for (Trial& trial : trials) {
      trial.response = Response::kProbability;
      trial.x.columns = kColumns;
      trial.x.rows = trial.treated.size();
      trial.x.names = {"a", "b", "c"};
    }
  }

  std::vector<ArmTrial> arms(double cost = 0) const { return {{&trials[0], rows[0], cost}, {&trials[1], rows[1], cost}}; }
};

struct Setting {
  std::unique_ptr<Base> trees = boosted_trees();
  std::unique_ptr<Base> lines = linear();
  base::ThreadExecutor executor{2};
  SeveralOptions options;
  Setting() {
    options.bases = {trees.get(), lines.get()};
    options.resamples = 200;
    options.executor = &executor;
  }
};

TEST(AssignArms, GivesEachHisOwnAndKnowsWhatThatIsWorth) {
  Setting setting;
  const Data data({[](const float* x) { return 0.15 * x[0]; }, [](const float* x) { return -0.15 * x[0]; }});
  const auto found = assign_arms(data.arms(), setting.options);
  ASSERT_TRUE(found.ok()) << found.error().message;
  EXPECT_TRUE(found->rule_is_better);
  EXPECT_NEAR(found->share[0], 0.5, 0.1);
  EXPECT_NEAR(found->share[1], 0.5, 0.1);
  EXPECT_NEAR(found->rule.gain, 0.075, 0.025);  // mean of .15·|x|
  EXPECT_LE(found->rule.low, 0.075);
  EXPECT_GE(found->rule.high, 0.075);
}

TEST(AssignArms, OneArmForAllIsEnoughWhereNothingTellsThemApart) {
  Setting setting;
  const Data data({[](const float*) { return 0.10; }, [](const float*) { return 0.04; }});
  const auto found = assign_arms(data.arms(), setting.options);
  ASSERT_TRUE(found.ok()) << found.error().message;
  EXPECT_FALSE(found->rule_is_better);
  EXPECT_EQ(found->best_arm, 0U);
  EXPECT_NEAR(found->everybody[0].gain, 0.10, 0.025);
  EXPECT_NEAR(found->everybody[1].gain, 0.04, 0.025);
}

TEST(AssignArms, ACostAboveEveryEffectLeavesNobodyOrLosesNothing) {
  // A rule that treats on noise would cost what it cannot bring.
  Setting setting;
  const Data data({[](const float*) { return 0.02; }, [](const float*) { return 0.02; }});
  const auto found = assign_arms(data.arms(0.2), setting.options);
  ASSERT_TRUE(found.ok()) << found.error().message;
  EXPECT_FALSE(found->rule_is_better);
  EXPECT_LT(found->everybody[found->best_arm].gain, -0.1);
  EXPECT_LT(found->share[0] + found->share[1], 0.1);
}

TEST(AssignArms, WithoutAnyEffectTheRuleIsSeldomCalledBetter) {
  // Of a hundred rules made from noise a few may look better, not many.
  Setting setting;
  setting.options.bases = {setting.lines.get()};
  setting.options.folds = 2;
  int better = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    const Data data({[](const float*) { return 0.0; }, [](const float*) { return 0.0; }, 0.3, 0.3, 1500, seed});
    const auto found = assign_arms(data.arms(), setting.options);
    ASSERT_TRUE(found.ok()) << found.error().message;
    better += found->rule_is_better ? 1 : 0;
  }
  EXPECT_LE(better, 6);
}

TEST(AssignArms, AnArmWithoutCustomersIsRefused) {
  Setting setting;
  const Data data({[](const float*) { return 0.0; }, [](const float*) { return 0.0; }, 0.5, 0.002, 1000});
  const auto found = assign_arms(data.arms(), setting.options);
  ASSERT_FALSE(found.ok());
  EXPECT_NE(found.error().message.find("--arm"), std::string::npos);
}

}  // namespace
}  // namespace beckon::uplift
