#include "worlds_helper.h"

#include <algorithm>
#include <cmath>

#include "beckon/base/rng.h"

namespace beckon::stats::worlds {
namespace {

constexpr std::uint32_t kActions = 6;
// Slates: the target shows the good item with .6 at each position, the logger with .5. Clicks: good .3, else .1; who has clicked goes
// on with a third of the interest.
constexpr int kPositions = 3;
constexpr double kTargetGood = 0.6;

double rate_of(const LogWorld& world, std::uint32_t segment, std::uint32_t action) {
  return action == segment ? 3 * world.rate : world.rate * (1 + 0.1 * action);
}

double lognormal_mean_one(base::Rng& rng, double sigma) { return std::exp(sigma * rng.normal() - sigma * sigma / 2); }

std::size_t geometric(base::Rng& rng, double mean) {
  std::size_t count = 0;
  while (mean > 0 && rng.chance(mean / (1 + mean))) {
    ++count;
  }
  return count;
}

void add_row(const LogWorld& world, std::uint32_t segment, double liking, base::Rng& rng, Log& log) {
  const double best = world.best_share_low + (world.best_share_high - world.best_share_low) * rng.uniform();
  const double other = (1 - best) / (kActions - 1);
  const double target_other = (1 - world.target_best) / (kActions - 1);
  const bool takes_best = rng.chance(best);
  auto action = takes_best ? segment : static_cast<std::uint32_t>(rng.below(kActions - 1));
  action += !takes_best && action >= segment ? 1U : 0U;
  const bool bought = rng.chance(std::min(1.0, liking * rate_of(world, segment, action)));
  log.reward.push_back(!bought ? 0 : world.spend_sigma < 0 ? 1 : lognormal_mean_one(rng, world.spend_sigma));
  log.action.push_back(action);
  log.propensity.push_back(takes_best ? best : other);
  log.target.push_back(takes_best ? world.target_best : target_other);
  log.context.push_back(segment);  // as a number: the model cannot see which action is best where, so it is wrong
  log.context.push_back(best);
  const std::uint32_t pair = action / 2;  // categories {0, 1}, {2, 3}, {4, 5}
  const bool holds_best = pair == segment / 2;
  log.category_weight.push_back((holds_best ? world.target_best + target_other : 2 * target_other) / (holds_best ? best + other : 2 * other));
}

void over(int runs, base::Executor* executor, const std::function<void(std::size_t)>& one) {
  if (executor != nullptr) {
    executor->run(static_cast<std::size_t>(runs), one);
    return;
  }
  for (std::size_t i = 0; i < static_cast<std::size_t>(runs); ++i) {
    one(i);
  }
}

using Named = std::vector<std::pair<std::string, Interval>>;

std::map<std::string, Tally> tally(const std::vector<Named>& runs, double truth) {
  std::map<std::string, Tally> out;
  for (const Named& run : runs) {
    for (const auto& [name, interval] : run) {
      out[name].add(interval, truth);
    }
  }
  return out;
}

Named intervals_of(const LogWorld& world, const Log& log, const RunOptions& options, std::uint64_t seed) {
  OffPolicyInputs inputs;
  inputs.log = log.decisions();
  inputs.category_weight = log.category_weight;
  CrossFitted model;
  if (options.with_model) {
    const RewardRows rows{log.context, 2, log.action, kActions, log.reward};
    model = cross_fit(LinearRewardLearner(), rows, log.customer, [&](std::size_t row, std::uint32_t action) {
      return target_probability(world, log, row, action);
    }).value();
    inputs.model_shown = model.shown;
    inputs.model_target = model.target;
  }
  OffPolicyOptions policy;
  policy.resamples = options.resamples;
  policy.seed = seed;
  if (world.spend_sigma < 0) {  // spend has no bound, so empirical Bernstein has no right to speak there
    policy.weight_bound = world.weight_bound();
    policy.reward_high = 1;
  }
  Named out;
  const std::vector<PolicyValue> values = estimate_policy(inputs, policy).value();
  for (const PolicyValue& value : values) {
    const std::string name(name_of(value.estimator));
    out.emplace_back(name + " normal", value.normal);
    out.emplace_back(name + " skewed", value.skewed);
    if (value.bootstrap.has_value()) {
      out.emplace_back(name + " bootstrap", *value.bootstrap);
    }
    if (value.bernstein.has_value()) {
      out.emplace_back(name + " bernstein", *value.bernstein);
    }
  }
  return out;
}

struct Arm {
  std::vector<double> outcome, before, sessions;
  std::vector<std::uint32_t> stratum;
};

Arm draw_arm(const ExperimentWorld& world, double rate, base::Rng& rng) {
  Arm arm;
  for (std::size_t i = 0; i < world.per_arm; ++i) {
    const double liking = lognormal_mean_one(rng, 0.7);
    const auto pays = [&] { return world.spend_sigma < 0 ? 1.0 : lognormal_mean_one(rng, world.spend_sigma); };
    // Before: eight occasions at the same liking, so that it tells something of the outcome.
    double before = 0;
    for (int k = 0; k < 8; ++k) {
      before += rng.chance(std::min(1.0, liking * world.rate_control)) ? pays() : 0;
    }
    const std::size_t sessions = 1 + geometric(rng, world.sessions);
    double outcome = 0;
    for (std::size_t s = 0; s < sessions; ++s) {
      outcome += rng.chance(std::min(1.0, std::min(liking, 4.0) * rate)) ? pays() : 0;
    }
    arm.outcome.push_back(outcome);
    arm.before.push_back(before);
    arm.sessions.push_back(static_cast<double>(sessions));
    arm.stratum.push_back(static_cast<std::uint32_t>(std::min(before, 3.0)));
  }
  return arm;
}

// E min(liking, 4) of a lognormal with mean 1 and σ = 0.7: E[L; L < c] + c P(L > c).
double mean_liking() {
  constexpr double kSigma = 0.7;
  const double d = (std::log(4.0) + kSigma * kSigma / 2) / kSigma;
  return normal_cdf(d - kSigma) + 4 * normal_cdf(-d);
}

}  // namespace

double LogWorld::truth() const {
  double sum = 0;
  for (std::uint32_t segment = 0; segment < kActions; ++segment) {
    for (std::uint32_t action = 0; action < kActions; ++action) {
      const double probability = action == segment ? target_best : (1 - target_best) / (kActions - 1);
      sum += probability * rate_of(*this, segment, action) / kActions;
    }
  }
  return sum;
}

double target_probability(const LogWorld& world, const Log& log, std::size_t row, std::uint32_t action) {
  return action == static_cast<std::uint32_t>(log.context[2 * row]) ? world.target_best : (1 - world.target_best) / (kActions - 1);
}

Log draw(const LogWorld& world, std::uint64_t run) {
  base::Rng rng(20261125, run);
  Log log;
  for (std::uint32_t customer = 0; customer < world.customers; ++customer) {
    const auto segment = static_cast<std::uint32_t>(rng.below(kActions));
    const double liking = rng.chance(0.5) ? 1 + world.liking : 1 - world.liking;
    const std::size_t rows = 1 + geometric(rng, world.extra_rows);
    for (std::size_t i = 0; i < rows; ++i) {
      log.customer.push_back(customer);
      add_row(world, segment, liking, rng, log);
    }
  }
  return log;
}

std::vector<LogWorld> log_worlds() {
  LogWorld fair{.name = "fair overlap", .customers = 5000};
  LogWorld weak{.name = "weak overlap", .customers = 6000, .best_share_low = 0.02, .best_share_high = 0.15};
  LogWorld spend{.name = "heavy-tailed spend", .customers = 6000, .spend_sigma = 1.2};
  LogWorld many{.name = "customers with many rows", .customers = 800, .extra_rows = 7, .liking = 0.6};
  LogWorld few{.name = "few conversions", .customers = 12000, .rate = 0.004};
  return {fair, weak, spend, many, few};
}

void Tally::add(const Interval& interval, double truth) {
  ++runs;
  covered += interval.low <= truth && truth <= interval.high ? 1 : 0;
  error += interval.estimate - truth;
  width += interval.high - interval.low;
}

Counts run(const LogWorld& world, const RunOptions& options) {
  std::vector<Named> runs(static_cast<std::size_t>(options.runs));
  std::vector<Overlap> overlaps(runs.size());
  over(options.runs, options.executor, [&](std::size_t i) {
    const Log log = draw(world, i);
    overlaps[i] = judge_overlap(importance_weights(log.decisions()), log.customer);
    runs[i] = intervals_of(world, log, options, i);
  });
  Counts counts;
  counts.by_interval = tally(runs, world.truth());
  for (const Overlap& overlap : overlaps) {
    counts.refused += overlap.refused ? 1 : 0;
    counts.ess += overlap.ess / options.runs;
  }
  return counts;
}

double slates_truth() {
  double truth = 0;
  std::vector<double> clicked{1};  // chance of so many clicks so far
  for (int k = 0; k < kPositions; ++k) {
    std::vector<double> next(clicked.size() + 1, 0);
    for (std::size_t clicks = 0; clicks < clicked.size(); ++clicks) {
      const double rate = std::pow(1.0 / 3, static_cast<double>(clicks)) * (kTargetGood * 0.3 + (1 - kTargetGood) * 0.1);
      truth += clicked[clicks] * rate;
      next[clicks] += clicked[clicks] * (1 - rate);
      next[clicks + 1] += clicked[clicks] * rate;
    }
    clicked = next;
  }
  return truth;
}

std::map<std::string, Tally> run_slates(const RunOptions& options) {
  std::vector<Named> runs(static_cast<std::size_t>(options.runs));
  over(options.runs, options.executor, [&](std::size_t i) {
    base::Rng rng(77, i);
    std::vector<double> reward, propensity, target, position;
    std::vector<std::uint32_t> slate;
    for (std::uint32_t s = 0; s < 1500; ++s) {
      double interest = 1;
      for (int k = 0; k < kPositions; ++k) {
        const bool good = rng.chance(0.5);
        const bool click = rng.chance(interest * (good ? 0.3 : 0.1));
        interest *= click ? 1.0 / 3 : 1;
        slate.push_back(s);
        position.push_back(k);
        reward.push_back(click ? 1 : 0);
        propensity.push_back(0.5);
        target.push_back(good ? kTargetGood : 1 - kTargetGood);
      }
    }
    const std::vector<SlateValue> values = estimate_slates({slate, position, {reward, propensity, target}}).value();
    for (const SlateValue& value : values) {
      runs[i].emplace_back(std::string(value.name), value.value);
    }
  });
  return tally(runs, slates_truth());
}

double ExperimentWorld::ratio_truth() const { return (rate_treated - rate_control) * mean_liking(); }

std::vector<ExperimentWorld> experiment_worlds() {
  return {{.name = "conversions"},
          {.name = "few conversions", .per_arm = 6000, .rate_control = 0.005, .rate_treated = 0.007},
          {.name = "heavy-tailed spend", .per_arm = 3000, .spend_sigma = 1.2},
          {.name = "many sessions", .per_arm = 1000, .sessions = 6}};
}

std::map<std::string, Tally> run(const ExperimentWorld& world, const RunOptions& options) {
  std::vector<Named> runs(static_cast<std::size_t>(options.runs));
  std::vector<Named> ratios(runs.size());
  over(options.runs, options.executor, [&](std::size_t i) {
    base::Rng rng(4711, i);
    const Arm t = draw_arm(world, world.rate_treated, rng);
    const Arm c = draw_arm(world, world.rate_control, rng);
    const Moments mt = Moments::of(t.outcome);
    const Moments mc = Moments::of(c.outcome);
    const Interval welch = difference_of_means(mt, mc).value();
    runs[i].emplace_back("difference", welch);
    runs[i].emplace_back("difference, CUPED", cuped({t.outcome, t.before}, {c.outcome, c.before})->difference);
    runs[i].emplace_back("difference, post-stratified", post_stratified({t.outcome, t.stratum}, {c.outcome, c.stratum})->difference);
    runs[i].emplace_back("difference, always valid", confidence_sequence(welch.estimate, welch.std_error, mt.count + mc.count));
    if (world.spend_sigma < 0 && world.sessions <= 0) {
      const auto share = [](const Moments& m) { return Share{std::llround(m.mean * static_cast<double>(m.count)), m.count}; };
      runs[i].emplace_back("difference, Newcombe", difference_of_shares(share(mt), share(mc)).value());
    }
    const std::size_t n = world.per_arm;
    runs[i].emplace_back("difference, bootstrap", bootstrap(n, [&](std::span<const std::uint32_t> picked) {
      double sum = 0;  // the arms are equally large, so a pair of customers may be drawn at a time
      for (const auto k : picked) {
        sum += t.outcome[k] - c.outcome[n - 1 - k];
      }
      return sum / static_cast<double>(n);
    }, {.resamples = std::max(100, options.resamples), .seed = i}).value());
    if (world.sessions > 0) {
      ratios[i].emplace_back("ratio, delta method", difference_of_ratios(PairMoments::of(t.sessions, t.outcome), PairMoments::of(c.sessions, c.outcome)).value());
    }
  });
  auto out = tally(runs, world.truth());
  out.merge(tally(ratios, world.ratio_truth()));
  return out;
}

Peeking peek(const PeekingOptions& options) {
  struct Run {
    bool always = false, plain = false, covered = true;
    double always_width = 0, plain_width = 0;
  };
  constexpr int kDays = 30;
  std::vector<Run> runs(static_cast<std::size_t>(options.runs));
  const double deviation = options.skewed ? std::sqrt(std::exp(1.0) / 0.2 - 1) : 1;
  const double effect = options.effect_errors * deviation * std::sqrt(2.0 / (kDays * options.per_day_and_arm));
  over(options.runs, options.executor, [&](std::size_t i) {
    base::Rng rng(31, i);
    Run& run = runs[i];
    Moments arms[2];
    // Skewed: one of five buys, lognormal (σ = 1), five times the mean, so that the mean is 1.
    const auto value = [&] { return !options.skewed ? rng.normal() : rng.chance(0.2) ? 5 * lognormal_mean_one(rng, 1) : 0.0; };
    for (int day = 0; day < kDays; ++day) {
      for (int k = 0; k < options.per_day_and_arm; ++k) {
        arms[0].add(value());
        arms[1].add(value() + effect);
      }
      const Interval plain = difference_of_means(arms[1], arms[0]).value();
      const Interval always = confidence_sequence(plain.estimate, plain.std_error, arms[0].count + arms[1].count);
      run.always |= always.low > 0 || always.high < 0;
      run.plain |= plain.low > 0 || plain.high < 0;
      run.covered &= always.low <= effect && effect <= always.high;
      run.always_width = always.high - always.low;
      run.plain_width = plain.high - plain.low;
    }
  });
  Peeking out;
  for (const Run& run : runs) {
    out.always_valid += run.always ? 1.0 / options.runs : 0;
    out.plain += run.plain ? 1.0 / options.runs : 0;
    out.covered_all_days += run.covered ? 1.0 / options.runs : 0;
    out.always_width += run.always_width / options.runs;
    out.plain_width += run.plain_width / options.runs;
  }
  return out;
}

}  // namespace beckon::stats::worlds
