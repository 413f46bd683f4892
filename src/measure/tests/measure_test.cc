#include "beckon/measure/measure.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "beckon/base/rng.h"

namespace beckon::measure {
namespace {

const privacy::KeyRing& ring() {
  static const privacy::KeyRing kRing = privacy::KeyRing::make(std::string(32, 'k'), 1).value();
  return kRing;
}
privacy::Pseudonym customer(int i) { return ring().pseudonym("user" + std::to_string(i)); }
base::Money euro(std::int64_t minor) { return {minor, base::Currency::parse("EUR").value()}; }

events::Event event_at(std::int64_t ms, events::EventType type, const std::string& item = "") {
  events::Event event;
  event.at.ms = ms;
  event.type = type;
  event.item = item;
  event.unit_price = euro(1000);
  return event;
}

TEST(Measure, TheWindowStartsAtTheDecisionAndRefundsAreTakenBack) {
  // Counting purchases from before the plan, or ones that were sent back, would invent sales.
  events::Decision decision;
  decision.at.ms = 1000;
  decision.item = "wine";
  decision.campaign = "spring";
  decision.chosen = true;
  std::vector<events::Event> window{
      event_at(900, events::EventType::kPurchase, "wine"),  event_at(2000, events::EventType::kPurchase, "wine"),
      event_at(3000, events::EventType::kPurchase, "beer"), event_at(3500, events::EventType::kRefund, "beer"),
      event_at(1000 + 8 * base::kDayMs, events::EventType::kPurchase, "wine")};
  OutcomeOptions options;
  options.as_of.ms = 1'000'000'000'000;
  options.cost_minor["wine"] = 600;
  const Outcome outcome = observe({&decision, 1}, window, {}, options).front();
  EXPECT_EQ(outcome.purchases, 1);
  EXPECT_EQ(outcome.revenue_minor, 1000);
  EXPECT_EQ(outcome.margin_minor, 400);
  EXPECT_EQ(outcome.item_purchases, 1);
  EXPECT_EQ(outcome.attributed_minor, 0);
}

TEST(Measure, ACouponOfAMessageThatWasSentAttributesTheSale) {
  // The shop must see which sales came back with its codes, and what the discount cost it.
  events::Decision decision;
  decision.at.ms = 1000;
  decision.item = "wine";
  decision.face_minor = 150;
  decision.send_cost_micro = 200'000;
  events::Delivery delivery;
  delivery.state = events::DeliveryState::kAccepted;
  delivery.code = "TEN";
  delivery.id = "d1";
  events::Event bought = event_at(5000, events::EventType::kPurchase, "wine");
  bought.coupon = "TEN";
  events::Event opened = event_at(4000, events::EventType::kOpen);
  opened.delivery = "d1";
  events::Event other = event_at(4500, events::EventType::kClick);
  other.delivery = "somebody else's";
  const std::vector<events::Event> window{opened, other, bought};
  OutcomeOptions options;
  options.as_of.ms = 1'000'000'000'000;
  const Outcome outcome = observe({&decision, 1}, window, {&delivery, 1}, options).front();
  EXPECT_TRUE(outcome.opened);
  EXPECT_FALSE(outcome.clicked);
  EXPECT_TRUE(outcome.redeemed);
  EXPECT_EQ(outcome.attributed_minor, 1000);
  EXPECT_EQ(outcome.promotion_minor, 151);  // 1.50 and 0.002, rounded up
}

TEST(Measure, ADiscountCountsOnceWhetherThePriceShowsItOrNot) {
  // Charged twice, every coupon that worked looks like a loss; not at all, a coupon looks free.
  events::Decision decision;
  decision.at.ms = 1000;
  decision.item = "wine";
  decision.price_minor = 1000;
  decision.face_minor = 150;
  events::Delivery delivery;
  delivery.state = events::DeliveryState::kAccepted;
  delivery.code = "TEN";
  delivery.id = "d1";
  OutcomeOptions options;
  options.as_of.ms = 1'000'000'000'000;
  options.cost_minor["wine"] = 600;
  events::Event bought = event_at(5000, events::EventType::kPurchase, "wine");
  bought.coupon = "TEN";
  for (const std::int64_t price_minor : {850, 1000}) {  // what was paid, or the price before the code
    bought.unit_price = euro(price_minor);
    const Outcome outcome = observe({&decision, 1}, {&bought, 1}, {&delivery, 1}, options).front();
    EXPECT_EQ(outcome.margin_minor, 250) << price_minor;
    EXPECT_EQ(outcome.promotion_minor, 150) << price_minor;
  }
}

TEST(Measure, APushThatWasSeenCountsAsOpened) {
  // Push services report no "opened"; without this the column is empty for half of the channels.
  events::Decision decision;
  decision.at.ms = 1000;
  decision.campaign = "spring";
  events::Delivery delivery;
  delivery.id = "d1";
  events::Event seen = event_at(4000, events::EventType::kImpression);
  seen.delivery = "d1";
  events::Event banner = event_at(4000, events::EventType::kImpression);
  banner.campaign = "spring";
  OutcomeOptions options;
  options.as_of.ms = 1'000'000'000'000;
  EXPECT_TRUE(observe({&decision, 1}, {&seen, 1}, {&delivery, 1}, options).front().opened);
  EXPECT_FALSE(observe({&decision, 1}, {&banner, 1}, {&delivery, 1}, options).front().opened);
}

// One world without any effect: everybody buys by his own taste; the plan picks the likeliest buyers.
std::vector<Outcome> world_without_effect(std::uint64_t seed) {
  static const std::vector<privacy::Pseudonym> people = [] {
    std::vector<privacy::Pseudonym> out;
    for (int i = 0; i < 1500; ++i) {
      out.push_back(customer(i));
    }
    return out;
  }();
  base::Rng rng(seed);
  std::vector<Outcome> outcomes;
  for (int i = 0; i < 1500; ++i) {
    const double taste = rng.uniform();
    Outcome outcome;
    outcome.decision.customer = people[static_cast<std::size_t>(i)];
    const double draw = rng.uniform();
    outcome.decision.group = draw < 0.2 ? events::Group::kHoldout : draw < 0.25 ? events::Group::kRandom : events::Group::kTreated;
    outcome.decision.chosen = taste > 0.6;
    outcome.decision.offer = taste > 0.8 ? "ten" : "none";
    outcome.sent = outcome.decision.chosen && outcome.decision.group != events::Group::kHoldout && rng.chance(0.9);
    outcome.purchases = rng.poisson(taste * taste);
    outcome.revenue_minor = outcome.purchases * static_cast<std::int64_t>(rng.below(5000));
    outcomes.push_back(outcome);
  }
  return outcomes;
}

TEST(Measure, AWorldWithoutEffectShowsNoLift) {
  // "We picked people who buy" must never be shown as "we made them buy", neither overall nor by offer.
  int audience = 0;
  int chosen = 0;
  int by_offer = 0;
  constexpr int kRuns = 500;
  for (int run = 0; run < kRuns; ++run) {
    const auto outcomes = world_without_effect(static_cast<std::uint64_t>(run));
    const auto holds = [](const Lift& lift) { return lift.known && lift.low <= 0 && lift.high >= 0 ? 1 : 0; };
    audience += holds(audience_lift(outcomes, Metric::kRevenue));
    chosen += holds(chosen_lift(outcomes, Metric::kConversion));
    by_offer += holds(chosen_lift(outcomes, Metric::kRevenue, "ten"));
  }
  EXPECT_GE(audience, kRuns * 93 / 100);
  EXPECT_GE(chosen, kRuns * 93 / 100);
  EXPECT_GE(by_offer, kRuns * 93 / 100);
}

TEST(Measure, ATrueEffectIsFound) {
  // A comparison that never finds anything would pass the test above.
  auto outcomes = world_without_effect(7);
  base::Rng rng(99);
  for (auto& outcome : outcomes) {
    if (outcome.decision.group != events::Group::kHoldout && outcome.decision.chosen && rng.chance(0.5)) {
      outcome.purchases += 1;
      outcome.revenue_minor += 3000;
    }
  }
  const Lift lift = chosen_lift(outcomes, Metric::kRevenue);
  EXPECT_GT(lift.low, 0);
  EXPECT_LT(lift.low, 1500 * 1.3);
  EXPECT_GT(lift.high, 1500 * 0.7);
}

TEST(Measure, ABrokenSplitIsSeen) {
  // A lift computed on a split that lost customers on one side is worthless; it must be visible.
  auto outcomes = world_without_effect(3);
  EXPECT_GT(sample_ratio_p_value(outcomes, {.holdout = 0.2, .random = 0.05, .salt = "spring"}), 0.001);
  std::erase_if(outcomes, [](const Outcome& o) { return o.decision.group == events::Group::kHoldout && o.decision.chosen; });
  EXPECT_LT(sample_ratio_p_value(outcomes, {.holdout = 0.2, .random = 0.05, .salt = "spring"}), 0.001);
}

}  // namespace
}  // namespace beckon::measure
