#pragma once
// What another policy would have earned, from the log of the one that ran. Notation: w = target / propensity of the shown action,
// r = reward, q = modelled reward of the shown action, v = Σ_a target(a) q(a). All values are means per logged row.

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "beckon/base/executor.h"
#include "beckon/base/result.h"
#include "beckon/stats/intervals.h"

namespace beckon::stats {

/// All spans have one entry a row, except that optional ones may be empty.
struct LoggedDecisions {
  std::span<const double> reward;
  std::span<const double> propensity;                ///< of the shown action under the policy that ran, in (0, 1]
  std::span<const double> target;                    ///< of the shown action under the policy to be judged, in [0, 1]
  std::span<const std::uint32_t> customer = {};      ///< rows of one customer are resampled together; empty: each row its own
};
/// failed_precondition that counts the rows with a reward that is not finite or a probability out of its range and names the first.
base::Status check_log(const LoggedDecisions& log);
std::vector<double> importance_weights(const LoggedDecisions& log);

/// kIpw       mean(w r) (Horvitz–Thompson)                                unbiased
/// kIpwClipped mean(min(w, limit) r) (Ionides 2008)                       biased
/// kSnipw     Σ w r / Σ w (Hájek)                                         bias of order 1/n
/// kDm        mean(v)                                                     biased unless the model is right
/// kDr        mean(v + w (r - q)) (Dudík et al. 2014)                     unbiased
/// kSndr      mean(v) + Σ w (r - q) / Σ w                                 bias of order 1/n
/// kSwitchDr  as kDr, with w = 0 above limit (Wang et al. 2017)           biased
/// kDrOs      as kDr, with w → limit · w / (w² + limit) (Su et al. 2020)  biased
/// kMipw      mean(w_c r), w_c of the action's category (Saito and Joachims 2022); biased when the action acts past its category
enum class Estimator { kIpw, kIpwClipped, kSnipw, kDm, kDr, kSndr, kSwitchDr, kDrOs, kMipw };
std::string_view name_of(Estimator estimator);  ///< "ipw", "ipw_clipped", …
bool is_biased(Estimator estimator);            ///< by construction: shown, never the headline

struct OffPolicyInputs {
  LoggedDecisions log;
  std::span<const double> model_shown = {};     ///< q, from data without the row (cross-fitted)
  std::span<const double> model_target = {};    ///< v; both or none
  bool model_knows_actions = true;              ///< false: q = v, a baseline of the context alone; then no kDm, kSwitchDr, kDrOs
  std::span<const double> category_weight = {}; ///< w_c
};
struct OffPolicyOptions {
  double level = 0.95;
  double clip = 0;           ///< limit of kIpwClipped; 0: of ten, the one with the least estimated mean squared error
  double switch_above = 0;   ///< limit of kSwitchDr; 0: chosen likewise
  double shrinkage = 0;      ///< limit of kDrOs; 0: chosen likewise
  double weight_bound = 0;   ///< largest weight that could occur, for empirical Bernstein; 0: no such interval
  double reward_low = 0;     ///< rewards lie in [reward_low, reward_high], known beforehand; equal: no empirical Bernstein
  double reward_high = 0;
  int resamples = 1000;      ///< of the bootstrap by customer; 0: none
  std::uint64_t seed = 1;
  base::Executor* executor = nullptr;
};
struct PolicyValue {
  Estimator estimator = Estimator::kIpw;
  double value = 0;
  Interval normal;                    ///< sandwich error over customers
  Interval skewed;                    ///< the same, corrected for skewness (Hall 1992): the one to report
  std::optional<Interval> bootstrap;  ///< percentile, by customer
  std::optional<Interval> bernstein;  ///< Maurer and Pontil 2009: holds at every n, when the bounds are true; unbiased means only
  double limit = 0;                   ///< the one used; 0 where there is none
  Interval gain;                      ///< less the mean reward of the log, corrected for skewness likewise
};
/// Every estimator that the inputs allow, in the order of the enum. Says nothing about overlap: ask judge_overlap() first.
base::Result<std::vector<PolicyValue>> estimate_policy(const OffPolicyInputs& inputs, const OffPolicyOptions& options = {});

/// Mean with an interval that holds at every n for values in a range of length `range` (Maurer and Pontil, COLT'09, theorem 4).
base::Result<Interval> empirical_bernstein(const Moments& values, double range, double level = 0.95);

/// Lists of several actions shown at once. Rows of one slate share `slate`; `position` orders them, first shown first.
struct SlateLog {
  std::span<const std::uint32_t> slate;
  std::span<const double> position;
  LoggedDecisions rows;  ///< per position; a customer holds whole slates
};
/// Rewards of a slate are added up; the value is the mean per slate. `sips` weights by the whole slate (unbiased, wild), `iips` each
/// position by itself (right when positions do not influence one another; Li et al. 2018), `cascade` each position by those up to it
/// (right when the reader goes from first to last; McInerney et al. 2020, "RIPS").
struct SlateValue {
  std::string_view name;
  Interval value;
  double ess = 0;  ///< smallest over positions, of the weights used there
  double max_weight = 0;
};
base::Result<std::vector<SlateValue>> estimate_slates(const SlateLog& log, double level = 0.95);

}  // namespace beckon::stats
