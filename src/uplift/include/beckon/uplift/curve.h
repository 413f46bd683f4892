#pragma once
// How good a ranking is when one treats from its top: Qini, uplift at a share, profit of a threshold.
//
// Counts are weighted by ē/e(x) for the treated and (1-ē)/(1-e(x)) for the others, ē: the share of treated, so that an uneven design is mended;
// where e is the same for everybody each counts once.

#include <cstdint>
#include <span>
#include <vector>

#include "beckon/uplift/learners.h"

namespace beckon::uplift {

/// A trial's rows from the highest score to the lowest; equal scores in an order drawn from the seed.
class Ranking {
 public:
  Ranking(const Trial& trial, std::span<const float> score, std::uint64_t seed);

  /// Qini = (1/N)·[∫₀¹ g(φ)dφ - g(1)/2], g(φ) = Y_T - Y_C·N_T/N_C among the top share φ: outcome a head that this order gains over a random one,
  /// averaged over how many are treated. `times`: how often each customer counts (a resample); empty: once.
  double qini(std::span<const std::uint16_t> times = {}) const;
  /// Mean outcome of the treated less that of the others among the top share; NaN when a group is missing there.
  double uplift_at(double share) const;

  struct Group {
    double score = 0;   ///< mean of the scores
    double effect = 0;  ///< mean outcome of its treated less that of the others; NaN when one is missing
    double std_error = 0;
  };
  /// Customers in `count` groups of equal size, highest scores first: do effects fall as the scores say?
  std::vector<Group> groups(std::size_t count) const;

  /// The curve at `points` + 1 shares from 0 to 1: g(φ)/N.
  std::vector<double> curve(std::size_t points) const;

 private:
  struct Entry {
    std::uint32_t customer;
    float score;
    float outcome;   // times weight
    float weight;
    bool treated;
  };
  std::vector<Entry> entries_;
};

/// (t/e - (1-t)/(1-e))·y: its mean among any customers chosen by their columns estimates their effect without bias (Horvitz and Thompson 1952).
double transformed_outcome(const Trial& trial, std::size_t row);

struct Economics {
  double value = 1;  ///< of a unit of outcome
  double cost = 0;   ///< of a treatment
};

struct Threshold {
  double score = 0;   ///< treat where the score is above it; -inf: everybody, +inf: nobody
  double profit = 0;  ///< a head, on the rows it was chosen on: too good
};
/// The threshold with the greatest Σ (value·transformed outcome - cost) over `rows`, whose scores stand beside them.
Threshold best_threshold(const Trial& trial, std::span<const std::uint32_t> rows, std::span<const float> score, const Economics& economics);

struct PolicyValue {
  double share_treated = 0;
  double irr = 0;      ///< incremental response rate among the chosen: Y_T/N_T - Y_C/N_C; NaN when a group is missing
  double nir = 0;      ///< net incremental revenue: value·Y_T - cost·N_T - value·Y_C·N_T/N_C
  double profit = 0;   ///< a head: mean of [chosen]·(value·transformed outcome - cost)
  double low = 0;
  double high = 0;
};
/// Values of treating the rows with `chosen` ≠ 0; interval: normal, with the standard error of sums a customer.
PolicyValue policy_value(const Trial& trial, std::span<const std::uint8_t> chosen, const Economics& economics, double level = 0.95);

}  // namespace beckon::uplift
