// The model would be compared with the wrong opponent if one of these broke: expected numbers are worked out by hand.
#include "beckon/features/floors.h"

#include <gtest/gtest.h>

#include <cmath>

#include "world.h"

namespace beckon::features {
namespace {

Dataset data_of(std::vector<std::vector<Step>> histories, std::int32_t tokens) {
  Dataset data;
  std::vector<std::string> names;
  for (std::int32_t t = 1; t < tokens; ++t) {
    names.push_back("item" + std::to_string(t));
  }
  data.vocabulary = Vocabulary(names);
  for (auto& steps : histories) {
    History history;
    history.steps = std::move(steps);
    data.histories.push_back(std::move(history));
  }
  return data;
}

void expect_scores(const std::vector<Scored>& found, const std::vector<std::pair<std::int32_t, double>>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].token, expected[i].first) << "rank " << i;
    EXPECT_NEAR(found[i].score, expected[i].second, 1e-12) << "rank " << i;
  }
}

TEST(Floors, PopularIsWhatTheLastWeekBought) {
  // Last year's bestseller is not what people buy today.
  const base::Instant now{100 * kDay};
  const Dataset data = data_of({{{10 * kDay, 1, StepType::kPurchase}, {11 * kDay, 1, StepType::kPurchase}},
                                {{93 * kDay, 4, StepType::kPurchase},  // a week ago to the millisecond: no more
                                 {94 * kDay, 2, StepType::kPurchase}, {95 * kDay, 2, StepType::kPurchase}, {96 * kDay, 3, StepType::kPurchase}},
                                {{99 * kDay, 3, StepType::kView}, {99 * kDay, 0, StepType::kPurchase}, {101 * kDay, 3, StepType::kPurchase}}},
                               5);
  const Floors floors = Floors::fit(data, now);
  expect_scores(floors.popular(), {{2, 2.0}, {3, 1.1}});
  EXPECT_EQ(floors.popularity(2), 2.0);
  EXPECT_EQ(floors.popularity(1), 0.0);
  // An empty week: four weeks, then all time.
  expect_scores(Floors::fit(data, {120 * kDay}).popular(), {{3, 2.1}, {2, 2.0}, {4, 1.0}});
  expect_scores(Floors::fit(data, {400 * kDay}).popular(), {{3, 2.1}, {1, 2.0}, {2, 2.0}, {4, 1.0}});
}

TEST(Floors, OwnItemsFadeWithAHalfLifeOfSixtyDays) {
  // What he bought two years ago must not outweigh what he buys every week.
  const Dataset data = data_of({{{40 * kDay, 1, StepType::kPurchase}, {100 * kDay, 2, StepType::kView}, {100 * kDay, 3, StepType::kPurchase}}}, 4);
  const Floors floors = Floors::fit(data, {100 * kDay});
  expect_scores(floors.own(data.histories[0], {100 * kDay}), {{3, 1.0}, {1, 0.5}, {2, 0.1}});
  expect_scores(floors.own(data.histories[0], {40 * kDay}), {{1, 1.0}});
  expect_scores(floors.own(data.histories[0], {160 * kDay}), {{3, 0.5}, {1, 0.25}, {2, 0.05}});
}

TEST(Floors, TheChainCountsOneAndTwoStepsAhead) {
  // After 1 came 2 and then 3: seen from 1 the next is worth 1, the one behind it a half.
  const Dataset data = data_of({{{kDay, 1, StepType::kPurchase}, {2 * kDay, 2, StepType::kPurchase}, {3 * kDay, 3, StepType::kPurchase}},
                                {{kDay, 1, StepType::kPurchase}},
                                {{kDay, 1, StepType::kPurchase}, {2 * kDay, 2, StepType::kPurchase}},
                                {{kDay, 0, StepType::kPurchase}, {2 * kDay, 3, StepType::kPurchase}}},
                               4);
  const Floors floors = Floors::fit(data, {3 * kDay});
  const double from_1 = std::sqrt(2.5);  // 1→2 twice, 1→3 at half weight
  expect_scores(floors.markov(data.histories[1], {3 * kDay}), {{2, 2 / from_1}, {3, 0.5 / from_1}});
  // Last item 2 at full weight, the one before at 0.7.
  expect_scores(floors.markov(data.histories[2], {3 * kDay}), {{3, 1.0 + 0.7 * 0.5 / from_1}, {2, 0.7 * 2 / from_1}});
  EXPECT_TRUE(floors.markov(data.histories[3], {kDay}).empty());
  EXPECT_TRUE(floors.markov(History{}, {3 * kDay}).empty());
  // As of day 2 nobody knows what comes on day 3.
  expect_scores(Floors::fit(data, {2 * kDay}).markov(data.histories[1], {2 * kDay}), {{2, 2 / std::sqrt(2.0)}});
}

}  // namespace
}  // namespace beckon::features
