#pragma once
// Private to engine: what came back, per planned campaign period.

#include <string>
#include <vector>

#include "beckon/engine/engine.h"
#include "beckon/measure/measure.h"

namespace beckon::engine {

struct Planned {
  std::string path;               ///< of the newest plan file of the period
  decide::PlanFile file;
  catalog::Campaign campaign;
};

/// What a note "plan|…" names.
base::Result<Planned> planned_of(const Context& context, const std::string& note);
/// Newest plan of every campaign period, by campaign and period.
base::Result<std::vector<Planned>> planned_campaigns(const Context& context);

/// Costs and margins of the shop; the window still has to be set.
base::Result<measure::OutcomeOptions> shop_costs(const Context& context);

/// One outcome per decision of the period over `window_ms` (0: the campaign's attribution window), as far as the clock has come. Under a
/// replay events after the plan count as the future that is compared with.
base::Result<std::vector<measure::Outcome>> outcomes_of(const Context& context, const Planned& planned, std::int64_t window_ms = 0);
base::Json outcome_json(const measure::Outcome& outcome);

/// Redemptions and expiries leave escrow, as far as the clock has come.
base::Result<std::int64_t> settle(Context& context, const Planned& planned, const std::vector<measure::Outcome>& outcomes);

}  // namespace beckon::engine
