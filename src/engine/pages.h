#pragma once
// Private to engine: numbers of a report → pages that `report` draws.

#include "beckon/report/report.h"
#include "outcomes.h"

namespace beckon::engine {

/// Prediction against what came later; needs a clock that can be set back.
base::Result<base::Json> replay_json(Context& context, const Planned& planned);

report::Page campaign_page(const Context& context, const base::Json& json);
/// The report of beckon evaluate.
report::Page evaluation_page(const base::Json& json);
report::Page replay_page(const Context& context, const base::Json& json);

/// Bins of {predicted, observed, low, high}.
report::Chart reliability_chart(const std::string& title, const base::Json& bins);

/// Shared by both: how good the model is on data it never saw, and how well its probabilities hold.
report::Section model_section(const base::Json& figures);

/// "1,234.56" of minor units in the campaign's currency.
std::string amount(std::int64_t minor, const std::string& currency);
std::string percent(double share, int decimals = 1);

/// The verdict of a campaign (verdict_json) and the shop's total (shop_total) in words.
report::Section verdict_section(const base::Json& judged, const std::string& currency);
report::Section shop_section(const base::Json& shop, const std::string& currency);

}  // namespace beckon::engine
