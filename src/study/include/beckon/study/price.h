#pragma once
// beckon evaluate price: docs/study-prices.md.

#include <cstdint>
#include <string>
#include <vector>

#include "beckon/base/executor.h"
#include "beckon/base/json.h"
#include "beckon/base/result.h"

namespace beckon::study {

/// Names are columns of `file`.
struct PriceRequest {
  std::string file = {};
  std::string price = {};
  std::string quantity = {};
  std::vector<std::string> by = {};                 ///< one elasticity for each combination; the first is the parent of the others
  std::vector<std::string> randomised_within = {};  ///< the price was drawn at random among the rows that share these
  bool randomised = false;                          ///< … among all rows
  std::vector<std::string> features = {};           ///< taken out of price and quantity, residual on residual
  std::vector<std::string> ignore = {};             ///< not asked whether they predict the price
  std::vector<std::string> where = {};              ///< "column=value": only these rows
  bool audit = false;                               ///< features may be age, income and the like
  std::string placebo = {};                         ///< "shuffle": the prices change places over all rows, so that the truth is 0
  double public_amount = 0;                         ///< the public price; 0: the highest of the curve
  double unit_cost = 0;
  double level = 0.95;
  int permutations = 199;
  std::uint64_t seed = 1;
  std::string out = {};                             ///< folder for report.json and report.html
  base::Executor* executor = nullptr;
};

/// {"pooled":{"value","lo","hi","std_error","p_value","method","grade","slope",…,"variation":{…}},"plain":{…},"groups":[{"name","raw",
/// "shrunk","grade","variation"}],"shrinkage":{…},"price_predicted":{"r2",…,"columns":[…],"left_out":[…]},"curve":{"points":[…],
/// "depths":[…],"groups":[…]},"warnings":[{"kind","columns","text"}],"notes":[…],"rows":{…}}.
/// invalid_argument: a forbidden feature, a condition that is none; not_found: no such file or column; failed_precondition: a constant
/// price, too few rows, no variation inside the cells.
base::Result<base::Json> evaluate_price(const PriceRequest& request);

}  // namespace beckon::study
