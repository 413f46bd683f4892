// A campaign that was sent yesterday would be judged by what has come so far, and the offer that clicks fast would win, if these broke.
#include "beckon/measure/delay.h"

#include <gtest/gtest.h>

#include <cmath>

#include "beckon/base/rng.h"

namespace beckon::measure {
namespace {

constexpr double kMedianDays = 5;

struct Sending {
  int count = 0;
  double rate = 0;
  double days_old_min = 0, days_old_max = 0;
};

// Exponential delay with the stated median, cut at the horizon as the estimator does; ages spread evenly.
std::vector<Waiting> send(const Sending& sending, base::Rng& rng) {
  std::vector<Waiting> out;
  for (int i = 0; i < sending.count; ++i) {
    const double age = sending.days_old_min + rng.uniform() * (sending.days_old_max - sending.days_old_min);
    const double after = -kMedianDays * std::log2(1 - rng.uniform());
    Waiting one{static_cast<std::int64_t>(age * base::kDayMs), Waiting::kNotYet};
    if (rng.uniform() < sending.rate && after <= age) {
      one.after_ms = static_cast<std::int64_t>(after * base::kDayMs);
    }
    out.push_back(one);
  }
  return out;
}

TEST(Delay, TheMedianOfFiveDaysIsFoundThoughHalfIsStillOpen) {
  // Taken from the answers alone, the median of a young shop would be far too short: the slow ones have not come.
  base::Rng rng(1);
  const auto waiting = send({20'000, .3, 0, 45}, rng);
  const auto curve = DelayCurve::fit(waiting);
  ASSERT_TRUE(curve.ok());
  EXPECT_NEAR(static_cast<double>(curve->median_ms()) / base::kDayMs, kMedianDays, .4);
  EXPECT_NEAR(curve->plateau(), .3 * (1 - std::exp2(-30 / kMedianDays)), .01);
  EXPECT_EQ(curve->known_ms(), 30 * base::kDayMs);
  EXPECT_NEAR(curve->come_by(5 * base::kDayMs), .5, .02);
  EXPECT_EQ(curve->come_by(31 * base::kDayMs), 1);
}

TEST(Delay, AHalfRipeRateHoldsTheTruthWhereTheNaiveOneDoesNot) {
  // The report would show half of the clicks as if they were all, or an interval that is too sure of the rest.
  constexpr int kWorlds = 1000;
  const double truth = .12 * (1 - std::exp2(-30 / kMedianDays));  // within the horizon
  int held = 0;
  int naive_held = 0;
  double sum = 0;
  for (int world = 0; world < kWorlds; ++world) {
    base::Rng rng(7, static_cast<std::uint64_t>(world));
    const auto before = send({2000, .12, 0, 60}, rng);
    const auto now = send({1000, .12, 1, 6}, rng);
    const auto curve = DelayCurve::fit(before).value();
    const RipeRate ripe = ripe_rate(now, curve);
    sum += ripe.rate.estimate;
    held += ripe.rate.low <= truth && truth <= ripe.rate.high ? 1 : 0;
    const auto naive = stats::wilson({ripe.answers, static_cast<std::int64_t>(now.size())});
    naive_held += naive.low <= truth && truth <= naive.high ? 1 : 0;
  }
  RecordProperty("held", held);
  EXPECT_NEAR(sum / kWorlds, truth, .003);
  EXPECT_GE(held, 930);
  EXPECT_LE(held, 970);
  EXPECT_LE(naive_held, 10);
}

TEST(Delay, WhatTooFewAnswersOrNoAgeCanSayIsSaid) {
  // A rate of 0 with an interval of width 0 would stop an offer that nobody can have answered yet.
  base::Rng rng(3);
  const auto few = DelayCurve::fit(send({30, .3, 20, 40}, rng));
  ASSERT_FALSE(few.ok());
  EXPECT_NE(few.error().message.find("20 are needed"), std::string::npos);
  const auto curve = DelayCurve::fit(send({5000, .3, 0, 45}, rng)).value();
  const std::vector<Waiting> fresh(50, Waiting{0, Waiting::kNotYet});
  const RipeRate nothing_yet = ripe_rate(fresh, curve);
  EXPECT_EQ(nothing_yet.rate.low, 0);
  EXPECT_EQ(nothing_yet.rate.high, 1);
  EXPECT_EQ(nothing_yet.complete_share, 0);
  EXPECT_EQ(ripe_rate(fresh, DelayCurve()).complete_share, 1) << "without a curve everything counts as come, as before";
  EXPECT_EQ(DelayCurve().ripe_ms(), 0);
}

TEST(Delay, AYoungShopKnowsItsCurveOnlyAsFarAsItIsOld) {
  // Reading the end of a ten-day-old file as "nothing comes later" without saying so would hide the slow half.
  base::Rng rng(4);
  const auto curve = DelayCurve::fit(send({4000, .3, 0, 10}, rng)).value();
  EXPECT_LE(curve.known_ms(), 10 * base::kDayMs);
  EXPECT_GE(curve.known_ms(), 9 * base::kDayMs);
}

}  // namespace
}  // namespace beckon::measure
