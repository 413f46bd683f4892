#pragma once
// What may be said of a campaign, and what its sizes can show at all. Pure functions, thread-safe.

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "beckon/base/clock.h"
#include "beckon/measure/measure.h"

namespace beckon::measure {

/// kHelps, kHarms: the interval excludes 0. kNotYet: the horizon is not over. kCannotTell: it is, and these sizes show nothing.
/// kNoControl: one of the groups has fewer than two customers, so nothing can ever be said.
enum class Verdict { kHelps, kHarms, kNotYet, kCannotTell, kNoControl };
std::string_view to_text(Verdict verdict);

struct JudgeOptions {
  base::Instant now;
  base::Instant planned_at;
  std::int64_t horizon_ms = 0;  ///< as stored in the plan, before the start
};

struct Judged {
  Verdict verdict = Verdict::kNoControl;
  std::int64_t days_left = 0;         ///< until the horizon is over
  double low = 0;                     ///< what the verdict rests on: before the end of the horizon an interval that may be looked at
  double high = 0;                    ///< every day (confidence sequence), at its end the interval of the lift itself
  double smallest_effect = 0;         ///< found with 80 % probability at the lift's error
  std::int64_t customers_needed = 0;  ///< in both groups together, split as they are, to find an effect as large as the difference seen
};

/// May be asked every day: of campaigns without effect at most 1 % get a wrong verdict before the horizon (99 % confidence sequence) and
/// 5 % at it (the lift's own interval, once).
Judged judge(const Lift& lift, const JudgeOptions& options);

/// How a metric was spread over the audience in the past, over a window as long as the horizon.
struct PastMetric {
  double mean = 0;
  double deviation = 0;
  std::int64_t customers = 0;
};
PastMetric past_metric(const std::vector<double>& value_per_customer);

struct SizeQuestion {
  PastMetric past;
  std::int64_t treated = 0;     ///< customers of the two groups to be compared
  std::int64_t control = 0;
  double expected_effect = 0;   ///< per customer, in the metric's unit; 0: nobody says
};
struct SizeAdvice {
  double smallest_effect = 0;            ///< shown with 80 % probability by a two-sided test at 5 %; infinite without a control, or where nobody did anything in the past
  double smallest_share_of_mean = 0;     ///< the same over the past mean; 0 when that is 0
  std::optional<double> control_share;   ///< the smallest share of these customers in the control that shows expected_effect
  std::int64_t customers_needed = 0;     ///< when no share does: customers in both groups together, at the best split; 0: enough
};
SizeAdvice advise(const SizeQuestion& question);

}  // namespace beckon::measure
