#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "beckon/measure/measure.h"
#include "beckon/stats/stats.h"

namespace beckon::measure {
namespace {

struct Groups {
  std::vector<double> treated;
  std::vector<double> control;
};

bool same_customer(const Outcome* last, const Outcome& outcome) {
  return last != nullptr && last->decision.customer == outcome.decision.customer;
}

// What a further message of the same customer adds: what he bought is in the first already.
double further_value_of(const Outcome& outcome, Metric metric) {
  if (metric == Metric::kMargin) {
    return static_cast<double>(outcome.margin_minor - outcome.goods_margin_minor);
  }
  return metric == Metric::kItemPurchases ? value_of(outcome, metric) : 0;
}

enum class Side { kNeither, kTreated, kControl };

// One value a customer, of those messages that belong to a side.
template <class SideOf>
Groups split(std::span<const Outcome> outcomes, Metric metric, const SideOf& side_of) {
  Groups groups;
  const Outcome* last = nullptr;
  for (const auto& outcome : outcomes) {
    const Side side = is_addressed(outcome.decision) ? side_of(outcome.decision) : Side::kNeither;
    if (side == Side::kNeither) {
      continue;
    }
    auto& values = side == Side::kControl ? groups.control : groups.treated;
    if (same_customer(last, outcome)) {
      values.back() += further_value_of(outcome, metric);
    } else {
      values.push_back(value_of(outcome, metric));
    }
    last = &outcome;
  }
  return groups;
}

Lift compare(std::string name, const Groups& groups) {
  const auto treated = stats::Moments::of(groups.treated);
  const auto control = stats::Moments::of(groups.control);
  Lift lift;
  lift.name = std::move(name);
  lift.treated_count = treated.count;
  lift.control_count = control.count;
  lift.treated_mean = treated.mean;
  lift.control_mean = control.mean;
  lift.difference = treated.mean - control.mean;
  const auto variance_of_mean = [](const stats::Moments& m) { return m.count == 0 ? 0 : m.variance() / static_cast<double>(m.count); };
  lift.std_error = std::sqrt(variance_of_mean(treated) + variance_of_mean(control));
  const auto interval = stats::permuted_difference_of_means(groups.treated, groups.control);
  lift.known = interval.ok();
  if (interval.ok()) {
    lift.low = interval->low;
    lift.high = interval->high;
  }
  return lift;
}

}  // namespace

std::string_view to_text(Metric metric) {
  static constexpr std::array<std::string_view, 5> kNames{"conversion", "purchases", "revenue", "margin", "item_purchases"};
  return kNames.at(static_cast<std::size_t>(metric));
}

double value_of(const Outcome& outcome, Metric metric) {
  switch (metric) {
    case Metric::kConversion:
      return outcome.purchases > 0 ? 1 : 0;
    case Metric::kPurchases:
      return static_cast<double>(outcome.purchases);
    case Metric::kRevenue:
      return static_cast<double>(outcome.revenue_minor);
    case Metric::kMargin:
      return static_cast<double>(outcome.margin_minor);
    case Metric::kItemPurchases:
      return static_cast<double>(outcome.item_purchases);
  }
  return 0;
}

bool is_addressed(const events::Decision& decision) {
  static const std::set<std::string, std::less<>> kOutside{"flagged_as_bot", "not_active", "too_few_purchases", "not_in_audience", "no_consent"};
  return decision.chosen || !kOutside.contains(decision.reason);
}

Leakage leakage(std::span<const Outcome> outcomes) {
  Leakage out;
  bool counted = false;
  const Outcome* last = nullptr;
  for (const auto& outcome : outcomes) {
    if (!events::is_held_out(outcome.decision.group)) {
      continue;
    }
    const bool same = same_customer(std::exchange(last, &outcome), outcome);
    out.held_out += same ? 0 : 1;
    counted = same && counted;
    out.leaked += outcome.leaked && !counted ? 1 : 0;
    counted = counted || outcome.leaked;
  }
  return out;
}

std::int64_t count_customers(std::span<const Outcome> outcomes) {
  const Outcome* last = nullptr;
  return std::count_if(outcomes.begin(), outcomes.end(), [&](const Outcome& outcome) {
    return !same_customer(std::exchange(last, &outcome), outcome);
  });
}

Lift audience_lift(std::span<const Outcome> outcomes, Metric metric) {
  return compare("audience", split(outcomes, metric, [](const events::Decision& decision) {
    switch (decision.group) {
      case events::Group::kHoldout:
        return Side::kControl;
      case events::Group::kTreated:
      case events::Group::kRandom:
        return Side::kTreated;
      default:
        return Side::kNeither;
    }
  }));
}

Lift group_lift(std::span<const Outcome> outcomes, Metric metric, events::Group group, events::Group against) {
  return compare(std::string(events::to_text(group)), split(outcomes, metric, [&](const events::Decision& decision) {
    return decision.group == group ? Side::kTreated : decision.group == against ? Side::kControl : Side::kNeither;
  }));
}

Lift chosen_lift(std::span<const Outcome> outcomes, Metric metric, const std::string& offer) {
  return compare(offer.empty() ? "chosen" : offer, split(outcomes, metric, [&](const events::Decision& decision) {
    if (!decision.chosen || (!offer.empty() && decision.offer != offer)) {
      return Side::kNeither;
    }
    return decision.group == events::Group::kTreated   ? Side::kTreated
           : decision.group == events::Group::kHoldout ? Side::kControl
                                                       : Side::kNeither;
  }));
}

std::vector<Slice> slices(std::span<const Outcome> outcomes, const std::function<std::string(const Outcome&)>& key) {
  std::map<std::string, Slice> by_name;
  std::map<std::string, const privacy::Pseudonym*> last_buyer;  // what a customer bought counts once a slice
  for (const auto& outcome : outcomes) {
    if (!outcome.decision.chosen || events::is_held_out(outcome.decision.group)) {
      continue;
    }
    const std::string name = key(outcome);
    Slice& slice = by_name[name];
    ++slice.planned;
    slice.sent += outcome.sent ? 1 : 0;
    slice.delivered += outcome.delivered ? 1 : 0;
    slice.opened += outcome.opened ? 1 : 0;
    slice.clicked += outcome.clicked ? 1 : 0;
    const privacy::Pseudonym*& buyer = last_buyer[name];
    if (outcome.sent && (buyer == nullptr || *buyer != outcome.decision.customer)) {
      buyer = &outcome.decision.customer;
      slice.converted += outcome.purchases > 0 ? 1 : 0;
      slice.revenue_minor += outcome.revenue_minor;
    }
    slice.attributed_minor += outcome.attributed_minor;
    slice.promotion_minor += outcome.promotion_minor;
    slice.unsubscribed += outcome.unsubscribed ? 1 : 0;
  }
  std::vector<Slice> out;
  for (auto& [name, slice] : by_name) {
    slice.name = name;
    const auto rate = stats::wilson({slice.clicked, slice.sent});
    slice.click_rate_low = rate.low;
    slice.click_rate_high = rate.high;
    out.push_back(std::move(slice));
  }
  return out;
}

double sample_ratio_p_value(std::span<const Outcome> outcomes, const Layers& layers) {
  const auto shares = group_shares(layers);
  std::vector<std::int64_t> counts(shares.size(), 0);
  const Outcome* last = nullptr;
  for (const auto& outcome : outcomes) {
    counts[static_cast<std::size_t>(outcome.decision.group)] += same_customer(std::exchange(last, &outcome), outcome) ? 0 : 1;
  }
  std::vector<std::int64_t> seen;
  std::vector<double> intended;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    if (shares[i] > 0) {  // a group that was not asked for has no share to miss
      seen.push_back(counts[i]);
      intended.push_back(shares[i]);
    }
  }
  return seen.size() < 2 ? 1.0 : stats::sample_ratio(seen, intended).p_value;
}

}  // namespace beckon::measure
