#pragma once
// Private to study: which columns of a file may explain who reacts.

#include "columns.h"
#include "uplift_data.h"

namespace beckon::study {

struct FeatureChoice {
  std::vector<std::string> features;
  std::vector<LeftOut> left_out;
};

/// The columns named, or all that are neither dates, nor names of rows, nor consequences of the treatment.
base::Result<FeatureChoice> choose_features(const UpliftRequest& request, const table::Table& table, const Coded& treatment);

}  // namespace beckon::study
