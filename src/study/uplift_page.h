#pragma once
// Private to study: the figures of an uplift study as a page.

#include "beckon/base/json.h"
#include "beckon/report/report.h"

namespace beckon::study {

report::Page uplift_page(const base::Json& json);

}  // namespace beckon::study
