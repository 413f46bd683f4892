#pragma once
// How many purchases an offer adds, as a share of those that would happen anyway: what the shop stated, until its own randomised groups say
// better. Every figure carries where it comes from. Immutable once learned; thread-safe.

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "beckon/catalog/catalog.h"
#include "beckon/measure/evidence.h"

namespace beckon::response {

/// What one campaign found for one offer in one category.
struct Finding {
  catalog::OfferKind kind = catalog::OfferKind::kNone;
  std::int64_t depth_bp = 0;       ///< 0 for kinds without a depth
  std::string category;            ///< top category of the item; "" where it has none
  measure::ShareEstimate estimate;
};

struct Effect {
  double extra_share = 0;
  double low = 0;                      ///< 95 % interval
  double high = 0;
  std::string grade = "assumed";       ///< "randomised" once own groups say more than the statement does
  std::int64_t customers = 0;          ///< whose outcomes speak, treated and ghosts
  std::int64_t customers_needed = 0;   ///< more of them until "assumed" can end, as far as can be told; 0: ended, or nothing to tell it by
  std::map<std::string, double> by_category;  ///< where a category says something of its own
};

/// Findings of all campaigns. An offer's own value: theirs and the shop's statement, each by its precision. A category's: the offer's value
/// and how far the category lies from the others, shrunk (beckon/price/shrink.h). Deeper discounts of a kind never add less than
/// shallower ones.
class EffectBook {
 public:
  EffectBook(const catalog::Shop& shop, std::span<const Finding> findings);

  /// An offer of a depth that was never tried lies between its neighbours, and keeps the grade "assumed".
  Effect of(const catalog::Offer& offer) const;

 private:
  struct Key {
    catalog::OfferKind kind;
    std::int64_t depth_bp;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  void make_monotone();

  const catalog::Shop* shop_;
  std::map<Key, Effect> effects_;
};

}  // namespace beckon::response
