#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "beckon/base/json.h"
#include "beckon/base/result.h"

namespace beckon::study {

struct UpliftRequest {
  std::string file;
  std::string treatment;                ///< column: who got what
  std::string control;                  ///< its value for those who got nothing; empty: 0, false, no, none, control
  std::vector<std::string> arms;        ///< of its values; empty: all others
  std::string outcome;                  ///< column of numbers
  std::vector<std::string> features;    ///< empty: all other columns that can be used
  std::string propensity;               ///< column with P(the arm that a row got); empty: estimated
  std::string customer;                 ///< column that names the customer, where he may have several rows
  std::string test_file;                ///< judges the chosen policy; empty: cross-fitting does
  double value = 1;                     ///< of a unit of outcome
  double cost = 0;                      ///< of a treatment
  bool with_economics = false;          ///< value and cost were given
  int folds = 5;
  std::vector<std::uint64_t> seeds = {1, 2, 3, 4, 5};
  int resamples = 400;
  bool nested = true;
  std::int64_t threads = 0;             ///< 0: one for each core
  std::string out;                      ///< folder for report.json and report.html; empty: none
  bool quiet = false;
};

/// docs/study-uplift.md says what the keys mean. Errors: not_found and failed_precondition name the column and what would mend it;
/// unavailable when stopped.
base::Result<base::Json> study_uplift(const UpliftRequest& request, const std::atomic<bool>& stop);

}  // namespace beckon::study
