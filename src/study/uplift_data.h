#pragma once
// Private to study: a file's rows as trials, one for each arm against control.

#include <string>
#include <vector>

#include "beckon/base/json.h"
#include "beckon/base/result.h"
#include "beckon/study/uplift.h"
#include "beckon/table/table.h"
#include "beckon/uplift/uplift.h"
#include "columns.h"

namespace beckon::study {

struct Arm {
  std::string label;
  std::vector<std::uint32_t> rows;  ///< of the usable table: this arm's and control's
  uplift::Trial trial;
  std::vector<std::uint32_t> customer = {};  ///< of `rows`, numbered alike in all arms; empty: each row is a customer
  double predictable = 0;           ///< z of "the columns tell who was treated" (rank sum of cross-fitted scores)
  bool randomised = true;           ///< nothing in the columns says otherwise, or the probabilities were given
};

struct UpliftData {
  std::string control;
  std::vector<Arm> arms;
  std::vector<std::string> features;
  std::vector<LeftOut> left_out;
  std::vector<std::string> notes;   ///< what was done with rows that could not be used as they are
  uplift::Encoder encoder;
  uplift::Response response = uplift::Response::kAmount;
  base::Json counts;                ///< rows, left out for which reason
};

/// failed_precondition: a constant treatment, an outcome without numbers, no usable column.
base::Result<UpliftData> read_uplift(const UpliftRequest& request);
/// The rows of another file for the same question: same columns, arms and outcome kind. Trials have the propensities of `learnt`.
base::Result<UpliftData> read_uplift_test(const UpliftRequest& request, const UpliftData& learnt);

/// How probable it is that P(treated) hangs on the columns: z of the area under the curve of cross-fitted scores; `share` gets them.
base::Result<double> predictability(const uplift::Trial& trial, std::vector<float>& share);

}  // namespace beckon::study
