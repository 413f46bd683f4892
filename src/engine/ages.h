#pragma once
// Private to engine: how old outcomes are. What may still be clicked is no "no", what may still come back is not sold, and a lift is looked at
// until as long after the campaign as it lasted.

#include "beckon/engine/engine.h"
#include "beckon/features/features.h"
#include "beckon/measure/weekly.h"
#include "outcomes.h"

namespace beckon::engine {

/// A customer's messages as of now: age, and after how long each was clicked.
std::vector<measure::Waiting> click_waits(const features::History& history, base::Instant now);
/// Delay from delivery to click over the whole shop; with too few clicks the curve that takes everything as come.
measure::DelayCurve click_delay(const features::Dataset& data, base::Instant now);

/// What the shop's purchases of the last year say about returns; failed_precondition when too few came back to foresee any.
base::Result<measure::ReturnCurve> returns_of(const Context& context);

/// What the whole shop says about ages, from one pass over it.
struct Ages {
  measure::DelayCurve clicks;      ///< delivery → click within the campaign's window; without answers when too few came
  measure::ReturnBook sales{{}};
};
base::Result<Ages> ages_of(const Context& context, const Planned& planned);

/// "weekly", "restated", "returns" and "click_delay" of a report.
base::Result<base::Json> ages_json(const Context& context, const Planned& planned, const Ages& ages);

}  // namespace beckon::engine
