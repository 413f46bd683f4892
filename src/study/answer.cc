#include "answer.h"

#include <cmath>
#include <cstdio>

#include "beckon/base/filesystem.h"
#include "beckon/base/progress.h"

namespace beckon::study {

base::Result<base::Json> answer(base::Json json, const report::Page& page, const std::string& out) {
  if (!out.empty()) {
    base::PosixFileSystem files;
    BECKON_TRY_STATUS(files.make_dirs(out));
    BECKON_TRY_STATUS(files.write_atomic(out + "/report.json", base::to_pretty(json) + "\n"));
    BECKON_TRY_STATUS(files.write_atomic(out + "/report.html", report::to_html(page)));
    json["files"] = {out + "/report.json", out + "/report.html"};
  }
  json["text"] = report::to_terminal(page);
  return json;
}

std::string shown(double value) {
  if (!std::isfinite(value)) {
    return "–";
  }
  char text[48];
  if (std::abs(value) >= 10000) {
    return base::with_thousands(std::llround(value));
  }
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

std::string shown(const base::Json& object, const std::string& key) {
  return object.contains(key) && object[key].is_number() ? shown(object[key].get<double>()) : "–";
}

std::string percent(double share, int decimals) {
  if (!std::isfinite(share)) {
    return "–";
  }
  char text[48];
  std::snprintf(text, sizeof text, "%.*f %%", decimals, 100 * share);
  return text;
}

std::string shown_range(const base::Json& object, const std::string& low, const std::string& high) {
  return object.contains(low) && object[low].is_number() ? shown(object, low) + " … " + shown(object, high) : "–";
}

base::Json number_or_null(double value) { return std::isfinite(value) ? base::Json(value) : base::Json(nullptr); }

}  // namespace beckon::study
