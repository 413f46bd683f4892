#pragma once
// Private to engine: what a campaign's groups can show before it starts, what may be said of it afterwards, and what the shop as a whole gained.

#include "campaigns.h"
#include "outcomes.h"

namespace beckon::engine {

/// For the plan: the smallest effect that its groups can show over the horizon, judged by what the audience did over a window as long
/// before now, and sizes that would show what the plan expects. One object per comparison.
base::Result<base::Json> size_advice(const Context& context, const PlanMaterial& material, const decide::PlanFile& file);

/// For the report: the verdict by the metric and horizon stored in the plan, with its interval; leakage; business as usual.
base::Result<base::Json> verdict_json(const Context& context, const Planned& planned);

/// Everybody outside the shop's global holdout against everybody in it, since the first message left: the only total there is, because lifts
/// of campaigns are never summed. null before the first message, or without a global holdout.
base::Result<base::Json> shop_total(const Context& context, const std::vector<Planned>& campaigns);

base::Json lift_json(const measure::Lift& lift);

}  // namespace beckon::engine
