#pragma once
// Private to decide: candidates of one customer and what they are worth.

#include <cstdint>
#include <vector>

#include "beckon/decide/decide.h"

namespace beckon::decide {

struct Candidate {
  std::int32_t item = 0;
  std::int32_t offer = 0;     ///< index into the campaign's offers
  std::int32_t permit = 0;    ///< index into the person's permits
  int hour = 0;
  std::int64_t value_micro = 0;
  std::int64_t expected_cost_micro = 0;
  std::int64_t face_minor = 0;
  std::int64_t send_cost_micro = 0;
  double click_probability = 0;
  double buy_probability = 0;
  double extra_share = 0;
};

/// One item under one offer: exact amounts, computed once for the whole plan.
struct Deal {
  bool applies = false;
  std::int64_t price_minor = 0;
  std::int64_t face_minor = 0;
  std::int64_t margin_minor = 0;   ///< of a piece, before the offer
  double kept_share = 1;           ///< of what is sold: what comes back brings no margin and costs no discount
};

/// items × offers, row-major.
class DealTable {
 public:
  explicit DealTable(const PlanInput& input);
  const Deal& at(std::int32_t item, std::int32_t offer) const {
    return deals_[static_cast<std::size_t>(item) * offers_ + static_cast<std::size_t>(offer)];
  }

 private:
  std::size_t offers_;
  std::vector<Deal> deals_;
};

/// Everything this person could get, in a fixed order (item, offer, channel). Empty when nothing applies.
std::vector<Candidate> candidates_of(const PlanInput& input, const DealTable& deals, const Person& person);

/// Indexes of the offers a campaign may use; a regulated shop has no personal depth, so only the first.
std::vector<std::int32_t> usable_offers(const PlanInput& input);

}  // namespace beckon::decide
