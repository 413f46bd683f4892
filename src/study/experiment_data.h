#pragma once
// Private to study: the rows of an experiment as customers.

#include <cstdint>
#include <string>
#include <vector>

#include "beckon/study/experiment.h"
#include "columns.h"

namespace beckon::study {

/// One entry a customer who is in exactly one arm. NaN: missing.
struct ExperimentData {
  std::vector<std::string> arms;
  std::vector<std::uint32_t> arm;
  std::vector<std::string> names;            ///< of `values`: the metrics, then the parts of ratios
  std::vector<std::vector<double>> values;   ///< per name, per customer: sums over his rows
  std::vector<double> covariate;             ///< mean over his rows; empty: not given
  std::vector<std::uint32_t> stratum;        ///< empty: not given
  std::vector<std::int64_t> rows_of_arm;
  std::int64_t rows = 0;
  std::int64_t rows_without_arm = 0;
  std::int64_t covariate_missing = 0;
  std::int64_t duplicates = 0;               ///< customers in more than one arm, left out
  std::vector<std::string> warnings;

  const std::vector<double>& of(const std::string& name) const;
};
base::Result<ExperimentData> read_experiment(const ExperimentRequest& request);

/// "num/den" → its parts; invalid_argument otherwise.
base::Result<std::pair<std::string, std::string>> split_ratio(const std::string& text);

}  // namespace beckon::study
