#include "beckon/measure/weekly.h"

#include <algorithm>

#include "beckon/base/check.h"

namespace beckon::measure {
namespace {

void take_off(const Outcome& before, Outcome& outcome) {
  BECKON_CHECK(before.decision.customer == outcome.decision.customer && before.decision.slot == outcome.decision.slot);
  outcome.purchases -= before.purchases;
  outcome.item_purchases -= before.item_purchases;
  outcome.revenue_minor -= before.revenue_minor;
  outcome.goods_margin_minor -= before.goods_margin_minor;
  outcome.margin_minor -= before.margin_minor;
  outcome.promotion_minor -= before.promotion_minor;
  outcome.returns_ahead_revenue_minor -= before.returns_ahead_revenue_minor;
  outcome.returns_ahead_margin_minor -= before.returns_ahead_margin_minor;
}

}  // namespace

std::int64_t weeks_to_watch(base::Instant starts, base::Instant ends) {
  const std::int64_t lasted_ms = std::max<std::int64_t>(0, ends.ms - starts.ms);
  return std::clamp<std::int64_t>((2 * lasted_ms + kWeekMs - 1) / kWeekMs, 2, 52);
}

WeekLift week_lift(const WeekView& view, Metric metric) {
  BECKON_CHECK(view.week == 1 ? view.until_start.empty() : view.until_start.size() == view.until_end.size());
  std::vector<Outcome> over;
  std::vector<Outcome> alone;
  std::vector<Outcome> waiting;
  for (std::size_t i = 0; i < view.until_end.size(); ++i) {
    const Outcome& outcome = view.until_end[i];
    if (view.as_of < outcome.decision.at.plus_ms(view.week * kWeekMs)) {
      waiting.push_back(outcome);
      continue;
    }
    over.push_back(outcome);
    alone.push_back(outcome);
    if (view.week > 1) {
      take_off(view.until_start[i], alone.back());
    }
  }
  WeekLift out;
  out.week = view.week;
  out.waiting = count_customers(waiting);
  out.lift = audience_lift(alone, metric);
  out.so_far = audience_lift(over, metric);
  return out;
}

}  // namespace beckon::measure
