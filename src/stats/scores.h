#pragma once
// Private to stats: estimates of the form Σ plain / Σ rows + Σ numerator / Σ denominator, where the sums run over customers.

#include <cstdint>
#include <span>
#include <vector>

#include "beckon/stats/off_policy.h"

namespace beckon::stats {

/// Customers numbered without gaps in the order of their first row.
struct Units {
  std::vector<std::uint32_t> of_row;
  std::vector<double> rows;  ///< per customer
  std::size_t count() const { return rows.size(); }
};
Units units_of(std::span<const std::uint32_t> customer, std::size_t rows);
/// Per customer, the sum over his rows.
std::vector<double> sums_by_unit(const Units& units, std::span<const double> of_row);

/// Per customer; an empty part is left out of the estimate, numerator and denominator come together.
struct Scores {
  std::vector<double> plain;
  std::vector<double> numerator;
  std::vector<double> denominator;
};
double value_of(const Units& units, const Scores& scores);
/// Sandwich error over customers. Needs two.
Interval normal_interval(const Units& units, const Scores& scores, double level);
/// The same with Hall's monotone cubic transformation for the skewness of the influences (Hall, JRSS B 1992): of a few large orders the
/// missing ones weigh more than the present ones, so the interval reaches further up than down.
Interval skewed_interval(const Units& units, const Scores& scores, double level);
/// One resample of customers serves all estimates, so that they can be compared.
std::vector<Interval> bootstrap_scores(const Units& units, std::span<const Scores> scores, const OffPolicyOptions& options);

}  // namespace beckon::stats
