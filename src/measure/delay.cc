#include "beckon/measure/delay.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "beckon/base/check.h"
#include "beckon/stats/distributions.h"

namespace beckon::measure {
namespace {

bool answered(const Waiting& one, std::int64_t horizon_ms) { return one.after_ms != Waiting::kNotYet && one.after_ms <= horizon_ms; }

// (time, 1 for an answer, 0 for one who left unanswered), by time; at the same time answers come first, as Kaplan and Meier have it.
std::vector<std::pair<std::int64_t, int>> ends_of(std::span<const Waiting> waiting, std::int64_t horizon_ms) {
  std::vector<std::pair<std::int64_t, int>> ends;
  ends.reserve(waiting.size());
  for (const Waiting& one : waiting) {
    BECKON_CHECK(one.age_ms >= 0 && one.after_ms <= one.age_ms);
    const bool came = answered(one, horizon_ms);
    ends.emplace_back(came ? one.after_ms : std::min(one.age_ms, horizon_ms), came ? 1 : 0);
  }
  std::sort(ends.begin(), ends.end(), [](const auto& a, const auto& b) { return a.first != b.first ? a.first < b.first : a.second > b.second; });
  return ends;
}

}  // namespace

base::Result<DelayCurve> DelayCurve::fit(std::span<const Waiting> waiting, const DelayOptions& options) {
  const auto ends = ends_of(waiting, options.horizon_ms);
  const auto answers = std::count_if(ends.begin(), ends.end(), [](const auto& end) { return end.second == 1; });
  if (answers < options.answers_min) {
    return base::failed_precondition("the delay is not known: " + std::to_string(answers) + " answers, " + std::to_string(options.answers_min) +
                                     " are needed");
  }
  DelayCurve curve;
  curve.known_ms_ = options.horizon_ms;
  double open = 1;  // share without an answer so far
  for (std::size_t i = 0; i < ends.size();) {
    const std::int64_t at_ms = ends[i].first;
    const auto at_risk = static_cast<double>(ends.size() - i);
    std::size_t came = 0;
    std::size_t next = i;
    for (; next < ends.size() && ends[next].first == at_ms; ++next) {
      came += ends[next].second == 1 ? 1U : 0U;
    }
    if (at_risk < static_cast<double>(options.at_risk_min) && curve.answers_ > 0) {
      curve.known_ms_ = curve.after_ms_.back();  // what one or two of them do would decide the plateau
      break;
    }
    if (came > 0) {
      const double jump = open * static_cast<double>(came) / at_risk;
      open -= jump;
      curve.after_ms_.push_back(at_ms);
      curve.come_.push_back(1 - open);
      curve.weight_.push_back(jump / static_cast<double>(came));
      curve.answers_ += static_cast<std::int64_t>(came);
    }
    if (next == ends.size() && at_ms < options.horizon_ms) {
      curve.known_ms_ = at_ms;
    }
    i = next;
  }
  curve.plateau_ = 1 - open;
  for (std::size_t i = 0; i < curve.come_.size(); ++i) {
    curve.come_[i] /= curve.plateau_;
    curve.weight_[i] /= curve.plateau_;
  }
  return curve;
}

double DelayCurve::come_by(std::int64_t age_ms) const {
  if (after_ms_.empty()) {
    return 1;
  }
  const auto later = std::upper_bound(after_ms_.begin(), after_ms_.end(), age_ms);
  return later == after_ms_.begin() ? 0 : std::min(1.0, come_[static_cast<std::size_t>(later - after_ms_.begin()) - 1]);
}

std::int64_t DelayCurve::age_at_ms(double share) const {
  const auto found = std::lower_bound(come_.begin(), come_.end(), share);
  return after_ms_.empty() ? 0 : found == come_.end() ? after_ms_.back() : after_ms_[static_cast<std::size_t>(found - come_.begin())];
}

// Σ come_by(age) is the weighted mean, over the answers, of how many ages are at least the answer's delay; the error of such a mean.
double DelayCurve::exposure_error(std::span<const std::int64_t> ages_ms) const {
  std::vector<std::int64_t> ages(ages_ms.begin(), ages_ms.end());
  std::sort(ages.begin(), ages.end());
  const auto older = [&](std::int64_t after_ms) {
    return static_cast<double>(ages.end() - std::lower_bound(ages.begin(), ages.end(), after_ms));
  };
  double mean = 0;
  for (std::size_t i = 0; i < after_ms_.size(); ++i) {
    mean += (come_[i] - (i == 0 ? 0 : come_[i - 1])) * older(after_ms_[i]);
  }
  double variance = 0;
  for (std::size_t i = 0; i < after_ms_.size(); ++i) {
    const double jump = come_[i] - (i == 0 ? 0 : come_[i - 1]);
    variance += jump * weight_[i] * std::pow(older(after_ms_[i]) - mean, 2);  // an answer of weight w counts w², jump / w of them
  }
  return std::sqrt(variance);
}

RipeRate ripe_rate(std::span<const Waiting> waiting, const DelayCurve& curve) {
  RipeRate out;
  const std::int64_t limit_ms = curve.answers() > 0 ? curve.known_ms() : INT64_MAX;
  std::vector<std::int64_t> ages_ms;
  double squares = 0;
  for (const Waiting& one : waiting) {
    const double share = curve.come_by(one.age_ms);
    out.exposure += share;
    squares += share * share;
    out.answers += answered(one, limit_ms) ? 1 : 0;
    ages_ms.push_back(one.age_ms);
  }
  out.complete_share = waiting.empty() ? 1 : out.exposure / static_cast<double>(waiting.size());
  out.rate.high = 1;
  if (out.exposure <= 0) {
    return out;
  }
  const auto answers = static_cast<double>(out.answers);
  out.rate.estimate = std::min(1.0, answers / out.exposure);
  if (out.answers == 0) {
    out.rate.high = stats::wilson({0, std::max<std::int64_t>(1, static_cast<std::int64_t>(out.exposure))}).high;
    return out;
  }
  // Delta method on the log scale, so that the interval never passes 0: each answers with chance rate · share, and the exposure has the
  // error of the curve.
  const double rate = out.rate.estimate;
  const double of_answers = std::max(0.0, rate * out.exposure - rate * rate * squares) / (answers * answers);
  const double of_curve = std::pow(curve.exposure_error(ages_ms) / out.exposure, 2);
  const double log_error = std::sqrt(of_answers + of_curve);
  const double z = stats::normal_quantile(0.975);
  out.rate.std_error = rate * log_error;
  out.rate.low = rate * std::exp(-z * log_error);
  out.rate.high = std::min(1.0, rate * std::exp(z * log_error));
  return out;
}

}  // namespace beckon::measure
