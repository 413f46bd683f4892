#pragma once
// beckon evaluate experiment: docs/read-an-experiment.md.

#include <cstdint>
#include <string>
#include <vector>

#include "beckon/base/executor.h"
#include "beckon/base/json.h"
#include "beckon/base/result.h"

namespace beckon::study {

/// Names are columns of `file`; an empty name is a column that was not given.
struct ExperimentRequest {
  std::string file = {};
  std::string arm = {};
  std::vector<std::string> metrics = {};
  std::vector<std::string> ratios = {};  ///< "numerator/denominator"
  std::string covariate = {};            ///< known before the experiment: CUPED
  std::string strata = {};               ///< known before: post-stratification
  std::string customer = {};             ///< rows of one customer are added up
  std::string control = {};              ///< label of an arm; empty: the first in the order of the labels
  std::string expected = {};             ///< "1:1" in the order of the labels; empty: equal arms
  double winsor = 0;                     ///< values above this quantile of all arms become it, e.g. 0.99; 0: none
  double level = 0.95;
  double power = 0.8;
  std::int64_t best_at = 5000;           ///< customers near which the always-valid interval is tightest
  int replays = 500;                     ///< A/A replays; 0: none
  int resamples = 1000;                  ///< of the bootstrap; 0: none
  std::uint64_t seed = 1;
  std::string out = {};                  ///< folder for report.json and report.html
  base::Executor* executor = nullptr;
};

/// {"srm":{"p","warning",…},"arms":{label:{…}},"metrics":[{"name","arm","control","difference","lo","hi","always_valid_lo",
/// "always_valid_hi","p","p_holm","p_bh","mde",…}],"duplicates":{…},"warnings":[…]}.
/// invalid_argument and failed_precondition: columns or rows that cannot be used, fewer than two arms.
base::Result<base::Json> evaluate_experiment(const ExperimentRequest& request);

}  // namespace beckon::study
