// The model would be trained to guess the basket it already sees, or judged on it, if one of these broke.
#include "beckon/features/sequence.h"

#include <gtest/gtest.h>

#include <set>

#include "world.h"

namespace beckon::features {
namespace {

constexpr std::int64_t kMinute = base::kMinuteMs;
constexpr std::int64_t kHorizon = 7 * kDay;

History history_with(const std::vector<Step>& steps) {
  History history;
  history.customer = World::customer("ann");
  history.steps = steps;
  return history;
}

SequenceOptions training(base::Instant as_of, base::Instant target_until) {
  SequenceOptions options;
  options.as_of = as_of;
  options.target_until = target_until;
  options.horizon_ms = kHorizon;
  return options;
}

// Moment 1: tea (1) and mug (2) bought; moment 2: a view of 3, then 4 bought; moment 3: a view of 5.
History three_moments() {
  return history_with({{kDay, 1, StepType::kPurchase}, {kDay + kMinute, 2, StepType::kPurchase},
                       {3 * kDay, 3, StepType::kView}, {3 * kDay + 20 * kMinute, 4, StepType::kPurchase},
                       {20 * kDay, 5, StepType::kView}});
}

Message message(std::int64_t at_ms, bool clicked) {
  Message out;
  out.at_ms = at_ms;
  out.clicked_ms = clicked ? at_ms + 1 : 0;
  return out;
}

TEST(Sequence, TargetsComeFromTheNextMomentPurchasesFirst) {
  // Recommending what already lies in the basket is what a naive next-item target teaches.
  const auto sequence = make_sequence(three_moments(), training({100 * kDay}, {100 * kDay}));
  EXPECT_EQ(sequence.token, (std::vector<std::int32_t>{1, 2, 3, 4, 5}));
  EXPECT_EQ(sequence.target, (std::vector<std::int32_t>{4, 4, 5, 5, 0}));
  // purchase within 7 days, click: position 2 and 3 → next purchase never
  EXPECT_EQ(sequence.label, (std::vector<std::int8_t>{1, -1, 1, -1, 0, -1, 0, -1, 0, -1}));
}

TEST(Sequence, LabelsAreUnknownWhereTheHorizonPassesTheEnd) {
  // "Did not buy" about days that nobody has seen teaches that recent customers never buy.
  const History history = three_moments();
  const std::int64_t last = 20 * kDay;
  SequenceOptions options = training({100 * kDay}, {last + kHorizon});
  EXPECT_EQ(make_sequence(history, options).label[4 * kHeads], 0);
  options.target_until.ms -= 1;
  EXPECT_EQ(make_sequence(history, options).label[4 * kHeads], -1);
  // At the end of moment 1 seven days reach to day 8; a purchase behind target_until is not peeked at either.
  options.target_until = {kDay + kMinute + kHorizon};
  EXPECT_EQ(make_sequence(history, options).label[0], 1);
  options.target_until.ms -= 1;
  EXPECT_EQ(make_sequence(history, options).label[0], -1);
  // No target from behind target_until.
  options.target_until = {3 * kDay - 1};
  EXPECT_EQ(make_sequence(history, options).target, (std::vector<std::int32_t>{0, 0, 0, 0, 0}))
      << "the next moment lies behind the end";
}

TEST(Sequence, ServingAsksOnlyAtTheEnd) {
  // A validation sequence with targets inside would be judged on what it was trained on.
  SequenceOptions options = training({3 * kDay + 20 * kMinute}, {40 * kDay});
  options.targets_inside = false;
  const auto sequence = make_sequence(three_moments(), options);
  EXPECT_EQ(sequence.token, (std::vector<std::int32_t>{1, 2, 3, 4}));
  EXPECT_EQ(std::vector(sequence.target.begin(), sequence.target.begin() + 2), (std::vector<std::int32_t>{0, 0}));
  EXPECT_EQ(sequence.target.back(), 5);
  options.target_until = options.as_of;
  EXPECT_TRUE(make_sequence(three_moments(), options).target.empty());
  EXPECT_TRUE(make_sequence(three_moments(), options).label.empty());
}

TEST(Sequence, TheQuestionIsAskedAtTheNextMomentAndAtTheEndNow) {
  // A model that trained with other request times than it is served with would read the clock wrongly.
  SequenceOptions options = training({90 * kDay}, {90 * kDay});
  const auto steps = three_moments().steps;
  const auto sequence = make_sequence(three_moments(), options);
  ASSERT_EQ(sequence.at_ms.size(), sequence.length());
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const std::size_t next = moment_end(steps, i);
    EXPECT_EQ(sequence.at_ms[i], steps[i].at_ms);
    EXPECT_EQ(sequence.request_ms[i], next < steps.size() ? steps[next].at_ms : 90 * kDay);
  }
  // In serving the future does not tell when it comes; in training the target's own time is what was asked for.
  options.as_of = {3 * kDay + 20 * kMinute};
  EXPECT_EQ(make_sequence(three_moments(), options).request_ms.back(), steps.back().at_ms);
  options.targets_inside = false;
  EXPECT_EQ(make_sequence(three_moments(), options).request_ms.back(), options.as_of.ms);
}

TEST(Sequence, ClicksAreOfTheNextMessageOnceItsTimeIsOver) {
  // A message of yesterday that may still be clicked tomorrow is not "ignored".
  History history = history_with({{10 * kDay, 1, StepType::kView}});
  history.messages = {message(9 * kDay, true), message(11 * kDay, false), message(12 * kDay, true)};
  SequenceOptions options = training({10 * kDay}, {11 * kDay + kHorizon});
  EXPECT_EQ(make_sequence(history, options).label[kClickHead], 0);
  options.target_until.ms -= 1;
  EXPECT_EQ(make_sequence(history, options).label[kClickHead], -1);
  history.messages = {message(10 * kDay + kHorizon + 1, true)};
  options.target_until = {100 * kDay};
  EXPECT_EQ(make_sequence(history, options).label[kClickHead], -1);
  history.messages = {message(10 * kDay + kHorizon, true)};
  EXPECT_EQ(make_sequence(history, options).label[kClickHead], 1);
  history.messages.front().clicked_ms = history.messages.front().at_ms + kHorizon + 1;
  EXPECT_EQ(make_sequence(history, options).label[kClickHead], 0) << "a click after the horizon would make old messages look better than new ones";
}

TEST(Sequence, TargetsOfRandomHistoriesLieInTheNextMoment) {
  // The same promise for shapes nobody thought of.
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    base::Rng rng(seed);
    std::vector<Step> steps;
    std::int64_t at = kDay;
    for (std::uint64_t n = 2 + rng.below(30); n > 0; --n) {
      at += rng.chance(0.5) ? static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(kMomentGapMs)))
                            : kMomentGapMs + static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(5 * kDay)));
      steps.push_back({at, static_cast<std::int32_t>(rng.below(12)), rng.chance(0.4) ? StepType::kPurchase : StepType::kView});
    }
    const History history = history_with(steps);
    const auto sequence = make_sequence(history, training({at}, {at}));
    ASSERT_EQ(sequence.target.size(), steps.size());
    ASSERT_EQ(sequence.side.size(), steps.size() * side_sizes().size());
    for (std::size_t i = 0; i < sequence.side.size(); ++i) {
      ASSERT_GE(sequence.side[i], 0);
      ASSERT_LT(sequence.side[i], side_sizes()[i % side_sizes().size()]);
    }
    for (std::size_t i = 0; i < steps.size(); ++i) {
      const std::size_t next = moment_end(steps, i);
      std::set<std::int32_t> bought;
      std::set<std::int32_t> all;
      bool purchase = false;
      const std::size_t end = next < steps.size() ? moment_end(steps, next) : next;
      for (std::size_t k = next; k < end; ++k) {
        purchase = purchase || steps[k].type == StepType::kPurchase;
        (steps[k].type == StepType::kPurchase ? bought : all).insert(steps[k].token);
      }
      std::set<std::int32_t>& pool = purchase ? bought : all;
      pool.erase(0);
      EXPECT_EQ(sequence.target[i] == 0, pool.empty());
      EXPECT_TRUE(sequence.target[i] == 0 || pool.contains(sequence.target[i]));
    }
  }
}

