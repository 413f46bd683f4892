// Last week's sales would look better than they are, or sales that were only pulled forward would be sold as growth, if these broke.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "beckon/base/rng.h"
#include "beckon/measure/weekly.h"

namespace beckon::measure {
namespace {

constexpr std::int64_t kPlannedMs = 1'750'000'000'000;

const privacy::KeyRing& ring() {
  static const privacy::KeyRing kRing = privacy::KeyRing::make(std::string(32, 'k'), 1).value();
  return kRing;
}

struct Buyer {
  events::Decision decision;
  events::Delivery delivery;
  std::vector<events::Event> window;

  Buyer(int number, events::Group group, const std::string& offer) {
    decision.customer = ring().pseudonym("user" + std::to_string(number));
    decision.campaign = "spring";
    decision.at.ms = kPlannedMs;
    decision.group = group;
    decision.chosen = true;
    decision.offer = offer;
    delivery.id = "d" + std::to_string(number);
    delivery.state = group == events::Group::kHoldout ? events::DeliveryState::kHeld : events::DeliveryState::kAccepted;
  }
  void add(double days, events::EventType type, const std::string& item = "") {
    events::Event event;
    event.customer = decision.customer;
    event.at.ms = kPlannedMs + static_cast<std::int64_t>(days * base::kDayMs);
    event.type = type;
    event.item = item;
    event.delivery = type == events::EventType::kClick ? delivery.id : "";
    event.unit_price = base::Money(10'000, base::Currency::parse("EUR").value());
    window.push_back(event);
  }
  std::vector<Outcome> observed(const OutcomeOptions& options) {
    std::stable_sort(window.begin(), window.end(), [](const auto& a, const auto& b) { return a.at < b.at; });
    return observe({&decision, 1}, window, {&delivery, 1}, options);
  }
};

double after(double median_days, base::Rng& rng) { return -median_days * std::log2(1 - rng.uniform()); }

// "dress" clicks at once, and 65 % of it comes back; "book" clicks with a median of five days, and 5 % comes back. Together about 25 %
// of what is bought returns, with a median of ten days.
struct Shelf {
  const char* item;
  double click_median_days, buys, returns;
};
constexpr Shelf kDress{"dress", .1, .30, .65};
constexpr Shelf kBook{"book", 5, .24, .05};
constexpr double kReturnMedianDays = 10;

void live(const Shelf& shelf, base::Rng& rng, Buyer& buyer) {
  const double clicks = after(shelf.click_median_days, rng);
  if (!rng.chance(.4)) {
    return;
  }
  buyer.add(clicks, events::EventType::kClick);
  if (rng.chance(shelf.buys / .4)) {
    buyer.add(clicks + .05, events::EventType::kPurchase, shelf.item);
    if (rng.chance(shelf.returns)) {
      buyer.add(clicks + .05 + after(kReturnMedianDays, rng), events::EventType::kRefund, shelf.item);
    }
  }
}

// Half a year of sales before the plan, of all ages: what the shop can learn returns from.
ReturnBook past_sales(base::Rng& rng) {
  ReturnBook book({{"dress", "Fashion"}, {"book", "Books"}});
  for (int i = 0; i < 6000; ++i) {
    Buyer buyer(i, events::Group::kTreated, "");
    const Shelf& shelf = rng.chance(.35) ? kDress : kBook;
    const double bought = -180 * rng.uniform();
    buyer.add(bought, events::EventType::kPurchase, shelf.item);
    if (rng.chance(shelf.returns)) {
      buyer.add(bought + after(kReturnMedianDays, rng), events::EventType::kRefund, shelf.item);
    }
    std::stable_sort(buyer.window.begin(), buyer.window.end(), [](const auto& a, const auto& b) { return a.at < b.at; });
    book.add(buyer.window);
  }
  return book;
}

struct Verdict {
  double early_clicks = 0, margin_so_far = 0, net_margin = 0, margin_in_the_end = 0;
};

Verdict judge(const std::string& offer, std::vector<Buyer>& buyers, const ReturnCurve& returns) {
  OutcomeOptions early;
  early.attribution_ms = 14 * base::kDayMs;
  early.as_of.ms = kPlannedMs + 2 * base::kDayMs;
  OutcomeOptions now = early;
  now.as_of.ms = kPlannedMs + 7 * base::kDayMs;
  now.returns = &returns;
  OutcomeOptions end = early;
  end.as_of.ms = kPlannedMs + 365 * base::kDayMs;
  Verdict out;
  std::vector<Outcome> today;
  std::vector<Outcome> finally;
  for (auto& buyer : buyers) {
    if (buyer.decision.offer != offer) {
      continue;
    }
    out.early_clicks += buyer.observed(early).front().clicked ? 1 : 0;
    today.push_back(buyer.observed(now).front());
    finally.push_back(buyer.observed(end).front());
  }
  out.margin_so_far = chosen_lift(today, Metric::kMargin, offer).difference;
  out.net_margin = chosen_lift(today, Metric::kNetMargin, offer).difference;
  out.margin_in_the_end = chosen_lift(finally, Metric::kMargin, offer).difference;
  return out;
}

TEST(Ages, TheOfferThatClicksFastAndReturnsMuchDoesNotWin) {
  // Ranked by what has come so far it would get the whole budget, and the refunds would arrive after it was spent.
  base::Rng rng(11);
  const ReturnCurve returns = past_sales(rng).as_of({kPlannedMs}).value();
  EXPECT_NEAR(returns.rate(), .25, .03);
  EXPECT_NEAR(returns.categories().at("Fashion").rate, kDress.returns, .04);
  EXPECT_NEAR(returns.categories().at("Books").rate, kBook.returns, .02);
  EXPECT_NEAR(static_cast<double>(returns.delay().median_ms()) / base::kDayMs, kReturnMedianDays, 1);
  std::vector<Buyer> buyers;
  for (int i = 0; i < 12'000; ++i) {
    const auto group = i % 4 < 2 ? events::Group::kHoldout : events::Group::kTreated;
    const Shelf& shelf = i % 2 == 0 ? kDress : kBook;
    Buyer& buyer = buyers.emplace_back(i, group, shelf.item);
    if (group == events::Group::kTreated) {
      live(shelf, rng, buyer);
    }
  }
  const Verdict dress = judge("dress", buyers, returns);
  const Verdict book = judge("book", buyers, returns);
  for (const Verdict* one : {&dress, &book}) {
    RecordProperty(one == &dress ? "dress" : "book", std::to_string(one->early_clicks) + " clicks by day 2, margin so far " + std::to_string(one->margin_so_far) +
                                                          ", net " + std::to_string(one->net_margin) + ", in the end " + std::to_string(one->margin_in_the_end));
  }
  EXPECT_GT(dress.early_clicks, 2 * book.early_clicks);
  EXPECT_GT(dress.margin_so_far, book.margin_so_far);
  EXPECT_LT(dress.net_margin, book.net_margin);
  EXPECT_LT(dress.margin_in_the_end, book.margin_in_the_end);
  EXPECT_NEAR(dress.net_margin, dress.margin_in_the_end, 120);
  EXPECT_GT(dress.margin_so_far - dress.margin_in_the_end, 200) << "so far it looks much better than it ends";
}

TEST(Ages, WhatIsStillToComeShrinksWithAgeAndIsUnknownWithoutReturns) {
  // A purchase kept for three months is sold; expecting its return for ever would hide the profit.
  base::Rng rng(12);
  const ReturnCurve returns = past_sales(rng).as_of({kPlannedMs}).value();
  EXPECT_NEAR(returns.still_to_come("dress", 0), kDress.returns, .04);
  EXPECT_NEAR(returns.still_to_come("dress", 10 * base::kDayMs), .325 / .675, .06);
  EXPECT_NEAR(returns.still_to_come("dress", 90 * base::kDayMs), 0, .001);
  EXPECT_NEAR(returns.still_to_come("never sold", 0), returns.rate(), 1e-9);
  EXPECT_FALSE(ReturnBook({}).as_of({kPlannedMs}).ok());
}

// Everybody buys about once in ten weeks; a message makes half of those who would buy in weeks 2 to 4 buy in week 1 instead, or, in
// another world, adds purchases in week 1.
struct Shift {
  double pulled = 0, added = 0;
};
std::vector<Buyer> shoppers(const Shift& shift, base::Rng& rng) {
  std::vector<Buyer> out;
  for (int i = 0; i < 800; ++i) {
    Buyer& buyer = out.emplace_back(i, i % 2 == 0 ? events::Group::kTreated : events::Group::kHoldout, "ten");
    const bool treated = buyer.decision.group == events::Group::kTreated;
    for (int week = 0; week < 8; ++week) {
      const bool pulls = rng.chance(shift.pulled) && treated && week >= 1 && week <= 3;
      if (rng.chance(.1)) {
        buyer.add(7 * (pulls ? 0 : week) + .1 + 6.8 * rng.uniform(), events::EventType::kPurchase, "wine");
      }
    }
    if (rng.chance(shift.added) && treated) {
      buyer.add(.1 + 6.8 * rng.uniform(), events::EventType::kPurchase, "wine");
    }
  }
  return out;
}

std::vector<WeekLift> by_week(std::vector<Buyer>& buyers, base::Instant as_of, std::int64_t weeks) {
  std::vector<WeekLift> out;
  std::vector<Outcome> before;
  for (std::int64_t week = 1; week <= weeks; ++week) {
    OutcomeOptions options;
    options.attribution_ms = week * kWeekMs;
    options.as_of = as_of;
    std::vector<Outcome> until;
    for (auto& buyer : buyers) {
      until.push_back(buyer.observed(options).front());
    }
    out.push_back(week_lift({week, until, before, as_of}, Metric::kPurchases));
    before = std::move(until);
  }
  return out;
}

TEST(Ages, AWorldThatOnlyPullsForwardEndsAtZero) {
  // Week 1 alone shows a success where nothing was sold that would not have been sold a month later.
  int first_week_seen = 0;
  int zero_held = 0;
  double last = 0;
  constexpr int kWorlds = 24;
  for (int world = 0; world < kWorlds; ++world) {
    base::Rng rng(21, static_cast<std::uint64_t>(world));
    auto buyers = shoppers({.5, 0}, rng);
    const auto weeks = by_week(buyers, {kPlannedMs + 8 * kWeekMs}, 8);
    first_week_seen += weeks.front().lift.low > 0 ? 1 : 0;
    zero_held += weeks.back().so_far.low <= 0 && weeks.back().so_far.high >= 0 ? 1 : 0;
    last += weeks.back().so_far.difference / kWorlds;
    double sum = 0;
    for (const auto& week : weeks) {
      sum += week.lift.difference;
    }
    ASSERT_NEAR(sum, weeks.back().so_far.difference, 1e-9) << "the weeks must add up to the whole";
  }
  EXPECT_GE(first_week_seen, 21);
  EXPECT_GE(zero_held, 20);  // 95 % of 24, less 2.6 standard errors
  EXPECT_NEAR(last, 0, .04);
  RecordProperty("first_week_seen", first_week_seen);
  RecordProperty("zero_held", zero_held);
  base::Rng rng(22);
  auto buyers = shoppers({0, .3}, rng);
  EXPECT_GT(by_week(buyers, {kPlannedMs + 8 * kWeekMs}, 8).back().so_far.low, 0) << "an effect that stays must not vanish";
}

TEST(Ages, AWeekThatIsNotOverComparesNobody) {
  // Half a week of some customers beside a whole one of others would show a drop that is only a date.
  base::Rng rng(23);
  auto buyers = shoppers({0, .3}, rng);
  for (std::size_t i = 0; i < buyers.size(); i += 4) {
    buyers[i].decision.at.ms += 3 * base::kDayMs;  // planned later
  }
  const auto weeks = by_week(buyers, {kPlannedMs + 2 * kWeekMs}, 3);
  EXPECT_EQ(weeks[0].waiting, 0);
  EXPECT_EQ(weeks[1].waiting, 200);
  EXPECT_EQ(weeks[1].lift.treated_count + weeks[1].lift.control_count, 600);
  EXPECT_EQ(weeks[2].waiting, 800);
  EXPECT_FALSE(weeks[2].lift.known);
}

TEST(Ages, ADayThatIsNotOverIsMarkedAndAWholeOneIsNot) {
  // Yesterday's half of the clicks beside last week's would read as a message that got worse.
  base::Rng rng(24);
  std::vector<Waiting> past;
  for (int i = 0; i < 4000; ++i) {
    const auto clicked = static_cast<std::int64_t>(after(1, rng) * base::kDayMs);
    past.push_back({60 * base::kDayMs, rng.chance(.3) ? clicked : Waiting::kNotYet});
  }
  const DelayCurve clicks = DelayCurve::fit(past).value();
  std::vector<Outcome> outcomes(40);
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    outcomes[i].decision.customer = ring().pseudonym("user" + std::to_string(i));
    outcomes[i].decision.chosen = true;
    outcomes[i].sent = true;
    outcomes[i].sent_at.ms = kPlannedMs - (i < 30 ? 10 : 1) * base::kDayMs;
  }
  const auto day = [](const Outcome& outcome) { return base::format_date(outcome.sent_at); };
  const auto by_day = slices(outcomes, day, {&clicks, {kPlannedMs}, 7 * base::kDayMs});
  ASSERT_EQ(by_day.size(), 2U);
  EXPECT_TRUE(by_day[0].complete);
  EXPECT_FALSE(by_day[1].complete);
  EXPECT_NEAR(by_day[1].complete_share, .5, .03);
  const auto unknown = slices(outcomes, day, {nullptr, {kPlannedMs}, 7 * base::kDayMs});
  EXPECT_TRUE(unknown[0].complete) << "its window is over";
  EXPECT_FALSE(unknown[1].complete);
}

TEST(Ages, AsManyWeeksAfterTheEndAsItLasted) {
  // A watch that stops at the end of the campaign never sees what was only pulled forward.
  EXPECT_EQ(weeks_to_watch({0}, {4 * kWeekMs}), 8);
  EXPECT_EQ(weeks_to_watch({0}, {4 * kWeekMs + 1}), 9);
  EXPECT_EQ(weeks_to_watch({0}, {0}), 2);
  EXPECT_EQ(weeks_to_watch({0}, {400 * kWeekMs}), 52);
}

}  // namespace
}  // namespace beckon::measure
