#include "ages.h"

#include "judgement.h"

#include <algorithm>
#include <array>
#include <map>

#include "beckon/events/clean.h"

namespace beckon::engine {
namespace {

// First click by a person on each delivery of a person's window.
void add_click_waits(std::span<const events::Event> window, base::Instant now, std::vector<measure::Waiting>& out) {
  const auto machine = events::machine_answers(window);
  std::map<std::string_view, std::pair<std::int64_t, std::int64_t>> by_delivery;  // delivered, clicked
  for (std::size_t i = 0; i < window.size(); ++i) {
    const events::Event& event = window[i];
    if (event.delivery.empty() || machine[i] != 0) {
      continue;
    }
    if (event.type == events::EventType::kDelivered) {
      by_delivery.emplace(event.delivery, std::pair{event.at.ms, measure::Waiting::kNotYet});
    } else if (event.type == events::EventType::kClick) {
      const auto found = by_delivery.find(event.delivery);
      if (found != by_delivery.end() && found->second.second == measure::Waiting::kNotYet) {
        found->second.second = event.at.ms;
      }
    }
  }
  for (const auto& [delivery, at] : by_delivery) {
    const auto& [delivered_ms, clicked_ms] = at;
    out.push_back({now.ms - delivered_ms, clicked_ms == measure::Waiting::kNotYet ? clicked_ms : clicked_ms - delivered_ms});
  }
}

base::Json returns_json(const measure::ReturnCurve& returns) {
  base::Json categories = base::Json::array();
  for (const auto& [name, category] : returns.categories()) {
    categories.push_back({{"category", name}, {"lines", category.lines}, {"returned", category.returned}, {"rate", category.rate}});
  }
  return {{"rate", returns.rate()}, {"returns", returns.delay().answers()}, {"median_days", static_cast<double>(returns.delay().median_ms()) / base::kDayMs},
          {"ripe_days", static_cast<double>(returns.delay().ripe_ms()) / base::kDayMs}, {"categories", categories}};
}

// Week after week, as far as at least some customers' week is over.
base::Result<base::Json> weekly(const Context& context, const Planned& planned, const measure::ReturnCurve* returns) {
  const base::Instant now = context.clock->now();
  const std::int64_t watched = measure::weeks_to_watch(planned.campaign.starts, planned.campaign.ends);
  const auto metric = returns != nullptr ? measure::Metric::kNetMargin : measure::Metric::kMargin;
  base::Json rows = base::Json::array();
  std::vector<measure::Outcome> before;
  for (std::int64_t week = 1; week <= watched; ++week) {
    BECKON_TRY(auto until, outcomes_of(context, planned, week * measure::kWeekMs, {now, returns}));
    const measure::WeekLift one = measure::week_lift({week, until, before, now}, metric);
    if (one.so_far.treated_count + one.so_far.control_count == 0) {
      break;
    }
    rows.push_back({{"week", week}, {"waiting", one.waiting}, {"lift", lift_json(one.lift)}, {"so_far", lift_json(one.so_far)}});
    before = std::move(until);
  }
  const double end_week = static_cast<double>(std::max<std::int64_t>(0, planned.campaign.ends.ms - planned.file.made_at.ms)) / measure::kWeekMs;
  return base::Json{{"weeks_watched", watched}, {"end_week", end_week}, {"metric", std::string(measure::to_text(metric))}, {"weeks", rows}};
}

// The campaign as it was known 30, 60 and 90 days after its end, and as it is known now: later returns change what was profit.
base::Result<base::Json> restated(const Context& context, const Planned& planned, const Ages& ages) {
  const base::Instant now = context.clock->now();
  base::Json rows = base::Json::array();
  for (const std::int64_t days : {30, 60, 90, -1}) {
    const base::Instant seen = days < 0 ? now : planned.campaign.ends.plus_ms(days * base::kDayMs);
    if (now < seen) {
      continue;
    }
    const auto returns = ages.sales.as_of(seen);
    BECKON_TRY(const auto outcomes, outcomes_of(context, planned, 0, {seen, returns.ok() ? &*returns : nullptr}));
    rows.push_back({{"days_after_end", days}, {"as_of", base::format_time(seen)}, {"returns_known", returns.ok()},
                    {"margin", lift_json(measure::audience_lift(outcomes, measure::Metric::kMargin))},
                    {"net_margin", lift_json(measure::audience_lift(outcomes, measure::Metric::kNetMargin))}});
  }
  return rows;
}

base::Result<measure::CategoryOf> categories_of(const Context& context) {
  BECKON_TRY(const auto items, store::Shelf(*context.rows).items());
  measure::CategoryOf out;
  for (const auto& item : items) {
    out[item.id.str()] = item.top_category();
  }
  return out;
}

}  // namespace

std::vector<measure::Waiting> click_waits(const features::History& history, base::Instant now) {
  std::vector<measure::Waiting> out;
  for (const auto& message : history.messages) {
    out.push_back({now.ms - message.at_ms, message.clicked_ms > 0 ? message.clicked_ms - message.at_ms : measure::Waiting::kNotYet});
  }
  return out;
}

measure::DelayCurve click_delay(const features::Dataset& data, base::Instant now) {
  std::vector<measure::Waiting> all;
  for (const auto& history : data.histories) {
    const auto own = click_waits(history, now);
    all.insert(all.end(), own.begin(), own.end());
  }
  return measure::DelayCurve::fit(all).value_or(measure::DelayCurve());
}

base::Result<measure::ReturnCurve> returns_of(const Context& context) {
  BECKON_TRY(measure::CategoryOf category_of, categories_of(context));
  measure::ReturnBook sales(std::move(category_of));
  BECKON_TRY_STATUS(store::for_each_person(*context.rows, context.clock->now(), [&](const privacy::Pseudonym&, std::vector<events::Event>& window) {
    sales.add(window);
    return !context.stop;
  }));
  return sales.as_of(context.clock->now());
}

base::Result<Ages> ages_of(const Context& context, const Planned& planned) {
  BECKON_TRY(measure::CategoryOf category_of, categories_of(context));
  Ages out;
  out.sales = measure::ReturnBook(std::move(category_of));
  const base::Instant now = context.clock->now();
  std::vector<measure::Waiting> clicks;
  BECKON_TRY_STATUS(store::for_each_person(*context.rows, now, [&](const privacy::Pseudonym&, std::vector<events::Event>& window) {
    out.sales.add(window);
    add_click_waits(window, now, clicks);
    return !context.stop;
  }));
  measure::DelayOptions options;
  options.horizon_ms = planned.campaign.attribution_days * base::kDayMs;
  out.clicks = measure::DelayCurve::fit(clicks, options).value_or(measure::DelayCurve());
  return out;
}

base::Result<base::Json> ages_json(const Context& context, const Planned& planned, const Ages& ages) {
  const auto returns = ages.sales.as_of(context.clock->now());
  base::Json out;
  BECKON_TRY(out["weekly"], weekly(context, planned, returns.ok() ? &*returns : nullptr));
  BECKON_TRY(out["restated"], restated(context, planned, ages));
  out["returns"] = returns.ok() ? returns_json(*returns) : base::Json{{"unknown", returns.error().message}};
  out["click_delay"] = {{"clicks", ages.clicks.answers()}, {"median_hours", static_cast<double>(ages.clicks.median_ms()) / base::kHourMs},
                        {"ripe_hours", static_cast<double>(ages.clicks.ripe_ms()) / base::kHourMs}};
  return out;
}

}  // namespace beckon::engine
