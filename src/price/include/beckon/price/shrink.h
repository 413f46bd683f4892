#pragma once
// Groups pulled towards their parent: a noisy elasticity of an item is replaced by a mean of itself and of its group's, with weights
// that follow from how far the items differ beyond their noise (empirical Bayes; Gelman et al., Bayesian Data Analysis, 5.4).
//
//   estimate ~ N(group, std_error²)   group ~ N(parent, between²)   parent ~ N(mean, above²)   flat mean
//
// `between` and `above` are not plugged in but integrated over a half-Cauchy prior, so that three groups that happen to look alike
// are not collapsed into one, and intervals hold with few groups.

#include <cstdint>
#include <span>
#include <vector>

namespace beckon::price {

struct ShrinkInput {
  std::span<const double> estimate;            ///< (groups)
  std::span<const double> std_error;           ///< (groups); <= 0: this group could not be measured and gets its parent's value
  std::span<const std::uint32_t> parent = {};  ///< (groups) or empty: one parent
};
struct ShrinkOptions {
  double level = 0.95;
  double prior_scale = 0.5;  ///< of both half-Cauchy priors; elasticities have no unit
};

struct Shrunk {
  double value = 0;
  double std_error = 0;
  double low = 0;
  double high = 0;
  double own_weight = 0;      ///< 1: as measured; 0: the parent's
  double prior_mean = 0;      ///< the parent's value and how far a group lies from it: what to believe of a new group
  double prior_std_error = 0;
};
struct Shrinkage {
  std::vector<Shrunk> groups;
  double mean = 0;
  double mean_std_error = 0;
  double between = 0;  ///< deviation of groups around their parent, posterior mean
  double above = 0;    ///< deviation of parents around the mean, 0 with one parent
};
/// Nothing measured at all: every value is 0 with an infinite error, and the caller should not show it. O(groups · 2,304), 48 · groups
/// with one parent.
Shrinkage shrink(const ShrinkInput& input, const ShrinkOptions& options = {});

}  // namespace beckon::price
