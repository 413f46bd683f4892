#include "beckon/measure/verdict.h"

#include <gtest/gtest.h>

#include <cmath>

#include "beckon/base/rng.h"

namespace beckon::measure {
namespace {

constexpr std::int64_t kHorizonDays = 28;
constexpr int kCustomers = 900;

privacy::Pseudonym customer(int i) {
  static const privacy::KeyRing kRing = privacy::KeyRing::make(std::string(32, 'k'), 1).value();
  return kRing.pseudonym("user" + std::to_string(i));
}

// Customers who buy now and then over the horizon; the treated more often by `effect` purchases.
class Campaign {
 public:
  Campaign(std::uint64_t seed, double effect) : rng_(seed), effect_(effect) {
    for (int i = 0; i < kCustomers; ++i) {
      Outcome outcome;
      outcome.decision.customer = customer(i);
      outcome.decision.group = i % 3 == 0 ? events::Group::kHoldout : events::Group::kTreated;
      outcomes_.push_back(outcome);
    }
  }
  void live_a_day() {
    for (auto& outcome : outcomes_) {
      const double extra = outcome.decision.group == events::Group::kTreated ? effect_ / kHorizonDays : 0;
      if (rng_.chance(0.5 / kHorizonDays + extra)) {
        outcome.margin_minor += 200 + static_cast<std::int64_t>(rng_.below(3000));
      }
    }
  }
  Judged judged(std::int64_t day) const {
    JudgeOptions options;
    options.now = base::Instant{day * base::kDayMs};
    options.horizon_ms = kHorizonDays * base::kDayMs;
    return judge(audience_lift(outcomes_, Metric::kMargin), options);
  }

 private:
  base::Rng rng_;
  double effect_;
  std::vector<Outcome> outcomes_;
};

struct Count {
  int before = 0;  ///< a verdict that something changed, before the horizon
  int at_end = 0;
};

Count verdicts(int campaigns, double effect) {
  Count count;
  for (int c = 0; c < campaigns; ++c) {
    Campaign campaign(static_cast<std::uint64_t>(c) + 1, effect);
    bool said = false;
    for (std::int64_t day = 1; day <= kHorizonDays; ++day) {
      campaign.live_a_day();
      if (day % 7 == 0 || day == kHorizonDays) {
        const Verdict verdict = campaign.judged(day).verdict;
        const bool change = verdict == Verdict::kHelps || verdict == Verdict::kHarms;
        said = said || (change && day < kHorizonDays);
        count.at_end += change && day == kHorizonDays ? 1 : 0;
        EXPECT_EQ(verdict == Verdict::kNotYet, !change && day < kHorizonDays);
      }
    }
    count.before += said ? 1 : 0;
  }
  return count;
}

TEST(Judge, WhoLooksEveryFewDaysIsNotFooled) {
  // A marketer who stops at the first good day would call one campaign in four a success that changed nothing.
  constexpr int kCampaigns = 200;
  const Count count = verdicts(kCampaigns, 0);
  EXPECT_LE(count.before, kCampaigns * 2 / 100);
  EXPECT_LE(count.at_end, kCampaigns * 8 / 100);
}

TEST(Judge, AnEffectThatTheSizesCanShowIsFoundAtTheHorizon) {
  // A verdict that is always "cannot tell" would never be wrong either.
  EXPECT_GE(verdicts(40, 0.35).at_end, 36);
}

TEST(Judge, SaysHowManyDaysAreLeftAndHowManyCustomersItWouldTake) {
  // "Not yet" without a date is no answer, and "cannot tell" without a size none that helps next time.
  Lift lift;
  lift.known = true;
  lift.treated_count = 800;
  lift.control_count = 200;
  lift.difference = 10;
  lift.std_error = 10;
  lift.low = -9.6;
  lift.high = 29.6;
  const JudgeOptions early{base::Instant{25 * base::kDayMs + 1}, base::Instant{0}, kHorizonDays * base::kDayMs};
  EXPECT_EQ(judge(lift, early).verdict, Verdict::kNotYet);
  EXPECT_EQ(judge(lift, early).days_left, 3);
  const JudgeOptions late{base::Instant{28 * base::kDayMs}, base::Instant{0}, kHorizonDays * base::kDayMs};
  const Judged judged = judge(lift, late);
  EXPECT_EQ(judged.verdict, Verdict::kCannotTell);
  EXPECT_NEAR(judged.smallest_effect, 28.0, 0.1);  // 10 · (1.96 + 0.84)
  EXPECT_NEAR(static_cast<double>(judged.customers_needed), 1000 * 7.85, 10);
  lift.known = false;
  EXPECT_EQ(judge(lift, late).verdict, Verdict::kNoControl);
}

TEST(Advise, TheProposedControlIsJustLargeEnough) {
  // A holdout that is too small shows nothing, one that is too large gives sales away.
  SizeQuestion question{{500, 2000, 10'000}, 9000, 1000, 300};
  const SizeAdvice advice = advise(question);
  EXPECT_NEAR(advice.smallest_effect, 2.8016 * 2000 * std::sqrt(1 / 9000.0 + 1 / 1000.0), 0.1);
  EXPECT_NEAR(advice.smallest_share_of_mean, advice.smallest_effect / 500, 1e-9);
  ASSERT_TRUE(advice.control_share.has_value());
  question.control = std::llround(10'000 * *advice.control_share);
  question.treated = 10'000 - question.control;
  EXPECT_NEAR(advise(question).smallest_effect, 300, 2);
  EXPECT_EQ(advice.customers_needed, 0);
}

TEST(Advise, WhenNoShareIsEnoughItSaysHowManyCustomersAre) {
  // Then a longer horizon or a larger audience is the only way; a share would be a lie.
  SizeQuestion question{{500, 2000, 100}, 90, 10, 300};
  const SizeAdvice advice = advise(question);
  EXPECT_FALSE(advice.control_share.has_value());
  question.treated = question.control = advice.customers_needed / 2;
  EXPECT_NEAR(advise(question).smallest_effect, 300, 2);
  question.control = 0;
  EXPECT_TRUE(std::isinf(advise(question).smallest_effect));
}

}  // namespace
}  // namespace beckon::measure
