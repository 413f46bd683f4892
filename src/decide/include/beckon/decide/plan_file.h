#pragma once
// The plan as a file: one header line (certificate, budgets, totals, assumptions), one receipt per customer and slot, one seal.
// docs/formats/plan.md. An edited or truncated file is refused.

#include <string>
#include <string_view>
#include <vector>

#include "beckon/base/json.h"
#include "beckon/decide/decide.h"
#include "beckon/privacy/privacy.h"

namespace beckon::decide {

struct PlanFile {
  std::string campaign;
  std::string period;
  Plan plan;
  base::Instant made_at;
  bool replay = false;                     ///< made under --as-of
  std::vector<std::string> assumptions;    ///< what is believed, not measured
  measure::Layers layers;                  ///< the shares of its groups
  catalog::Judgement judgement;            ///< metric and horizon of the verdict, stored before the start
  std::string campaign_text;               ///< the campaign file it was made from
};

std::string write_plan(const PlanFile& file, const privacy::KeyRing& ring);
/// `name` is used in messages. invalid_argument when the seal does not fit, with how to mend it.
base::Result<PlanFile> read_plan(std::string_view text, const std::string& name, const privacy::KeyRing& ring);
/// Receipts as CSV for a spreadsheet.
std::string plan_csv(const Plan& plan);
/// Header of the file as JSON: certificate, budgets, offers, groups, reasons.
base::Json summary(const PlanFile& file);

}  // namespace beckon::decide
