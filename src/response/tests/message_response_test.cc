#include "beckon/response/message_response.h"

#include <gtest/gtest.h>

#include <cmath>

#include "beckon/base/rng.h"
#include "beckon/stats/stats.h"

namespace beckon::response {
namespace {

constexpr std::int64_t kStartMs = 1'700'000'000'000;
constexpr CandidatePeriod kEnd{{kStartMs + 100 * base::kDayMs}, 7 * base::kDayMs};

catalog::Shop shop() {
  catalog::Shop out;
  for (const char* kind : {"none", "percent_off", "money_off", "free_shipping", "points"}) {
    out.priors[kind] = {0.03, 1.0, 0.0, 2.0, 200};
  }
  return out;
}

enum class World { kRatesOnly, kLinear, kTwisted };

// A shop whose customers click by a rule that is known.
struct Ledger {
  features::Dataset data;
  std::vector<SentMessage> messages;
  std::vector<double> truth;

  Ledger(World world, int customers, std::uint64_t seed) {
    const auto ring = privacy::KeyRing::make(std::string(32, 'k'), 1).value();
    base::Rng rng(seed);
    for (int c = 0; c < customers; ++c) {
      features::History history;
      history.customer = ring.pseudonym("user" + std::to_string(c));
      const auto bought = static_cast<int>(rng.below(20));
      for (int i = 0; i < bought; ++i) {
        features::Step step;
        step.at_ms = kStartMs - static_cast<std::int64_t>(bought - i) * 3 * base::kDayMs;
        step.type = features::StepType::kPurchase;
        step.token = 1 + static_cast<std::int32_t>(rng.below(5));
        history.steps.push_back(step);
      }
      for (int m = 0; m < 4; ++m) {
        SentMessage message;
        message.history = data.histories.size();
        message.at.ms = kStartMs + m * 10 * base::kDayMs;
        message.token = 1 + static_cast<std::int32_t>(rng.below(5));
        message.approach.offer = rng.chance(0.5) ? catalog::OfferKind::kPercentOff : catalog::OfferKind::kNone;
        message.approach.channel = rng.chance(0.5) ? features::MessageChannel::kPush : features::MessageChannel::kEmail;
        message.approach.hour = static_cast<int>(rng.below(24));
        message.approach.message = true;
        truth.push_back(chance(world, message, bought));
        message.clicked_ms = rng.chance(truth.back()) ? message.at.ms + base::kHourMs : 0;
        messages.push_back(message);
      }
      data.histories.push_back(std::move(history));
    }
  }

  static double chance(World world, const SentMessage& message, int bought) {
    const bool discount = message.approach.offer == catalog::OfferKind::kPercentOff;
    const bool push = message.approach.channel == features::MessageChannel::kPush;
    switch (world) {
      case World::kRatesOnly:
        return discount ? 0.10 : 0.05;
      case World::kLinear:
        return stats::sigmoid(-3.5 + 0.8 * std::log1p(bought) + (push ? 0.7 : 0));
      case World::kTwisted:
        return push == (bought > 9) ? 0.30 : 0.02;  // each alone says nothing
    }
    return 0;
  }

  MessageResponse fit(const catalog::Shop& stated, base::Executor* executor = nullptr) const {
    static const std::vector<std::uint16_t> kCategories{0, 1, 1, 2, 2, 3};
    return MessageResponse::fit({&data, messages, kEnd, kCategories, {}, &stated, executor}).value();
  }

