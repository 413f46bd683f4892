#pragma once
// Worlds whose truth is known, and how often intervals hold it. Shared by the tests (short) and by bench/stats_soak (long).

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "beckon/base/executor.h"
#include "beckon/stats/stats.h"

namespace beckon::stats::worlds {

/// A log of one policy: six segments, six actions; in each segment one action is best, and the target mostly takes it.
struct LogWorld {
  std::string name = {};
  std::size_t customers = 3000;
  double extra_rows = 0;        ///< beyond the first, mean of a geometric number; a customer keeps his segment and his liking
  double liking = 0;            ///< half of the customers convert 1 + liking times as often, half 1 - liking
  double rate = 0.1;            ///< conversion of the best action is 3 rate, of others rate … 1.5 rate
  double spend_sigma = -1;      ///< ≥ 0: a conversion pays a lognormal amount with mean 1; below 0: it pays 1
  double best_share_low = 0.1;  ///< the logger gives the best action a share drawn per row from here …
  double best_share_high = 0.3; ///< … to here
  double target_best = 0.8;     ///< share that the target gives it; the others share the rest
  double truth() const;         ///< exact value of the target per row
  double weight_bound() const { return target_best / best_share_low; }
};
struct Log {
  std::vector<double> reward, propensity, target, context, category_weight;
  std::vector<std::uint32_t> customer, action;
  LoggedDecisions decisions() const { return {reward, propensity, target, customer}; }
};
Log draw(const LogWorld& world, std::uint64_t run);
double target_probability(const LogWorld& world, const Log& log, std::size_t row, std::uint32_t action);

/// Fair and weak overlap, heavy-tailed spend, customers with many rows, few conversions.
std::vector<LogWorld> log_worlds();

struct Tally {
  std::int64_t runs = 0, covered = 0, refused = 0;
  double error = 0, width = 0;  ///< sums
  void add(const Interval& interval, double truth);
  double coverage() const { return runs > 0 ? static_cast<double>(covered) / static_cast<double>(runs) : 0; }
  double bias() const { return runs > 0 ? error / static_cast<double>(runs) : 0; }
  double mean_width() const { return runs > 0 ? width / static_cast<double>(runs) : 0; }
};
struct Counts {
  std::map<std::string, Tally> by_interval;  ///< "snipw normal", "ipw bernstein", …
  std::int64_t refused = 0;
  double ess = 0;  ///< mean
};
struct RunOptions {
  int runs = 200;
  int resamples = 200;
  bool with_model = true;
  base::Executor* executor = nullptr;
};
Counts run(const LogWorld& world, const RunOptions& options);

/// Slates of three positions read from the first on: who has clicked seldom goes on. sips and cascade are right, iips is not.
std::map<std::string, Tally> run_slates(const RunOptions& options);
double slates_truth();

/// An experiment with two arms and a known difference; every customer with a value before.
struct ExperimentWorld {
  std::string name = {};
  std::size_t per_arm = 2000;
  double rate_control = 0.1, rate_treated = 0.12;
  double spend_sigma = -1;  ///< as above
  double sessions = 0;      ///< > 0: conversions per session with 1 + geometric(mean) sessions, customers differ; ratio metric
  double ratio_truth() const;  ///< difference of conversions per session
  double truth() const { return ratio_truth() * (1 + sessions); }
};
std::vector<ExperimentWorld> experiment_worlds();
std::map<std::string, Tally> run(const ExperimentWorld& world, const RunOptions& options);

/// 30 daily looks at two arms. `effect_errors`: true effect in standard errors of the last day. Shares of runs in which somebody who
/// looks daily sees an effect.
struct Peeking {
  double always_valid = 0;
  double plain = 0;
  double always_width = 0, plain_width = 0;  ///< on the last day, means
  double covered_all_days = 0;               ///< the sequence held the truth on every day
};
struct PeekingOptions {
  int runs = 1000;
  double effect_errors = 0;
  int per_day_and_arm = 100;
  bool skewed = false;  ///< spend instead of normal values
  base::Executor* executor = nullptr;
};
Peeking peek(const PeekingOptions& options);

}  // namespace beckon::stats::worlds
