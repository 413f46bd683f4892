#include "beckon/stats/off_policy.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>

#include "beckon/base/check.h"
#include "scores.h"

namespace beckon::stats {
namespace {

constexpr std::size_t kGridPoints = 10;

struct Trouble {
  std::int64_t count = 0;
  std::size_t first = 0;
  void note(bool bad, std::size_t row) {
    if (bad && count++ == 0) {
      first = row;
    }
  }
};

std::string rows_from(const Trouble& trouble) {
  return std::to_string(trouble.count) + (trouble.count == 1 ? " row" : " rows") + " (first: row " + std::to_string(trouble.first + 1) + ")";
}

// Everything that the estimators share: one pass over the rows each, then sums by customer.
class Estimates {
 public:
  Estimates(const OffPolicyInputs& inputs, const OffPolicyOptions& options)
      : inputs_(inputs), options_(options), weights_(importance_weights(inputs.log)),
        units_(units_of(inputs.log.customer, inputs.log.reward.size())) {}

  const Units& units() const { return units_; }
  const std::vector<double>& weights() const { return weights_; }

  // mean(v + f(w) (r - q)); without a model mean(f(w) r).
  template <class Weight>
  Scores mean_of(const Weight& weight, bool with_model) const {
    std::vector<double> rows(weights_.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      rows[i] = row_value(i, weight(weights_[i]), with_model);
    }
    return {sums_by_unit(units_, rows), {}, {}};
  }

  Scores self_normalised(bool with_model) const {
    std::vector<double> products(weights_.size());
    for (std::size_t i = 0; i < products.size(); ++i) {
      products[i] = weights_[i] * (inputs_.log.reward[i] - (with_model ? inputs_.model_shown[i] : 0));
    }
    Scores scores;
    scores.numerator = sums_by_unit(units_, products);
    scores.denominator = sums_by_unit(units_, weights_);
    if (with_model) {
      scores.plain = sums_by_unit(units_, inputs_.model_target);
    }
    return scores;
  }

  Scores of_category() const {
    std::vector<double> rows(weights_.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      rows[i] = inputs_.category_weight[i] * inputs_.log.reward[i];
    }
    return {sums_by_unit(units_, rows), {}, {}};
  }

  Scores at_limit(Estimator estimator, double limit) const {
    switch (estimator) {
      case Estimator::kIpwClipped:
        return mean_of([limit](double w) { return std::min(w, limit); }, false);
      case Estimator::kSwitchDr:
        return mean_of([limit](double w) { return w <= limit ? w : 0; }, true);
      default:
        return mean_of([limit](double w) { return limit * w / (w * w + limit); }, true);
    }
  }

  // The limit of the least estimated mean squared error: that of the interval, plus the squared distance to the value without any limit,
  // which is unbiased. Both are estimated from the log, so the choice itself is noisy; nothing is promised of it.
  double choose_limit(Estimator estimator) const {
    const std::vector<double> limits = grid(estimator);
    const double unlimited = value_of(units_, at_limit(estimator, limits.back()));
    double best = limits.back();
    double least = std::numeric_limits<double>::infinity();
    for (const double limit : limits) {
      const Interval interval = normal_interval(units_, at_limit(estimator, limit), options_.level);
      const double bias = interval.estimate - unlimited;
      const double error = interval.std_error * interval.std_error + bias * bias;
      if (error <= least) {
        least = error;
        best = limit;
      }
    }
    return best;
  }

 private:
  double row_value(std::size_t i, double weight, bool with_model) const {
    const double reward = inputs_.log.reward[i];
    return with_model ? inputs_.model_target[i] + weight * (reward - inputs_.model_shown[i]) : weight * reward;
  }

  // Geometric from a weight of 1 to the largest (its square for kDrOs, and a hundredfold, where nothing is shrunk any more).
  std::vector<double> grid(Estimator estimator) const {
    double top = std::max(1.0, *std::max_element(weights_.begin(), weights_.end()));
    if (estimator == Estimator::kDrOs) {
      top *= 100 * top;
    }
    std::vector<double> out;
    for (std::size_t i = 0; i < kGridPoints; ++i) {
      out.push_back(i + 1 == kGridPoints ? top : std::pow(top, static_cast<double>(i) / static_cast<double>(kGridPoints - 1)));
    }
    return out;
  }

