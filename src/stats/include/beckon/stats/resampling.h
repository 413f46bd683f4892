#pragma once
// The bootstrap (Efron 1979): what the estimate would have been with other customers of the same kind. Permutation: what it would
// have been with another draw of the groups.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "beckon/base/executor.h"
#include "beckon/base/result.h"
#include "beckon/stats/intervals.h"

namespace beckon::stats {

struct BootstrapOptions {
  int resamples = 2000;  ///< at least 100
  double level = 0.95;
  std::uint64_t seed = 1;
  base::Executor* executor = nullptr;  ///< null: in this thread. The answer is the same for every executor.
};

/// Percentile interval of `statistic`, which gets the indexes of a resample (each in [0, count), repeats allowed) and must be
/// thread-safe. p_value: twice the smaller share of resamples on one side of 0. Needs two customers.
base::Result<Interval> bootstrap(std::size_t count,
                                 const std::function<double(std::span<const std::uint32_t>)>& statistic,
                                 const BootstrapOptions& options = {});

/// mean(a) - mean(b) of two policies or models scored on the same customers.
base::Result<Interval> paired_bootstrap(std::span<const double> a,
                                        std::span<const double> b,
                                        const BootstrapOptions& options = {});

struct PermutationOptions {
  int permutations = 1999;                     ///< at least 199
  double level = 0.95;
  std::uint64_t seed = 1;
  std::size_t smaller_group_max = 5000;        ///< above, Welch's interval, which is right by then
};

/// mean(treated) - mean(control) with the studentised permutation distribution instead of Student's (Janssen 1997; Chung and
/// Romano 2013). Without any effect it holds 0 in exactly `level` of all draws of the groups, however skewed the values and small the
/// groups; with one, asymptotically. A handful of large orders among 60 held-out customers is where Welch's interval is too
/// short. Needs two customers a group. O(permutations · smaller group).
base::Result<Interval> permuted_difference_of_means(std::span<const double> treated,
                                                    std::span<const double> control,
                                                    const PermutationOptions& options = {});

}  // namespace beckon::stats
