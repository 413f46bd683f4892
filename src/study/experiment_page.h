#pragma once
// Private to study: the answer of evaluate_experiment as a page.

#include "beckon/base/json.h"
#include "beckon/report/report.h"

namespace beckon::study {

report::Page experiment_page(const base::Json& json);

}  // namespace beckon::study
