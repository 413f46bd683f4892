#include "beckon/measure/returns.h"

#include <algorithm>

#include "beckon/events/clean.h"

namespace beckon::measure {
namespace {

constexpr double kBeliefLines = 20;

std::string category_name(const CategoryOf& category_of, const std::string& item) {
  const auto found = category_of.find(item);
  return found == category_of.end() ? std::string() : found->second;
}

}  // namespace

double ReturnCurve::still_to_come(const std::string& item, std::int64_t age_ms) const {
  const auto found = categories_.find(category_name(category_of_, item));
  const double rate = found == categories_.end() ? rate_ : found->second.rate;
  const double come = delay_.come_by(age_ms);
  const double kept = 1 - rate * come;
  return kept > 0 ? rate * (1 - come) / kept : 0;
}

std::size_t ReturnBook::category(const std::string& item) {
  return numbers_.emplace(category_name(category_of_, item), numbers_.size()).first->second;
}

void ReturnBook::add(std::span<const events::Event> window) {
  const auto pairs = events::pair_refunds(window);
  for (const auto& taken : pairs.taken) {
    const events::Event& purchase = window[taken.purchase];
    parts_.push_back({purchase.at.ms, window[taken.refund].at.ms, category(purchase.item)});
  }
  for (std::size_t i = 0; i < window.size(); ++i) {
    if (window[i].type == events::EventType::kPurchase && pairs.kept_quantity[i] > 0) {
      parts_.push_back({window[i].at.ms, Waiting::kNotYet, category(window[i].item)});
    }
  }
}

base::Result<ReturnCurve> ReturnBook::as_of(base::Instant moment) const {
  std::vector<Waiting> all;
  std::vector<std::vector<Waiting>> by_category(numbers_.size());
  for (const Part& part : parts_) {
    if (part.at_ms > moment.ms || part.at_ms < moment.ms - kLookBackMs) {
      continue;
    }
    const bool returned = part.returned_ms != Waiting::kNotYet && part.returned_ms <= moment.ms;
    all.push_back({moment.ms - part.at_ms, returned ? part.returned_ms - part.at_ms : Waiting::kNotYet});
    by_category[part.category].push_back(all.back());
  }
  ReturnCurve curve;
  DelayOptions options;
  options.horizon_ms = kHorizonMs;
  const auto returned = std::count_if(all.begin(), all.end(), [](const Waiting& one) { return one.after_ms != Waiting::kNotYet; });
  auto delay = DelayCurve::fit(all, options);
  if (!delay.ok()) {
    return base::failed_precondition("of " + std::to_string(all.size()) + " sales of a year " + std::to_string(returned) + " came back, " +
                                     std::to_string(options.answers_min) + " returns are needed");
  }
  curve.delay_ = std::move(delay).value();
  curve.category_of_ = category_of_;
  curve.rate_ = ripe_rate(all, curve.delay_).rate.estimate;
  for (const auto& [name, number] : numbers_) {
    const RipeRate own = ripe_rate(by_category[number], curve.delay_);
    const double rate = (static_cast<double>(own.answers) + kBeliefLines * curve.rate_) / (own.exposure + kBeliefLines);
    curve.categories_[name] = {static_cast<std::int64_t>(by_category[number].size()), own.answers, std::min(1.0, rate)};
  }
  return curve;
}

}  // namespace beckon::measure
