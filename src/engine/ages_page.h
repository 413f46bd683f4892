#pragma once
// Private to engine: the sections of a campaign's page that are about time.

#include "beckon/base/json.h"
#include "beckon/report/report.h"

namespace beckon::engine {

/// Lift by week since the first treatment, until as long after the end as the campaign lasted. `ages`: of ages_json.
report::Section lasting_section(const base::Json& ages, const std::string& currency);
/// Profit net of returns, as known 30, 60 and 90 days after the end.
report::Section restated_section(const base::Json& ages, const std::string& currency);

}  // namespace beckon::engine
