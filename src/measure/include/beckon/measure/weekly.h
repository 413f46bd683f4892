#pragma once
// Does it last? The lift of each week since a customer's first treatment (or the moment when he would have had it), and of all weeks up to
// it. Sales that were only pulled forward show as weeks below zero after those above it, and end at zero together.

#include <cstdint>
#include <span>
#include <vector>

#include "beckon/measure/measure.h"

namespace beckon::measure {

constexpr std::int64_t kWeekMs = 7 * base::kDayMs;

/// Weeks from the start to as long after the end as the campaign lasted, at least 2. At most 52.
std::int64_t weeks_to_watch(base::Instant starts, base::Instant ends);

struct WeekLift {
  std::int64_t week = 1;      ///< 1: the seven days after the decision
  std::int64_t waiting = 0;   ///< customers whose week is not over: in neither comparison, so that all are compared at equal age
  Lift lift;                  ///< of this week alone, whole audience by assignment
  Lift so_far;                ///< of all weeks up to it
};

/// The same decisions observed with attribution_ms = `week` and `week` - 1 weeks (none for week 1), in the same order.
struct WeekView {
  std::int64_t week = 1;
  std::span<const Outcome> until_end;
  std::span<const Outcome> until_start;
  base::Instant as_of;
};
WeekLift week_lift(const WeekView& view, Metric metric);

}  // namespace beckon::measure
