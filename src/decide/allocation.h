#pragma once
// Private to decide: budgets and quantities as rows, and the two ways of filling them.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "beckon/decide/decide.h"
#include "candidates.h"

namespace beckon::decide {

/// One customer on his way through the plan.
struct Work {
  const Person* person = nullptr;
  std::vector<Candidate> candidates;
  std::vector<std::size_t> choice;  ///< indexes of candidates, one per message
  double propensity = 1;
  bool randomised = false;
  bool wanted = false;              ///< had a choice that did not fit
  std::uint64_t order = 0;
};

/// Amount per row: budgets in millionths of a minor unit, quantities in pieces.
using Capacity = std::vector<std::int64_t>;

/// Rows: every budget, then every offer with a quantity.
class Rows {
 public:
  Rows(const catalog::Campaign& campaign, const measure::Layers& layers);
  /// The group's own share of everything, rounded down; the treated get the rest. The global holdout has none.
  Capacity share_of(events::Group group) const;
  /// (row, amount) pairs that a candidate uses.
  std::vector<std::pair<std::int32_t, std::int64_t>> uses(const Candidate& candidate) const;
  std::size_t budget_count() const { return campaign_.budgets.size(); }

 private:
  const catalog::Campaign& campaign_;
  const measure::Layers& layers_;
  std::vector<std::int32_t> quantity_row_;  ///< per offer; -1: no limit
  Capacity total_;
};

/// Keeps each member's choice while it fits, in the stable order; the others want but do not get.
void serve_in_order(const Rows& rows, std::vector<Work*>& members, Capacity& capacity);

struct Members {
  std::span<Work* const> works;
  Capacity* capacity;
};
/// Maximum value within the capacity; writes the duals of the budgets. The answer has been recounted by allocate::verify.
base::Result<Certificate> allocate_by_value(const PlanInput& input, const Rows& rows, const Members& members,
                                            std::vector<BudgetUse>& budgets);

}  // namespace beckon::decide
