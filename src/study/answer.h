#pragma once
// Private to study: what every command does with its result.

#include <string>

#include "beckon/base/json.h"
#include "beckon/base/result.h"
#include "beckon/report/report.h"
#include "beckon/stats/intervals.h"

namespace beckon::study {

/// `json` with "text" (the page for a terminal); with `out` also report.json and report.html in that folder, named in "files".
base::Result<base::Json> answer(base::Json json, const report::Page& page, const std::string& out);

/// Four significant digits, "–" for what is no number.
std::string shown(double value);
std::string shown(const base::Json& object, const std::string& key);
std::string percent(double share, int decimals = 1);
/// "low … high" of two members of `object`.
std::string shown_range(const base::Json& object, const std::string& low, const std::string& high);
/// The number, or null when it is none: JSON knows no NaN.
base::Json number_or_null(double value);

}  // namespace beckon::study
