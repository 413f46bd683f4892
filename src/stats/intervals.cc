#include "beckon/stats/intervals.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "beckon/base/check.h"
#include "beckon/stats/distributions.h"

namespace beckon::stats {
namespace {

double z_of(double level) {
  BECKON_CHECK(level > 0 && level < 1);
  return normal_quantile(0.5 + level / 2);
}

double real(std::int64_t count) { return static_cast<double>(count); }

double two_sided(double z) { return 2 * normal_cdf(-std::abs(z)); }

// An estimate whose error is zero is certain: either exactly 0 or surely not.
double p_of(double estimate, double std_error) {
  if (std_error > 0) {
    return two_sided(estimate / std_error);
  }
  return estimate == 0 ? 1 : 0;
}

Interval around(double estimate, double std_error, double level) {
  const double half = z_of(level) * std_error;
  return {estimate, estimate - half, estimate + half, std_error, p_of(estimate, std_error)};
}

base::Error too_few(const char* what) {
  return base::failed_precondition(std::string(what) + ": wait for more customers");
}

double ratio_variance(const PairMoments& g) {
  const double r = g.mean_y / g.mean_x;
  return std::max(0.0, (g.var_y - 2 * r * g.cov + r * r * g.var_x) / (g.mean_x * g.mean_x * real(g.count)));
}

bool has_ratio(const PairMoments& g) { return g.count >= 2 && g.mean_x > 0; }

}  // namespace

void Moments::add(double x) {
  ++count;
  const double delta = x - mean;
  mean += delta / real(count);
  squares += delta * (x - mean);
}

void Moments::merge(const Moments& other) {
  if (other.count == 0) {
    return;
  }
  const double n = real(count + other.count);
  const double delta = other.mean - mean;
  mean += delta * real(other.count) / n;
  squares += other.squares + delta * delta * real(count) * real(other.count) / n;
  count += other.count;
}

Moments Moments::of(std::span<const double> values) {
  Moments moments;
  for (const double value : values) {
    moments.add(value);
  }
  return moments;
}

PairMoments PairMoments::of(std::span<const double> x, std::span<const double> y) {
  BECKON_CHECK(x.size() == y.size());
  const Moments mx = Moments::of(x);
  const Moments my = Moments::of(y);
  double products = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    products += (x[i] - mx.mean) * (y[i] - my.mean);
  }
  const double cov = mx.count > 1 ? products / real(mx.count - 1) : 0;
  return {mx.count, mx.mean, my.mean, mx.variance(), my.variance(), cov};
}

Interval wilson(Share share, double level) {
  BECKON_CHECK(share.successes >= 0 && share.successes <= share.trials);
  if (share.trials == 0) {
    return {0, 0, 1, 0, 1};
  }
  const double z2 = z_of(level) * z_of(level);
  const double n = real(share.trials);
  const double p = share.value();
  const double centre = (p + z2 / (2 * n)) / (1 + z2 / n);
  const double half = std::sqrt(z2) / (1 + z2 / n) * std::sqrt(p * (1 - p) / n + z2 / (4 * n * n));
  const double low = share.successes == 0 ? 0 : std::max(0.0, centre - half);
  const double high = share.successes == share.trials ? 1 : std::min(1.0, centre + half);
  return {p, low, high, std::sqrt(p * (1 - p) / n), 1};
}

base::Result<Interval> difference_of_means(const Moments& treated, const Moments& control, double level) {
  BECKON_CHECK(level > 0 && level < 1);
  if (treated.count < 2 || control.count < 2) {
    return too_few("a difference of means needs two customers in each group");
  }
  const double a = treated.variance() / real(treated.count);
  const double b = control.variance() / real(control.count);
  const double estimate = treated.mean - control.mean;
  const double std_error = std::sqrt(a + b);
  if (!(std_error > 0)) {
    return Interval{estimate, estimate, estimate, 0, p_of(estimate, 0)};
  }
  const double df = (a + b) * (a + b) / (a * a / real(treated.count - 1) + b * b / real(control.count - 1));
  const double half = student_t_quantile(0.5 + level / 2, df) * std_error;
  const double p = 2 * student_t_cdf(-std::abs(estimate) / std_error, df);
  return Interval{estimate, estimate - half, estimate + half, std_error, p};
}

base::Result<Interval> difference_of_shares(Share treated, Share control, double level) {
  if (treated.trials < 1 || control.trials < 1) {
    return too_few("a difference of shares needs a customer in each group");
  }
  const Interval t = wilson(treated, level);
  const Interval c = wilson(control, level);
  const double estimate = t.estimate - c.estimate;
  const double low = estimate - std::hypot(t.estimate - t.low, c.high - c.estimate);
  const double high = estimate + std::hypot(t.high - t.estimate, c.estimate - c.low);
  const double nt = real(treated.trials);
  const double nc = real(control.trials);
  const double pooled = real(treated.successes + control.successes) / (nt + nc);
  const double pooled_error = std::sqrt(pooled * (1 - pooled) * (1 / nt + 1 / nc));
  return Interval{estimate, low, high, std::hypot(t.std_error, c.std_error), p_of(estimate, pooled_error)};
}

