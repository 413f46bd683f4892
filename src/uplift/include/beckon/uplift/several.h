#pragma once
// Several treatments: which one for whom, if any. Effects of every arm against control are learned on customers of other folds; a customer gets
// the arm with the greatest value·effect - cost, nobody's arm where none is above 0. The rule is valued by what happened to those who by
// chance got what it wanted (Horvitz and Thompson 1952, self-normalised), beside each arm for everybody.

#include <atomic>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "beckon/base/executor.h"
#include "beckon/uplift/curve.h"

namespace beckon::uplift {

/// One arm's trial and where its rows stand in the common list of rows.
struct ArmTrial {
  const Trial* trial = nullptr;
  std::span<const std::uint32_t> rows;  ///< of the trial's rows, ascending; control stands in every arm
  double cost = 0;                      ///< of one treatment
  std::span<const std::uint32_t> customer = {};  ///< of the trial's rows, numbered alike in all arms; empty: each row is a customer
};

struct SeveralOptions {
  std::vector<const Base*> bases;
  double value = 1;   ///< of a unit of outcome
  int folds = 5;
  std::vector<std::uint64_t> seeds = {1};
  int resamples = 400;
  double level = 0.95;
  base::Executor* executor = nullptr;
  const std::atomic<bool>* stop = nullptr;
};

/// Value a head above treating nobody.
struct RuleValue {
  double gain = 0;
  double low = 0;
  double high = 0;
};

struct Several {
  std::vector<double> share;        ///< of customers to each arm by the rule; the rest gets nothing
  RuleValue rule;
  std::vector<RuleValue> everybody;  ///< each arm for all
  std::size_t best_arm = 0;          ///< greatest of them
  RuleValue over_best;               ///< rule less the better of the best arm and nobody, resampled together
  bool rule_is_better = false;       ///< over_best.low > 0: else one arm for all, or nobody, is enough
};

/// At least two arms with a common control; failed_precondition when a group is too small for the folds, unavailable when stopped.
base::Result<Several> assign_arms(std::span<const ArmTrial> arms, const SeveralOptions& options);

}  // namespace beckon::uplift
