#pragma once
// Outcomes have an age: what was sent yesterday and not answered yet is no "no". The delay from one event to the next (delivery → click,
// purchase → refund) is learned from pairs of which many are still open, and rates are counted over the share that can have come by now.
//
// Kaplan and Meier (1958) over everything that waits, with those who never answer as the plateau that the curve ends on (the mixture of
// Boag 1949, without a form for the delay); the curve is then read relative to its plateau. Values are const after the fit: thread-safe.

#include <cstdint>
#include <span>
#include <vector>

#include "beckon/base/clock.h"
#include "beckon/base/result.h"
#include "beckon/stats/intervals.h"

namespace beckon::measure {

/// One that waits for an answer: how long it is known (`age_ms`), and after how long the answer came; kNotYet while it has not.
struct Waiting {
  static constexpr std::int64_t kNotYet = -1;
  std::int64_t age_ms = 0;
  std::int64_t after_ms = kNotYet;
};

struct DelayOptions {
  std::int64_t horizon_ms = 30 * base::kDayMs;  ///< later answers do not count, here and in every rate
  std::int64_t answers_min = 20;                ///< fewer are no distribution
  std::int64_t at_risk_min = 10;                ///< the curve is known as far as so many are old enough and still open
};

/// Distribution of the delay of those that answer within the horizon.
class DelayCurve {
 public:
  /// Everything counts as come at once: for shops that do not have enough answers to say otherwise.
  DelayCurve() = default;
  /// failed_precondition with fewer than `answers_min` answers. Rows with a negative age or an answer after their age are our fault.
  static base::Result<DelayCurve> fit(std::span<const Waiting> waiting, const DelayOptions& options = {});

  /// Share of the answers that has come by this age, in [0, 1].
  double come_by(std::int64_t age_ms) const;
  /// The age at which `share` of the answers has come; 0 for the curve without data.
  std::int64_t age_at_ms(double share) const;
  std::int64_t median_ms() const { return age_at_ms(0.5); }
  std::int64_t ripe_ms() const { return age_at_ms(kRipe); }
  /// Share that answers at all by `known_ms`, of those the curve was learned from.
  double plateau() const { return plateau_; }
  /// Shorter than the horizon when nothing is old enough: later answers are then not foreseen.
  std::int64_t known_ms() const { return known_ms_; }
  std::int64_t answers() const { return answers_; }
  static constexpr double kRipe = 0.95;

  /// Standard error of Σ come_by(age) that comes from the curve having been learned from a sample of answers.
  double exposure_error(std::span<const std::int64_t> ages_ms) const;

 private:
  std::vector<std::int64_t> after_ms_;  // of the jumps, ascending
  std::vector<double> come_;            // share come by then, ends with 1
  std::vector<double> weight_;          // of an answer in the jump (Efron 1967: those who left give theirs to the right)
  double plateau_ = 1;
  std::int64_t known_ms_ = 0;
  std::int64_t answers_ = 0;
};

/// Answers over Σ come_by(age): unbiased for the share that answers in the end, at any mixture of ages.
struct RipeRate {
  std::int64_t answers = 0;
  double exposure = 0;        ///< Σ come_by(age)
  double complete_share = 1;  ///< exposure / count: what share of the answers can have come by now
  stats::Interval rate;       ///< [0, 1] when nothing can have come yet
};
RipeRate ripe_rate(std::span<const Waiting> waiting, const DelayCurve& curve);

}  // namespace beckon::measure
