#include "beckon/measure/verdict.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "beckon/stats/experiment.h"
#include "beckon/stats/stats.h"

namespace beckon::measure {
namespace {

constexpr double kLevelBefore = 0.99;  // of looks before the horizon

}  // namespace

std::string_view to_text(Verdict verdict) {
  static constexpr std::array<std::string_view, 5> kNames{"helps", "harms", "not yet", "cannot tell at this size", "no control group"};
  return kNames.at(static_cast<std::size_t>(verdict));
}

Judged judge(const Lift& lift, const JudgeOptions& options) {
  Judged out;
  if (!lift.known) {
    return out;
  }
  const std::int64_t left_ms = options.planned_at.plus_ms(options.horizon_ms).ms - options.now.ms;
  out.days_left = left_ms <= 0 ? 0 : (left_ms + base::kDayMs - 1) / base::kDayMs;
  out.low = lift.low;
  out.high = lift.high;
  if (out.days_left > 0) {
    const auto sequence = stats::confidence_sequence(lift.difference, lift.std_error, lift.treated_count + lift.control_count,
                                                     {.level = kLevelBefore});
    out.low = sequence.low;
    out.high = sequence.high;
  }
  out.smallest_effect = stats::minimum_detectable_effect(lift.std_error);
  // The error shrinks with the root of the customers, the split staying as it is.
  const double times = lift.difference == 0 ? 0 : std::pow(out.smallest_effect / lift.difference, 2);
  const double needed = times * static_cast<double>(lift.treated_count + lift.control_count);
  out.customers_needed = needed < 1e12 ? static_cast<std::int64_t>(std::ceil(needed)) : 0;
  const double rounding = 1e-9 * lift.std_error;  // a permuted interval may end at 0 by a hair
  out.verdict = out.low > rounding ? Verdict::kHelps : out.high < -rounding ? Verdict::kHarms : out.days_left > 0 ? Verdict::kNotYet : Verdict::kCannotTell;
  return out;
}

PastMetric past_metric(const std::vector<double>& value_per_customer) {
  const auto moments = stats::Moments::of(value_per_customer);
  return {moments.mean, std::sqrt(std::max(0.0, moments.variance())), moments.count};
}

SizeAdvice advise(const SizeQuestion& question) {
  SizeAdvice out;
  const auto treated = static_cast<double>(question.treated);
  const auto control = static_cast<double>(question.control);
  const double all = treated + control;
  if (question.treated == 0 || question.control == 0 || question.past.deviation == 0) {  // nobody did anything: nothing to judge by
    out.smallest_effect = std::numeric_limits<double>::infinity();
  } else {
    out.smallest_effect = stats::minimum_detectable_effect(question.past.deviation * std::sqrt(1 / treated + 1 / control));
    out.smallest_share_of_mean = question.past.mean == 0 ? 0 : out.smallest_effect / std::abs(question.past.mean);
  }
  const double effect = std::abs(question.expected_effect);
  if (effect == 0 || question.past.deviation == 0 || all == 0) {
    return out;
  }
  // smallest effect = k · deviation / √(all · share · (1 - share)); solved for the share.
  const double unit = stats::minimum_detectable_effect(question.past.deviation) / effect;
  const double product = unit * unit / all;  // share · (1 - share) must reach it
  if (product <= 0.25) {
    out.control_share = (1 - std::sqrt(1 - 4 * product)) / 2;
  } else {
    out.customers_needed = static_cast<std::int64_t>(std::ceil(std::min(1e15, 4 * unit * unit)));
  }
  return out;
}

}  // namespace beckon::measure
