#pragma once
// What own randomised groups say about the effect of an offer, as evidence that can be pooled over campaigns. Pure, thread-safe.

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>

#include "beckon/measure/measure.h"

namespace beckon::measure {

/// Chosen customers against ghost picks, by the promoted item alone. Both sides were chosen by the same rule before anything was sent, so
/// their difference is the message's doing.
struct Evidence {
  std::int64_t treated = 0;   ///< customers
  std::int64_t control = 0;
  double extra = 0;           ///< share that bought the promoted item: treated less ghosts
  double extra_variance = 0;
  double base = 0;            ///< mean predicted probability of buying it without any message, over both
};

/// Key (an offer, an offer in a category, …) → evidence. Customers whose window is not over are left out: an unripe no is not a no.
std::map<std::string, Evidence> evidence_of(std::span<const Outcome> outcomes, const std::function<std::string(const events::Decision&)>& key);

/// Extra purchases as a share of those that would happen anyway (decide's extra_share).
struct ShareEstimate {
  double share = 0;
  double std_error = 0;       ///< infinite when nothing can be said
  std::int64_t treated = 0;
  std::int64_t control = 0;
};
/// Of one campaign. The base is taken as known: it is a mean of many calibrated predictions.
ShareEstimate share_of(const Evidence& evidence);
/// Weighted by inverse variance; estimates of campaigns with different customers or periods.
ShareEstimate pooled(std::span<const ShareEstimate> estimates);

}  // namespace beckon::measure