  std::vector<Ask> asks() const {
    std::vector<Ask> out;
    for (const auto& message : messages) {
      out.push_back({&data.histories[message.history], message.at, message.token, message.approach});
    }
    return out;
  }
};

double mean_error(const std::vector<float>& predicted, const std::vector<double>& truth) {
  double sum = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    sum += std::abs(static_cast<double>(predicted[i]) - truth[i]);
  }
  return sum / static_cast<double>(truth.size());
}

TEST(MessageResponse, TheSimplestLearnerThatIsEnoughIsChosen) {
  // Trees on noise promise clicks that never come; rates where people differ write to the wrong ones.
  const catalog::Shop stated = shop();
  EXPECT_EQ(Ledger(World::kRatesOnly, 3000, 1).fit(stated).chosen(), "rates");
  EXPECT_EQ(Ledger(World::kLinear, 3000, 1).fit(stated).chosen(), "linear");
  EXPECT_EQ(Ledger(World::kTwisted, 3000, 1).fit(stated).chosen(), "trees");
}

TEST(MessageResponse, ItsAnswersAreNearTheTruthForCustomersItHasNotSeen) {
  // What counts is the next customer, not the ones it learned from.
  const catalog::Shop stated = shop();
  for (const auto& [world, bound] : {std::pair{World::kRatesOnly, 0.015}, {World::kLinear, 0.02}, {World::kTwisted, 0.03}}) {
    const MessageResponse learned = Ledger(world, 4000, 2).fit(stated);
    const Ledger others(world, 1000, 77);
    const auto answers = learned.clicks(others.asks(), {});
    EXPECT_LT(mean_error(answers, others.truth), bound) << learned.chosen();
    std::vector<double> predicted(answers.begin(), answers.end());
    std::vector<std::uint8_t> clicked;
    for (const auto& message : others.messages) {
      clicked.push_back(message.clicked_ms > 0 ? 1 : 0);
    }
    EXPECT_LT(stats::expected_calibration_error(stats::reliability_table(predicted, clicked)), 0.02);
    EXPECT_LT(stats::expected_calibration_error(stats::reliability_table(learned.predicted(), learned.outcome())), 0.015);
  }
}

TEST(MessageResponse, WithoutMessagesItSaysWhatTheShopStatesAndWithFewItMovesSlowly) {
  // One lucky click of three must not become 33 %.
  const catalog::Shop stated = shop();
  const Ledger people(World::kLinear, 50, 3);
  const MessageResponse nothing = MessageResponse::fit({&people.data, {}, kEnd, {}, {}, &stated, nullptr}).value();
  EXPECT_EQ(nothing.chosen(), "rates");
  EXPECT_NEAR(static_cast<double>(nothing.clicks(people.asks(), {}).front()), 0.03, 1e-6);
  ClickRates rates(stated);
  const ClickRates::Cell cell{catalog::OfferKind::kPercentOff, 1, 1};
  rates.add(cell, true);
  rates.add(cell, false);
  rates.add(cell, false);
  EXPECT_GT(rates.rate(cell), 0.03);
  EXPECT_LT(rates.rate(cell), 0.09);
  const ClickRates::Cell sibling{catalog::OfferKind::kPercentOff, 1, 2};
  const ClickRates::Cell stranger{catalog::OfferKind::kNone, 9, 3};
  EXPECT_GT(rates.rate(cell), rates.rate(sibling));
  EXPECT_GT(rates.rate(sibling), rates.rate(stranger));
}

TEST(MessageResponse, WhoHasClickedBeforeStandsOutEvenAmongFewMessages) {
  // With rates alone everybody of a segment would look the same, and the one who opens every mail would get no more than the others.
  const catalog::Shop stated = shop();
  Ledger people(World::kRatesOnly, 2, 3);
  for (int m = 0; m < 5; ++m) {
    const std::int64_t at_ms = kStartMs + m * base::kDayMs;
    people.data.histories[0].messages.push_back({at_ms, 0, 0, features::MessageChannel::kEmail, at_ms + base::kHourMs});
    people.data.histories[1].messages.push_back({at_ms, 0, 0, features::MessageChannel::kEmail, 0});
  }
  const MessageResponse rates = MessageResponse::fit({&people.data, {}, kEnd, {}, {}, &stated, nullptr}).value();
  const Ask keen{&people.data.histories[0], kEnd.as_of, 1, {}};
  const Ask cool{&people.data.histories[1], kEnd.as_of, 1, {}};
  const auto chance = rates.clicks(std::vector<Ask>{keen, cool}, {});
  EXPECT_NEAR(static_cast<double>(chance[0]), (5 + 20 * 0.03) / 25, 1e-6);
  EXPECT_NEAR(static_cast<double>(chance[1]), 20 * 0.03 / 25, 1e-6);
}

TEST(MessageResponse, WhatWasSentYesterdayTeachesNothing) {
  // Half of tomorrow's clicks are still to come: counted as "no", the newest offers would look the worst.
  const catalog::Shop stated = shop();
  Ledger ledger(World::kRatesOnly, 500, 5);
  const auto before = ledger.fit(stated);
  for (int i = 0; i < 400; ++i) {
    SentMessage late = ledger.messages[static_cast<std::size_t>(i)];
    late.at = kEnd.as_of.plus_ms(-base::kDayMs);
    late.clicked_ms = 0;
    ledger.messages.push_back(late);
  }
  EXPECT_EQ(before.outcome().size(), ledger.fit(stated).outcome().size());
}

TEST(MessageResponse, SameBitsOnAnyExecutor) {
  // A plan that depends on the number of cores cannot be explained twice.
  const catalog::Shop stated = shop();
  const Ledger ledger(World::kTwisted, 1500, 4);
  base::ThreadExecutor threads(2);
  const auto alone = ledger.fit(stated);
  const auto shared = ledger.fit(stated, &threads);
  EXPECT_EQ(alone.chosen(), shared.chosen());
  EXPECT_EQ(alone.clicks(ledger.asks(), {}), shared.clicks(ledger.asks(), {}));
}

}  // namespace
}  // namespace beckon::response
