#pragma once
// Private to study: the answer of evaluate_ope as a page.

#include "beckon/base/json.h"
#include "beckon/report/report.h"

namespace beckon::study {

report::Page ope_page(const base::Json& json);

}  // namespace beckon::study
