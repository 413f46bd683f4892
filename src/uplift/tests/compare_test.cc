// A campaign would be aimed by noise, or sent to all where half do not need it, if one of these broke.
#include <gtest/gtest.h>

#include "worlds.h"

namespace beckon::uplift {
namespace {

struct Setting {
  std::unique_ptr<Base> trees = boosted_trees();
  std::unique_ptr<Base> lines = linear();
  base::ThreadExecutor executor{2};
  CompareOptions options;
  Setting() {
    options.bases = {trees.get(), lines.get()};
    options.seeds = {1, 2};
    options.nested_folds = 0;
    options.resamples = 200;
    options.executor = &executor;
  }
};

TEST(Compare, FindsWhoReactsAndSaysThatResponseDoesNot) {
  // Response falls where the effect rises: only learners of effects may be chosen, and the choice inside each fold must agree.
  World world;
  world.rows = 10'000;
  world.base = [](auto x) { return 0.35 - 0.25 * static_cast<double>(x[0]); };
  world.effect = [](auto x) { return 0.12 * (1 + static_cast<double>(x[0])); };
  Setting setting;
  setting.options.seeds = {1};
  setting.options.nested_folds = 2;
  const auto found = compare(trial_of(world), setting.options);
  ASSERT_TRUE(found.ok()) << found.error().message;
  EXPECT_EQ(found->verdict, Verdict::kRank);
  EXPECT_NE(found->results[found->best].candidate.learner, Learner::kResponse);
  EXPECT_FALSE(found->response_is_enough);
  EXPECT_GT(found->nested_qini, found->qini_needed);
  // The perfect order of an effect 0.12·(1 + a), a even in -1 … 1, a head of all at half treated: 0.12·(1/3 - 1/4).
  EXPECT_NEAR(found->results[found->best].qini, 0.12 / 12, 0.003);
  EXPECT_NEAR(found->effect, 0.12, 0.02);
  EXPECT_LT(found->results[found->best].low, found->results[found->best].qini);
}

TEST(Compare, RanksByResponseWhereEffectsGrowWithIt) {
  // Effects in proportion to a response that many columns explain well: the model of the response is estimated better than any effect.
  World world;
  world.rows = 6'000;
  world.base = [](auto x) { return 0.3 + 0.28 * static_cast<double>(x[0]); };
  world.effect = [](auto x) { return 0.2 * (0.3 + 0.28 * static_cast<double>(x[0])); };
  Setting setting;
  const auto found = compare(trial_of(world), setting.options);
  ASSERT_TRUE(found.ok());
  double response = 0;
  for (const auto& result : found->results) {
    response = result.candidate.learner == Learner::kResponse ? std::max(response, result.qini) : response;
  }
  EXPECT_GT(response, 0.8 * found->results[found->best].qini);
}

TEST(Compare, WithoutDifferencesItTreatsAllOrNobody) {
  // "Rank" where there is nothing to rank by is the field's favourite mistake. 40 worlds of one effect for all: by design 5 % are taken for more;
  // more than 6 of 40 would happen in 3 of 1,000 cases.
  Setting setting;
  setting.options.bases = {setting.lines.get()};
  setting.options.seeds = {1};
  int ranked = 0;
  int all = 0;
  for (std::uint64_t w = 0; w < 40; ++w) {
    World world;
    world.rows = 3000;
    world.seed = 100 + w;
    world.effect = [w](auto) { return w % 2 == 0 ? 0.1 : 0.0; };
    const auto found = compare(trial_of(world), setting.options);
    ASSERT_TRUE(found.ok());
    ranked += found->verdict == Verdict::kRank ? 1 : 0;
    all += found->verdict == Verdict::kEverybody ? 1 : 0;
  }
  EXPECT_LE(ranked, 6);
  EXPECT_GE(all, 15);
}

TEST(Compare, MoneyDecidesWhereTreatmentsCost) {
  // Half the customers gain 0.2, half lose 0.1; at cost 0.5 for a value of 10 only the first half is worth it: 0.75 a customer.
  World world;
  world.rows = 10'000;
  world.base = [](auto) { return 0.3; };
  world.effect = [](auto x) { return x[0] > 0 ? 0.2 : -0.1; };
  Setting setting;
  setting.options.economics = {10, 0.5};
  const auto found = compare(trial_of(world), setting.options);
  ASSERT_TRUE(found.ok());
  const CandidateResult& best = found->results[found->best];
  EXPECT_NEAR(best.policy.share_treated, 0.5, 0.05);
  EXPECT_NEAR(best.policy.profit, 0.75, 0.15);
  EXPECT_GT(best.policy.profit, found->everybody.profit);
}

TEST(Compare, WorkersChangeNothing) {
  // The same study on a larger machine must be the same study.
  World world;
  world.rows = 2000;
  world.effect = [](auto x) { return 0.1 + 0.1 * static_cast<double>(x[0]); };
  const Trial trial = trial_of(world);
  Setting two;
  Setting one;
  base::SeededExecutor alone(5);
  one.options.executor = &alone;
  const auto a = compare(trial, two.options);
  const auto b = compare(trial, one.options);
  ASSERT_TRUE(a.ok() && b.ok());
  for (std::size_t c = 0; c < a->results.size(); ++c) {
    EXPECT_EQ(a->results[c].qini, b->results[c].qini);
    EXPECT_EQ(a->results[c].low, b->results[c].low);
  }
}

TEST(Compare, SaysWhenThereIsTooLittle) {
  // Ten customers in five folds would answer with numbers of two people each.
  World world;
  world.rows = 60;
  Setting setting;
  const auto found = compare(trial_of(world), setting.options);
  ASSERT_FALSE(found.ok());
  EXPECT_NE(found.error().message.find("want 50 at least"), std::string::npos) << found.error().message;
}

}  // namespace
}  // namespace beckon::uplift
