#pragma once
// Is the price as good as drawn? Every column that was known before it is asked whether it predicts it.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "beckon/base/executor.h"
#include "beckon/base/result.h"
#include "beckon/table/table.h"

namespace beckon::price {

/// The rows of a table that are in use, with what was read from them.
struct Rows {
  std::span<const std::uint32_t> index;      ///< (n) rows of the table
  std::span<const double> price;             ///< (n) > 0
  std::span<const double> quantity;          ///< (n) >= 0
  std::span<const std::uint32_t> cell = {};  ///< (n) or empty
};

enum class Role {
  kKnownBefore,    ///< may have shaped the price, may be adjusted for
  kMadeFromPrice,  ///< equals the price on many rows or moves with it: says nothing about how it was set
  kCutsPrice,      ///< each value has a range of the price for itself: made from the price ("above normal"), or what decided it (a risk class)
  kAfterPurchase,  ///< filled in when something was bought: adjusting for it would hide the effect
};
struct ColumnRole {
  Role role = Role::kKnownBefore;
  std::string why;  ///< one half sentence, empty for kKnownBefore
};
/// Rules, in this order; "inside cells" leaves the mean of the cell out:
///   made from the price  rank correlation with the price of 0.98 or more in size inside cells; or equal to it on a fifth of the rows and
///                        five times as often as chance has it
///   cuts the price       twelve or fewer values that lie in separate ranges of the price in every cell with 10 rows of each
///   after the purchase   one value (or missing) on 98 % of the rows where nothing was bought, and on at most half of the others
/// What follows from the price by other ways (an application that was turned down) cannot be told from its values: leave it out by name.
ColumnRole role_of(const table::Column& column, const Rows& rows);

struct PredictabilityOptions {
  int permutations = 199;         ///< of the price inside its cells; at least 99
  std::size_t rows_max = 40'000;  ///< above, a random part of the rows (whole cells where these are small)
  double p_max = 0.01;            ///< over all columns together
  double r2_min = 0.001;          ///< less than a thousandth of the variance moves no elasticity worth speaking of
  std::uint64_t seed = 1;
  base::Executor* executor = nullptr;
};
struct Finding {
  std::string column;
  double r2 = 0;          ///< out of fold, of this column alone, of what the price has left inside cells
  double p_value = 1;     ///< adjusted for all columns asked (Westfall and Young 1993, studentised maximum over permutations)
  bool predicts = false;  ///< p_value <= p_max and r2 >= r2_min
};
struct Predictability {
  double r2 = 0;        ///< out of fold, of all columns together (ridge)
  double r2_low = 0;    ///< 95 % interval, delta method
  double r2_high = 0;
  double p_value = 1;   ///< permutation of the price inside cells
  bool predicts = false;  ///< any column, or all together
  std::int64_t rows = 0;
  std::vector<Finding> columns;  ///< best first
  std::vector<std::string> notes;
};
/// `log_price`: (n), or what is left of it beside other columns. Columns that are constant inside the cells are not asked.
base::Result<Predictability> price_predictability(std::span<const table::Column* const> columns,
                                                  std::span<const double> log_price,
                                                  const Rows& rows,
                                                  const PredictabilityOptions& options = {});

}  // namespace beckon::price
