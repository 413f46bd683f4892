#pragma once
// Histories → model::Sequence. The same function builds what is trained on and what is served.

#include <cstdint>
#include <vector>

#include "beckon/features/features.h"
#include "beckon/model/model.h"

namespace beckon::features {

/// Side columns of every position: step type, price band, gap since the step before (log scale), channel, promotion, and of the
/// item: top category, category path, brand (one value where the shop has no such words, or the column is
/// switched off).
std::vector<std::int32_t> side_sizes(const ItemWords& words = {});
/// Binary heads, in this order: buys anything within the horizon; clicks the next message that is delivered within the horizon.
constexpr std::int32_t kHeads = 2;
enum Head : std::size_t { kPurchaseHead = 0, kClickHead = 1 };

struct SequenceOptions {
  base::Instant as_of;                              ///< steps after it are not read as input
  base::Instant target_until;                       ///< targets and labels may come from up to here; as_of: none
  std::int64_t horizon_ms = 7 * base::kDayMs;
  bool targets_inside = true;                       ///< also for positions before the last moment (training)
  std::size_t steps_max = SIZE_MAX;                 ///< read so many steps at most: cuts inside one moment
};

/// Targets: at every position one item of the customer's next moment (purchases before views), never one of the same basket:
/// beckon acts between visits. Labels are -1 where the horizon reaches beyond target_until.
model::Sequence make_sequence(const History& history, const SequenceOptions& options);

/// Leaves as lessons only what followed `seen_until`: for a model that has learned up to there.
void learn_after(base::Instant seen_until, model::Sequence& sequence);
/// Tokens from warm_size on become 0, as input and as target: what a network is trained on that gets vectors of new items afterwards.
void forget_new_items(std::int32_t warm_size, std::vector<model::Sequence>& sequences);

/// Tokens bought in the first moment after `as_of` that holds any purchase (any step, in a shop without purchases), at most until
/// `until`: what next-basket measures ask for. Sorted, without 0.
std::vector<std::int32_t> next_basket(const History& history, base::Instant as_of, base::Instant until);
/// Tokens bought in (as_of, until]. Sorted, without 0.
std::vector<std::int32_t> bought_between(const History& history, base::Instant as_of, base::Instant until);

/// Cut times of a global time split: quantiles of the steps' times, rounded down to the day.
base::Instant time_quantile(const Dataset& data, double share);

}  // namespace beckon::features