TEST(Sequence, BasketsAreCutWhereTheyEnd) {
  // What next-basket figures are counted on.
  const History history = three_moments();
  EXPECT_EQ(next_basket(history, {kDay + kMinute}, {50 * kDay}), (std::vector<std::int32_t>{4}));
  EXPECT_EQ(next_basket(history, {kDay - 1}, {50 * kDay}), (std::vector<std::int32_t>{1, 2}));
  EXPECT_TRUE(next_basket(history, {4 * kDay}, {50 * kDay}).empty());  // nothing bought any more
  EXPECT_TRUE(next_basket(history, {kDay + kMinute}, {3 * kDay - 1}).empty());
  EXPECT_EQ(bought_between(history, {0}, {3 * kDay}), (std::vector<std::int32_t>{1, 2}));
  EXPECT_EQ(bought_between(history, {kDay}, {50 * kDay}), (std::vector<std::int32_t>{2, 4}));
  History viewer = history_with({{kDay, 3, StepType::kView}, {kDay + 1, 2, StepType::kView}, {9 * kDay, 1, StepType::kView}});
  EXPECT_EQ(next_basket(viewer, {0}, {50 * kDay}), (std::vector<std::int32_t>{2, 3}));
  EXPECT_EQ(moment_end(viewer.steps, 0), 2U);
  EXPECT_EQ(moment_end(viewer.steps, 2), 3U);
}

TEST(Sequence, TimeQuantilesAreWholeDays) {
  // A cut in the middle of a day would split a basket between training and test.
  Dataset data;
  data.histories.push_back(three_moments());
  EXPECT_EQ(time_quantile(data, 0).ms, kDay);
  EXPECT_EQ(time_quantile(data, 1).ms, 20 * kDay);
  EXPECT_EQ(time_quantile(data, 0.75).ms, 3 * kDay);
  EXPECT_EQ(time_quantile(Dataset{}, 0.5).ms, 0);
}

}  // namespace
}  // namespace beckon::features