base::Result<Interval> relative_lift(const Moments& treated, const Moments& control, double level) {
  if (treated.count < 2 || control.count < 2) {
    return too_few("a relative lift needs two customers in each group");
  }
  if (!(treated.mean > 0) || !(control.mean > 0)) {
    return base::failed_precondition("a relative lift needs positive means in both groups: report the difference instead");
  }
  const double log_error = std::sqrt(treated.variance() / real(treated.count) / (treated.mean * treated.mean) +
                                     control.variance() / real(control.count) / (control.mean * control.mean));
  const double log_ratio = std::log(treated.mean / control.mean);
  const Interval on_log = around(log_ratio, log_error, level);
  return Interval{std::expm1(log_ratio), std::expm1(on_log.low), std::expm1(on_log.high), std::exp(log_ratio) * log_error,
                  on_log.p_value};
}

base::Result<Interval> ratio(const PairMoments& group, double level) {
  if (!has_ratio(group)) {
    return too_few("a ratio needs two customers and a positive denominator");
  }
  return around(group.mean_y / group.mean_x, std::sqrt(ratio_variance(group)), level);
}

base::Result<Interval> difference_of_ratios(const PairMoments& treated, const PairMoments& control, double level) {
  if (!has_ratio(treated) || !has_ratio(control)) {
    return too_few("a difference of ratios needs two customers and a positive denominator in each group");
  }
  const double estimate = treated.mean_y / treated.mean_x - control.mean_y / control.mean_x;
  return around(estimate, std::sqrt(ratio_variance(treated) + ratio_variance(control)), level);
}

base::Result<Cuped> cuped(const CupedGroup& treated, const CupedGroup& control, double level) {
  const PairMoments t = PairMoments::of(treated.before, treated.outcome);
  const PairMoments c = PairMoments::of(control.before, control.outcome);
  if (t.count < 3 || c.count < 3) {
    return too_few("CUPED needs three customers in each group");
  }
  // Pooled within the groups: a true effect must not leak into the slope.
  const double var_x = t.var_x * real(t.count - 1) + c.var_x * real(c.count - 1);
  const double cov = t.cov * real(t.count - 1) + c.cov * real(c.count - 1);
  Cuped out;
  out.theta = var_x > 0 ? cov / var_x : 0;
  const auto adjusted = [&](const CupedGroup& group) {
    Moments moments;
    for (std::size_t i = 0; i < group.outcome.size(); ++i) {
      moments.add(group.outcome[i] - out.theta * group.before[i]);
    }
    return moments;
  };
  const Moments at = adjusted(treated);
  const Moments ac = adjusted(control);
  BECKON_TRY(out.difference, difference_of_means(at, ac, level));
  const double plain = t.var_y / real(t.count) + c.var_y / real(c.count);
  out.variance_kept_share = plain > 0 ? out.difference.std_error * out.difference.std_error / plain : 1;
  return out;
}

SampleRatio sample_ratio(std::span<const std::int64_t> counts, std::span<const double> intended, double alarm_below) {
  BECKON_CHECK(counts.size() == intended.size() && counts.size() >= 2);
  const double total = real(std::accumulate(counts.begin(), counts.end(), std::int64_t{0}));
  const double whole = std::accumulate(intended.begin(), intended.end(), 0.0);
  SampleRatio out;
  if (!(total > 0)) {
    return out;
  }
  for (std::size_t i = 0; i < counts.size(); ++i) {
    BECKON_CHECK(intended[i] > 0 && counts[i] >= 0);
    const double expected = total * intended[i] / whole;
    out.statistic += (real(counts[i]) - expected) * (real(counts[i]) - expected) / expected;
  }
  out.p_value = chi_square_upper(out.statistic, static_cast<double>(counts.size() - 1));
  out.alarm = out.p_value < alarm_below;
  return out;
}

Interval confidence_sequence(double estimate, double std_error, std::int64_t n, SequenceOptions options) {
  BECKON_CHECK(n >= 1 && options.best_at >= 1 && options.level > 0 && options.level < 1);
  const double alpha = 1 - options.level;
  const double log_term = -2 * std::log(alpha);
  const double rho2 = (log_term + std::log(log_term + 1)) / real(options.best_at);
  const double nr = real(n) * rho2;
  // std_error × √n is the deviation per customer; the boundary below is in units of it.
  const double boundary = std::sqrt(2 * (nr + 1) / (real(n) * real(n) * rho2) * std::log(std::sqrt(nr + 1) / alpha));
  const double half = std_error * std::sqrt(real(n)) * boundary;
  // The smallest level at which the sequence leaves 0 out: an always-valid p-value at this n.
  double p = estimate == 0 ? 1 : 0;
  if (std_error > 0) {
    const double z2 = estimate * estimate / (std_error * std_error);
    p = std::min(1.0, std::sqrt(nr + 1) * std::exp(-z2 * nr / (2 * (nr + 1))));
  }
  return {estimate, estimate - half, estimate + half, std_error, p};
}

namespace {

std::vector<std::size_t> ascending(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  return order;
}

}  // namespace

std::vector<double> holm(std::span<const double> p_values) {
  const auto order = ascending(p_values);
  std::vector<double> adjusted(p_values.size());
  double largest = 0;
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    const double scaled = p_values[order[rank]] * static_cast<double>(order.size() - rank);
    largest = std::max(largest, std::min(1.0, scaled));
    adjusted[order[rank]] = largest;
  }
  return adjusted;
}

std::vector<double> benjamini_hochberg(std::span<const double> p_values) {
  const auto order = ascending(p_values);
  std::vector<double> adjusted(p_values.size());
  double smallest = 1;
  for (std::size_t rank = order.size(); rank-- > 0;) {
    const double scaled = p_values[order[rank]] * static_cast<double>(order.size()) / static_cast<double>(rank + 1);
    smallest = std::min(smallest, scaled);
    adjusted[order[rank]] = smallest;
  }
  return adjusted;
}

}  // namespace beckon::stats
