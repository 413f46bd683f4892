// Customers would be treated by scores that have nothing to do with what a treatment does to them if one of these broke.
#include <gtest/gtest.h>

#include <functional>

#include "worlds.h"

namespace beckon::uplift {
namespace {

// Scores of fresh customers, beside their true effects.
double score_against_truth(const World& world, const Candidate& candidate, const std::vector<const Base*>& bases) {
  const Trial trial = trial_of(world);
  World fresh = world;
  fresh.seed += 1000;
  fresh.rows = 2000;
  const Trial other = trial_of(fresh);
  Ask ask{&other.x, all_rows(other), other.propensity};
  const auto scores = learn_and_score(trial, all_rows(trial), {candidate}, ask, {bases, 3, 1});
  EXPECT_TRUE(scores.ok()) << scores.error().message;
  std::vector<double> truth;
  for (std::size_t r = 0; r < fresh.rows; ++r) {
    truth.push_back(world.effect(other.x.row(r)));
  }
  return correlation((*scores)[0], truth);
}

TEST(Learners, EachFindsAnEffectThatIsNotWhereTheResponseIs) {
  // The response falls where the effect rises: who ranks by response treats the wrong half.
  World world;
  world.rows = 12'000;
  world.base = [](auto x) { return 0.35 - 0.25 * static_cast<double>(x[0]); };
  world.effect = [](auto x) { return 0.15 * (1 + static_cast<double>(x[0])); };
  const auto trees = boosted_trees();
  const auto lines = linear();
  const std::vector<const Base*> bases{trees.get(), lines.get()};
  for (const Candidate& candidate : all_candidates(2, Response::kProbability)) {
    const double found = score_against_truth(world, candidate, bases);
    if (candidate.learner == Learner::kResponse) {
      EXPECT_LT(found, 0) << candidate.base;
    } else {
      EXPECT_GT(found, candidate.base == 0 ? 0.75 : 0.9) << name_of(candidate.learner) << " over " << candidate.base;
    }
  }
}

TEST(Learners, UnevenTreatmentDoesNotMoveTheOrder) {
  // Treated where they would buy anyway, as shops do: learners that use e(x) still find the effect.
  World world;
  world.rows = 12'000;
  world.response = Response::kAmount;
  world.base = [](auto x) { return 3 * static_cast<double>(x[1]); };
  world.effect = [](auto x) { return 1 + static_cast<double>(x[0]); };
  world.propensity = [](auto x) { return 0.5 + 0.35 * static_cast<double>(x[1]); };
  const auto trees = boosted_trees();
  const auto lines = linear();
  for (const Learner learner : {Learner::kTwo, Learner::kCross, Learner::kResidual, Learner::kDoublyRobust, Learner::kEnsemble}) {
    for (const std::size_t base : {0U, 1U}) {
      EXPECT_GT(score_against_truth(world, {learner, base}, {trees.get(), lines.get()}), 0.85) << name_of(learner) << " over " << base;
    }
  }
}

TEST(Learners, EffectsAreInUnitsOfTheOutcome) {
  // A threshold of value times effect against cost is meaningless when a learner answers in other units.
  World world;
  world.rows = 20'000;
  world.effect = [](auto) { return 0.1; };
  const Trial trial = trial_of(world);
  const auto lines = linear();
  const auto trees = boosted_trees();
  Ask ask{&trial.x, all_rows(trial), trial.propensity};
  const auto candidates = all_candidates(2, Response::kProbability);
  const auto scores = learn_and_score(trial, all_rows(trial), candidates, ask, {{trees.get(), lines.get()}, 3, 1});
  ASSERT_TRUE(scores.ok());
  for (std::size_t c = 0; c < candidates.size(); ++c) {
    if (candidates[c].learner == Learner::kResponse) {
      continue;
    }
    double mean = 0;
    for (const float s : (*scores)[c]) {
      mean += static_cast<double>(s) / static_cast<double>(world.rows);
    }
    EXPECT_NEAR(mean, 0.1, candidates[c].learner == Learner::kClassTransformed ? 0.03 : 0.02) << name_of(candidates[c].learner);
  }
}

TEST(Learners, SameSeedSameBits) {
  // A study that cannot be repeated cannot be discussed.
  const Trial trial = trial_of({});
  const auto trees = boosted_trees();
  const auto lines = linear();
  Ask ask{&trial.x, all_rows(trial), trial.propensity};
  const auto run = [&] {
    return learn_and_score(trial, all_rows(trial), all_candidates(2, Response::kProbability), ask, {{trees.get(), lines.get()}, 3, 5}).value();
  };
  EXPECT_EQ(run(), run());
}

TEST(Deal, KeepsCustomersTogetherAndGroupsEven) {
  // A customer in two folds is judged by a model that has seen him.
  World world;
  world.rows = 3000;
  Trial trial = trial_of(world);
  const auto plain = deal(trial, all_rows(trial), 5, 1);
  std::vector<int> treated(5, 0);
  for (std::size_t r = 0; r < plain.size(); ++r) {
    treated[plain[r]] += trial.treated[r];
  }
  EXPECT_LE(*std::ranges::max_element(treated) - *std::ranges::min_element(treated), 1);
  for (std::size_t r = 0; r < world.rows; ++r) {
    trial.customer.push_back(static_cast<std::uint32_t>(r / 3));
  }
  const auto dealt = deal(trial, all_rows(trial), 5, 1);
  for (std::size_t r = 0; r + 2 < world.rows; r += 3) {
    EXPECT_TRUE(dealt[r] == dealt[r + 1] && dealt[r] == dealt[r + 2]);
  }
}

}  // namespace
}  // namespace beckon::uplift
