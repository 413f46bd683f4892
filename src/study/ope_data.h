#pragma once
// Private to study: the columns of a log, checked, as the estimators take them.

#include <cstdint>
#include <string>
#include <vector>

#include "beckon/study/ope.h"
#include "columns.h"

namespace beckon::study {

/// The target policy over all actions. Rows that look alike to it share a line of `table`.
struct Distribution {
  std::vector<std::uint32_t> line_of_row;
  std::vector<double> table;  ///< (lines, actions)
  std::size_t actions = 0;
  double at(std::size_t row, std::uint32_t action) const { return table[line_of_row[row] * actions + action]; }
};

struct OpeData {
  std::vector<double> reward;
  std::vector<double> propensity;
  std::vector<double> target;
  std::vector<std::uint32_t> customer;    ///< empty: each row its own
  std::vector<std::uint32_t> action;      ///< empty: not given
  std::vector<std::string> action_names;
  Distribution distribution;              ///< actions = 0: not given
  Features features;
  std::vector<double> category_weight;
  std::vector<std::uint32_t> slate;
  std::vector<double> position;
  std::int64_t left_out = 0;              ///< rows without a reward
  std::vector<std::string> warnings;
};
base::Result<OpeData> read_log(const OpeRequest& request);

}  // namespace beckon::study