  const OffPolicyInputs& inputs_;
  const OffPolicyOptions& options_;
  std::vector<double> weights_;
  Units units_;
};

struct Chosen {
  Estimator estimator;
  Scores scores;
  double limit = 0;
};

double given_limit(Estimator estimator, const OffPolicyOptions& options) {
  return estimator == Estimator::kIpwClipped ? options.clip : estimator == Estimator::kSwitchDr ? options.switch_above : options.shrinkage;
}

std::vector<Chosen> choose(const Estimates& estimates, const OffPolicyInputs& inputs, const OffPolicyOptions& options) {
  const bool model = !inputs.model_shown.empty();
  const bool full = model && inputs.model_knows_actions;
  const auto itself = [](double w) { return w; };
  std::vector<Chosen> out;
  const auto limited = [&](Estimator estimator) {
    const double given = given_limit(estimator, options);
    const double limit = given > 0 ? given : estimates.choose_limit(estimator);
    out.push_back({estimator, estimates.at_limit(estimator, limit), limit});
  };
  out.push_back({Estimator::kIpw, estimates.mean_of(itself, false)});
  limited(Estimator::kIpwClipped);
  out.push_back({Estimator::kSnipw, estimates.self_normalised(false)});
  if (full) {
    out.push_back({Estimator::kDm, estimates.mean_of([](double) { return 0.0; }, true)});
  }
  if (model) {
    out.push_back({Estimator::kDr, estimates.mean_of(itself, true)});
    out.push_back({Estimator::kSndr, estimates.self_normalised(true)});
  }
  if (full) {
    limited(Estimator::kSwitchDr);
    limited(Estimator::kDrOs);
  }
  if (!inputs.category_weight.empty()) {
    out.push_back({Estimator::kMipw, estimates.of_category()});
  }
  return out;
}

// The mean per row as a mean over customers of (his sum) · (customers / rows); its range grows with the rows of the busiest one.
std::optional<Interval> bernstein_of(const Estimates& estimates, const Chosen& chosen, const OffPolicyOptions& options) {
  const bool with_model = chosen.estimator == Estimator::kDr;
  if ((chosen.estimator != Estimator::kIpw && !with_model) || !(options.weight_bound > 0) || !(options.reward_high > options.reward_low)) {
    return std::nullopt;
  }
  const Units& units = estimates.units();
  const double rewards = options.reward_high - options.reward_low;
  // w r lies between w·low and w·high, w from 0 on; v + w (r - q) between v - w (high - low) and v + w (high - low).
  const double of_weights = std::max(0.0, options.reward_high) - std::min(0.0, options.reward_low);
  const double range = with_model ? rewards * (1 + 2 * options.weight_bound) : options.weight_bound * of_weights;
  double rows = 0;
  double busiest = 0;
  for (const double count : units.rows) {
    rows += count;
    busiest = std::max(busiest, count);
  }
  const double scale = static_cast<double>(units.count()) / rows;
  Moments moments;
  for (const double sum : chosen.scores.plain) {
    moments.add(sum * scale);
  }
  const auto interval = empirical_bernstein(moments, range * busiest * scale, options.level);
  return interval.ok() ? std::optional<Interval>(*interval) : std::nullopt;
}

Scores less_logged(Scores scores, std::span<const double> logged) {
  scores.plain.resize(logged.size(), 0);
  for (std::size_t unit = 0; unit < logged.size(); ++unit) {
    scores.plain[unit] -= logged[unit];
  }
  return scores;
}

void check_shapes(const OffPolicyInputs& inputs) {
  const std::size_t n = inputs.log.reward.size();
  BECKON_CHECK(inputs.model_shown.size() == inputs.model_target.size());
  BECKON_CHECK(inputs.model_shown.empty() || inputs.model_shown.size() == n);
  BECKON_CHECK(inputs.category_weight.empty() || inputs.category_weight.size() == n);
}

}  // namespace

std::string_view name_of(Estimator estimator) {
  static constexpr std::array<std::string_view, 9> kNames{"ipw", "ipw_clipped", "snipw", "dm", "dr", "sndr", "switch_dr", "dr_os", "mipw"};
  return kNames[static_cast<std::size_t>(estimator)];
}

bool is_biased(Estimator estimator) {
  return estimator != Estimator::kIpw && estimator != Estimator::kSnipw && estimator != Estimator::kDr && estimator != Estimator::kSndr;
}

base::Status check_log(const LoggedDecisions& log) {
  const std::size_t n = log.reward.size();
  BECKON_CHECK(log.propensity.size() == n && log.target.size() == n && (log.customer.empty() || log.customer.size() == n));
  Trouble reward;
  Trouble propensity;
  Trouble target;
  for (std::size_t row = 0; row < n; ++row) {
    reward.note(!std::isfinite(log.reward[row]), row);
    propensity.note(!(log.propensity[row] > 0 && log.propensity[row] <= 1), row);
    target.note(!(log.target[row] >= 0 && log.target[row] <= 1), row);
  }
  if (reward.count > 0) {
    return base::failed_precondition(rows_from(reward) + " have a reward that is no finite number: fill them in or leave these rows out");
  }
  if (propensity.count > 0) {
    return base::failed_precondition(rows_from(propensity) + " have a propensity that is missing, 0 or outside (0, 1]: an action that was "
                                     "shown had a chance to be shown, so the log is wrong there; mend it where it is written");
  }
  if (target.count > 0) {
    return base::failed_precondition(rows_from(target) + " have a target probability that is missing or outside [0, 1]");
  }
  return base::ok_status();
}

std::vector<double> importance_weights(const LoggedDecisions& log) {
  std::vector<double> weights(log.reward.size());
  for (std::size_t row = 0; row < weights.size(); ++row) {
    weights[row] = log.target[row] / log.propensity[row];
  }
  return weights;
}

base::Result<Interval> empirical_bernstein(const Moments& values, double range, double level) {
  BECKON_CHECK(level > 0 && level < 1 && range >= 0);
  if (values.count < 2) {
    return base::failed_precondition("an empirical Bernstein interval needs two customers: wait for more");
  }
  const auto n = static_cast<double>(values.count);
  const double log_term = std::log(4 / (1 - level));  // both sides, so half of 1 - level each
  const double half = std::sqrt(2 * values.variance() * log_term / n) + 7 * range * log_term / (3 * (n - 1));
  return Interval{values.mean, values.mean - half, values.mean + half, std::sqrt(values.variance() / n), 1};
}

base::Result<std::vector<PolicyValue>> estimate_policy(const OffPolicyInputs& inputs, const OffPolicyOptions& options) {
  BECKON_TRY_STATUS(check_log(inputs.log));
  check_shapes(inputs);
  const Estimates estimates(inputs, options);
  if (estimates.units().count() < 2) {
    return base::failed_precondition("the value of a policy needs rows of two customers: wait for more");
  }
  if (std::all_of(estimates.weights().begin(), estimates.weights().end(), [](double w) { return w == 0; })) {
    return base::failed_precondition("the target policy never does what the log shows (every target probability is 0): nothing can be said of it");
  }
  const std::vector<Chosen> chosen = choose(estimates, inputs, options);
  std::vector<Scores> scores;
  for (const Chosen& one : chosen) {
    scores.push_back(one.scores);
  }
  std::vector<Interval> resampled;
  if (options.resamples > 0) {
    resampled = bootstrap_scores(estimates.units(), scores, options);
  }
  const std::vector<double> logged = sums_by_unit(estimates.units(), inputs.log.reward);
  std::vector<PolicyValue> out;
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    PolicyValue value;
    value.estimator = chosen[i].estimator;
    value.normal = normal_interval(estimates.units(), chosen[i].scores, options.level);
    value.skewed = skewed_interval(estimates.units(), chosen[i].scores, options.level);
    value.value = value.normal.estimate;
    if (!resampled.empty()) {
      value.bootstrap = resampled[i];
    }
    value.bernstein = bernstein_of(estimates, chosen[i], options);
    value.limit = chosen[i].limit;
    value.gain = skewed_interval(estimates.units(), less_logged(chosen[i].scores, logged), options.level);
    out.push_back(std::move(value));
  }
  return out;
}

}  // namespace beckon::stats
