#pragma once
// Point estimates with intervals. `level` is the coverage, 0.95 unless said. Units are the caller's; shares are in [0, 1].

#include <cstdint>
#include <span>
#include <vector>

#include "beckon/base/result.h"

namespace beckon::stats {

struct Interval {
  double estimate = 0;
  double low = 0;
  double high = 0;
  double std_error = 0;
  double p_value = 1;  ///< two-sided, of "the truth is 0"; 1 where that question makes no sense (a single share)
};

/// Count, mean and sample variance of a group: mergeable, so groups may be summed by partition (Chan et al. 1983).
struct Moments {
  std::int64_t count = 0;
  double mean = 0;
  double squares = 0;  ///< Σ (x - mean)²
  void add(double x);
  void merge(const Moments& other);
  double variance() const { return count > 1 ? squares / static_cast<double>(count - 1) : 0; }
  static Moments of(std::span<const double> values);
};

struct Share {
  std::int64_t successes = 0;
  std::int64_t trials = 0;
  double value() const { return trials > 0 ? static_cast<double>(successes) / static_cast<double>(trials) : 0; }
};

/// Numerator y over denominator x per customer, e.g. clicks over messages: the customer is the unit, not the message.
struct PairMoments {
  std::int64_t count = 0;
  double mean_x = 0;
  double mean_y = 0;
  double var_x = 0;
  double var_y = 0;
  double cov = 0;
  static PairMoments of(std::span<const double> x, std::span<const double> y);
};

/// Wilson score interval (Wilson 1927). No trials: [0, 1].
Interval wilson(Share share, double level = 0.95);

/// mean(treated) - mean(control), unequal variances (Welch 1947). Needs two customers a group.
base::Result<Interval> difference_of_means(const Moments& treated, const Moments& control, double level = 0.95);

/// share(treated) - share(control): Newcombe's hybrid score interval (1998, method 10), which holds for small and extreme
/// shares; p-value of the pooled z-test. The two may disagree in the third decimal near significance. Needs a trial a group.
base::Result<Interval> difference_of_shares(Share treated, Share control, double level = 0.95);

/// mean(treated) / mean(control) - 1, delta method on the log scale (positive means), so the interval never passes -100 %.
base::Result<Interval> relative_lift(const Moments& treated, const Moments& control, double level = 0.95);

/// Σy / Σx with the delta method's error, p_value of "ratio is 0". Needs two customers and mean_x > 0.
base::Result<Interval> ratio(const PairMoments& group, double level = 0.95);
base::Result<Interval> difference_of_ratios(const PairMoments& treated, const PairMoments& control, double level = 0.95);

/// One value per customer of a group: the outcome, and the same quantity before the experiment.
struct CupedGroup {
  std::span<const double> outcome;
  std::span<const double> before;
};
struct Cuped {
  Interval difference;
  double theta = 0;                ///< pooled within-group slope of outcome on before
  double variance_kept_share = 1;  ///< variance of the difference relative to Welch without adjustment
};
/// Difference of means, adjusted by what was known before (Deng et al., WSDM'13). Needs three customers a group.
base::Result<Cuped> cuped(const CupedGroup& treated, const CupedGroup& control, double level = 0.95);

struct SampleRatio {
  double statistic = 0;
  double p_value = 1;
  bool alarm = false;  ///< p < alarm_below: the assignment is broken, no lift may be reported
};
/// Pearson's chi-square of group sizes against their intended shares (positive, any scale; same length, two groups or more).
SampleRatio sample_ratio(std::span<const std::int64_t> counts, std::span<const double> intended, double alarm_below = 0.001);

struct SequenceOptions {
  double level = 0.95;
  std::int64_t best_at = 5000;  ///< tightest near this many customers
};
/// Interval that may be looked at after every customer: asymptotic confidence sequence (Waudby-Smith et al. 2021) with ρ tuned
/// for `best_at`. For differences pass n = both groups together and the std_error of the difference. n >= 1.
Interval confidence_sequence(double estimate, double std_error, std::int64_t n, SequenceOptions options = {});

/// Holm's step-down: p-values adjusted for asking several questions at once, in the order given.
std::vector<double> holm(std::span<const double> p_values);
/// Benjamini–Hochberg adjusted p-values (false discovery rate).
std::vector<double> benjamini_hochberg(std::span<const double> p_values);

}  // namespace beckon::stats
