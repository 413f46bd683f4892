#pragma once
// beckon evaluate ope: docs/evaluate-a-policy.md.

#include <cstdint>
#include <string>
#include <vector>

#include "beckon/base/executor.h"
#include "beckon/base/json.h"
#include "beckon/base/result.h"

namespace beckon::study {

/// Names are columns of `file`; an empty name is a column that was not given.
struct OpeRequest {
  std::string file = {};
  std::string reward = {};
  std::vector<std::string> propensity = {};  ///< one column; or several "logger=column" with `logger`
  std::string logger = {};                   ///< who showed the row: the names before the '=' of `propensity`
  std::string target = {};                   ///< probability of the shown action; may be left out when the distribution is given
  std::string action = {};
  std::string target_table = {};             ///< CSV file: action, probability, and any columns that the policy looks at
  std::string target_columns = {};           ///< prefix: a column per action with its probability, e.g. target_ for target_17
  std::vector<std::string> features = {};    ///< of the reward model
  std::string customer = {};
  std::string slate = {};
  std::string position = {};
  std::string category_propensity = {};      ///< probability of the shown action's category under the policy that ran …
  std::string category_target = {};          ///< … and under the one to be judged
  double clip = 0;                           ///< 0: chosen from the data, as the next two
  double switch_above = 0;
  double shrinkage = 0;
  double weight_bound = 0;                   ///< largest weight that could occur; 0: no empirical Bernstein interval
  double reward_low = 0;
  double reward_high = 0;
  double level = 0.95;
  int resamples = 1000;
  std::uint64_t seed = 1;
  std::string out = {};                      ///< folder for report.json and report.html
  base::Executor* executor = nullptr;
};

/// {"rows","rows_left_out","customers","ess","ess_customers","max_weight","mean_weight","k_hat","refused","reason","headline",
/// "estimates":{name:{"value","lo","hi","biased",…}},"warnings":[…]}. When refused, "estimates" is empty.
/// invalid_argument and failed_precondition: columns or rows that cannot be used, with their number.
base::Result<base::Json> evaluate_ope(const OpeRequest& request);

}  // namespace beckon::study
