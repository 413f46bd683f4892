#pragma once
// What an experiment needs beside the intervals of intervals.h: strata, winsorising, power, and the A/A replay.

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "beckon/base/executor.h"
#include "beckon/base/result.h"
#include "beckon/stats/intervals.h"

namespace beckon::stats {

struct WinsorLimits {
  double low = 0;
  double high = 0;
};
/// Quantiles (type 7) of finite values; take them over all arms together, or the limits would depend on the effect.
WinsorLimits winsor_limits(std::span<const double> values, double low_quantile, double high_quantile);
/// Values outside become the limit. The estimate is then of the winsorised metric, not of the metric.
std::vector<double> winsorise(std::span<const double> values, const WinsorLimits& limits);

/// One value and one stratum per customer of an arm; strata are numbered from 0, the same in both arms.
struct StratifiedGroup {
  std::span<const double> outcome;
  std::span<const std::uint32_t> stratum;
};
struct PostStratified {
  Interval difference;
  double variance_kept_share = 1;  ///< relative to Welch without strata
  std::int64_t pooled_strata = 0;  ///< with fewer than two customers in an arm: merged into one
};
/// Σ_s share_s (mean_treated,s - mean_control,s), shares of both arms together, normal interval (Miratrix, Sekhon, Yu 2013). Needs a stratum
/// with two customers in each arm; when the merged rest still has too few, it joins the largest one.
base::Result<PostStratified> post_stratified(const StratifiedGroup& treated, const StratifiedGroup& control, double level = 0.95);

/// Effect found with probability `power` by a two-sided test of `level`, for a difference with this error.
double minimum_detectable_effect(double std_error, double level = 0.95, double power = 0.8);
/// Probability that the two-sided test finds `effect` (in either direction).
double power_of(double effect, double std_error, double level = 0.95);
/// Customers of both arms together for `effect` to be found with `power` at 5 %; treated_share in (0, 1), deviation of one customer.
std::int64_t customers_needed(double effect, double deviation, double treated_share = 0.5, double power = 0.8);

struct ReplayOptions {
  int replays = 1000;   ///< at least 100
  double level = 0.95;  ///< a replay errs when its p-value is below 1 - level
  std::uint64_t seed = 1;
  base::Executor* executor = nullptr;
};
struct AaReplay {
  Interval false_positives;  ///< share with its Wilson interval; should hold 1 - level
  int replays = 0;
  int without_answer = 0;    ///< the test could not be made (no variance)
};
/// The labels are drawn again and again, so that no effect can be there: how often does the test find one all the same? `p_value` gets
/// all customers in a new order, of which the first `treated` are treated; it must be thread-safe and answers a negative number when
/// the test cannot be made.
base::Result<AaReplay> aa_replay(std::size_t customers,
                                 std::size_t treated,
                                 const std::function<double(std::span<const std::uint32_t>)>& p_value,
                                 const ReplayOptions& options = {});

}  // namespace beckon::stats
