#pragma once
// Whole picks out of dual prices: the best choice at those prices, made feasible in exact integers, then improved.

#include <span>
#include <vector>

#include "instance.h"

namespace beckon::allocate {

/// Picks with exact running totals. `remaining` may be negative only inside repair.
class Plan {
 public:
  Plan(const Problem& problem, std::vector<std::int64_t> pick);

  const std::vector<std::int64_t>& pick() const { return pick_; }
  std::int64_t value() const { return value_; }
  std::int64_t remaining(std::int32_t row) const { return remaining_[static_cast<std::size_t>(row)]; }
  std::int64_t at(std::int64_t slot) const { return pick_[static_cast<std::size_t>(slot)]; }
  std::int64_t customer_of(std::int64_t slot) const { return slot / problem_.picks_max; }

  /// Replaces what a slot holds; -1 for nothing.
  void set(std::int64_t slot, std::int64_t candidate);
  /// Whether the candidate fits into the rows once `without` (or -1) is given back.
  bool fits(std::int64_t candidate, std::int64_t without) const;
  /// Whether the customer may have it beside his other picks, the one in `slot` aside: not picked yet, group free.
  bool allowed(std::int64_t slot, std::int64_t candidate) const;
  bool touches_violated(std::int64_t candidate) const;
  std::int64_t violated_rows() const { return violated_; }

 private:
  void move(std::int64_t candidate, std::int64_t sign);
  const Problem& problem_;
  std::vector<std::int64_t> pick_;
  std::vector<std::int64_t> remaining_;
  std::int64_t value_ = 0;
  std::int64_t violated_ = 0;
};

/// value - Σ amount · dual, in the caller's units.
double reduced_value(const Problem& problem, std::int64_t candidate, std::span<const double> dual);

/// A feasible plan near the best choice at these prices.
Plan repair(const Context& context, std::span<const double> dual);

/// Upgrades, additions and exchanges of two until nothing helps or `target` is reached. Never lowers the value.
void improve(Plan& plan, const Context& context, std::span<const double> dual, double target);

/// A tie-breaker without preference for low numbers.
std::uint64_t mixed(std::uint64_t seed, std::int64_t index);

}  // namespace beckon::allocate
