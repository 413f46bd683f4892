// A campaign would send the wrong message through the wrong channel if learned click and purchase chances were off, or knew the future.
#include "beckon/response/candidate_response.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "beckon/base/rng.h"
#include "beckon/features/sequence.h"
#include "beckon/stats/stats.h"

namespace beckon::response {
namespace {

constexpr std::int64_t kDay = base::kDayMs;
constexpr base::Instant kNow{1000 * kDay};
constexpr std::int64_t kWeek = 7 * kDay;
constexpr std::int32_t kItems = 20;

struct World {
  features::Dataset data;
  std::vector<SentMessage> messages;
};

// Everybody has two favourites that he buys every few days. E-mails at eight in the evening are clicked by 45 %, anything else by 6 %.
double click_truth(const Approach& approach) {
  return approach.channel == features::MessageChannel::kEmail && approach.hour == 20 ? .45 : .06;
}

World make_world(std::size_t customers, std::uint64_t seed) {
  World world;
  std::vector<std::string> items;
  for (int i = 1; i <= kItems; ++i) {
    items.push_back("item" + std::to_string(i));
  }
  world.data.vocabulary = features::Vocabulary(items);
  world.data.first_ms = kNow.ms - 70 * kDay;
  world.data.last_ms = kNow.ms + 20 * kDay;
  base::Rng rng(seed);
  for (std::size_t c = 0; c < customers; ++c) {
    features::History history;
    const std::array<std::int32_t, 2> favourites{static_cast<std::int32_t>(1 + rng.below(kItems)), static_cast<std::int32_t>(1 + rng.below(kItems))};
    for (std::int64_t at = world.data.first_ms + static_cast<std::int64_t>(rng.below(5 * kDay)); at < world.data.last_ms;
         at += kDay + static_cast<std::int64_t>(rng.below(6 * kDay))) {
      features::Step step;
      step.at_ms = at;
      step.token = rng.chance(.8) ? favourites[rng.below(2)] : static_cast<std::int32_t>(1 + rng.below(kItems));
      step.type = features::StepType::kPurchase;
      history.steps.push_back(step);
    }
    for (int m = 0; m < 14; ++m) {
      SentMessage message;
      message.history = c;
      message.at = {kNow.ms - 60 * kDay + static_cast<std::int64_t>(rng.below(70 * kDay))};
      message.token = static_cast<std::int32_t>(1 + rng.below(kItems));
      message.approach = {catalog::OfferKind::kNone, 0, rng.chance(.5) ? features::MessageChannel::kEmail : features::MessageChannel::kPush,
                          rng.chance(.5) ? 20 : 8, true};
      message.clicked_ms = rng.chance(click_truth(message.approach)) ? message.at.ms + 1 : 0;
      world.messages.push_back(message);
    }
    world.data.histories.push_back(std::move(history));
  }
  return world;
}

model::Model network() {
  model::ModelOptions options;
  options.tokens = kItems + 1;
  options.side_sizes = features::side_sizes();
  options.heads = features::kHeads;
  options.width = 16;
  options.layers = 1;
  options.length_max = 12;
  return model::Model::make(options, 3).value();
}

TEST(CandidateResponse, FindsChannelAndHourAndItsProbabilitiesHold) {
  base::ThreadExecutor executor(2);
  const World world = make_world(900, 5);
  const auto weights = network();
  const auto fitted = fit_candidate_response(world.data, weights, world.messages, {kNow, kWeek}, executor);
  ASSERT_TRUE(fitted.ok()) << fitted.error().message;
  ASSERT_TRUE(fitted->knows(kClicks));
  ASSERT_TRUE(fitted->knows(kBuysItem));
  for (const auto& approach : {Approach{catalog::OfferKind::kNone, 0, features::MessageChannel::kEmail, 20, true},
                               Approach{catalog::OfferKind::kNone, 0, features::MessageChannel::kEmail, 8, true},
                               Approach{catalog::OfferKind::kNone, 0, features::MessageChannel::kPush, 20, true}}) {
    std::vector<Ask> asks;
    for (const auto& history : world.data.histories) {
      asks.push_back({&history, kNow, 1 + static_cast<std::int32_t>(asks.size()) % kItems, approach});
    }
    const auto chances = probabilities(*fitted, {&weights, kClicks}, asks, executor);
    const double mean = std::accumulate(chances.begin(), chances.end(), 0.0) / static_cast<double>(chances.size());
    EXPECT_NEAR(mean, click_truth(approach), click_truth(approach) > .2 ? .1 : .04) << approach.hour;
  }
  const auto judged = judge_candidate_response(*fitted, world.data, weights, world.messages, {kNow, kWeek}, executor);
  EXPECT_GT(stats::auc(judged.predicted[kBuysItem], judged.outcome[kBuysItem]), .75);
  EXPECT_LT(stats::expected_calibration_error(stats::reliability_table(judged.predicted[kBuysItem], judged.outcome[kBuysItem])), .03);
}

TEST(CandidateResponse, WhatComesAfterwardsChangesNoBit) {
  base::ThreadExecutor executor(2);
  World world = make_world(200, 9);
  const auto weights = network();
  const auto before = fit_candidate_response(world.data, weights, world.messages, {kNow, kWeek}, executor).value();
  for (auto& history : world.data.histories) {
    for (auto& step : history.steps) {
      step.token = step.at_ms > kNow.ms ? 1 + (step.token + 7) % kItems : step.token;
    }
  }
  for (auto& message : world.messages) {
    const bool open = message.at.ms > kNow.ms - kWeek;  // not over yet as of now; and a click after the horizon is none for the others
    message.clicked_ms = open ? (message.clicked_ms > 0 ? 0 : message.at.ms + 1) : message.clicked_ms > 0 ? message.clicked_ms : message.at.ms + kWeek + 1;
  }
  const auto after = fit_candidate_response(world.data, weights, world.messages, {kNow, kWeek}, executor).value();
  EXPECT_TRUE(std::equal(before.heads.weights().begin(), before.heads.weights().end(), after.heads.weights().begin()));
}

TEST(CandidateResponse, WithoutMessagesClicksAreNotKnown) {
  base::ThreadExecutor executor(2);
  const World world = make_world(200, 9);
  const auto fitted = fit_candidate_response(world.data, network(), {}, {kNow, kWeek}, executor).value();
  EXPECT_FALSE(fitted.knows(kClicks));
  EXPECT_TRUE(fitted.knows(kBuysItem));
}

}  // namespace
}  // namespace beckon::response
