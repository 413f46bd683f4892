#pragma once
// Elasticities: by how many percent demand changes when the price rises by one percent, from the variation of the price inside cells
// (rows that share an effect of their own: item, store and week, or the strata within which a price was drawn).

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "beckon/base/result.h"
#include "beckon/stats/intervals.h"

namespace beckon::price {

enum class Scale {
  kLogLog,          ///< log quantity on log price: the slope is the elasticity. Positive quantities
  kLinearAtMean,    ///< quantity on price; elasticity = slope · mean price / mean quantity. For 0/1: the linear probability model
  kPoisson,         ///< E[quantity] = exp(effect of the cell + e · log price) by pseudo-likelihood (Gourieroux et al. 1984). Zeros allowed
  kLogPriceAtMean,  ///< quantity on log price, over the mean quantity: what residual on residual takes where there are zeros
};
/// Short, for people: "log-log", "linear probability at the mean", ….
std::string_view scale_name(Scale scale, bool binary);

/// Whether every quantity is 0 or 1.
bool is_binary(std::span<const double> quantity);
/// 0/1: kLinearAtMean; with zeros: kPoisson; positive: kLogLog.
Scale scale_for(std::span<const double> quantity);

struct Observations {
  std::span<const double> price;               ///< (n), > 0, finite
  std::span<const double> quantity;            ///< (n), >= 0, finite
  std::span<const std::uint32_t> cell = {};    ///< (n) or empty: one cell
  std::span<const std::uint32_t> group = {};   ///< (n) or empty: one group; an effect is a cell of a group
};

/// Price and quantity less what other columns predict, in the units of the scale (crossfit.h).
struct Residuals {
  std::vector<double> price;     ///< (n): of log price, or of the price (kLinearAtMean)
  std::vector<double> quantity;  ///< (n): of log quantity (kLogLog), or of the quantity
};

/// What an elasticity was read from: nothing is learned from a price that does not move.
struct Variation {
  double residual_share = 0;  ///< variance of log price left inside cells, of all there is; with residuals and kLinearAtMean: of the price
  std::int64_t rows = 0;
  std::int64_t distinct_prices = 0;
};

struct Elasticity {
  bool identified = false;     ///< false: the price does not vary inside a cell, or too few rows; the interval means nothing
  stats::Interval elasticity;  ///< errors that hold for unequal variances (HC2), Student's t; delta method for the means
  double slope = 0;            ///< in the units of the scale
  double slope_std_error = 0;
  double mean_price = 0;
  double mean_quantity = 0;
  Variation variation;
};

struct ElasticityOptions {
  Scale scale = Scale::kLogLog;
  double level = 0.95;
  const Residuals* residuals = nullptr;  ///< not with kPoisson
};

/// One for each group, in the order of the codes 0 … groups-1 (groups >= 1; a code without rows is not identified). O(n).
std::vector<Elasticity> elasticities(const Observations& data, std::size_t groups, const ElasticityOptions& options);
/// All rows together: `group` is not read. failed_precondition when the price does not vary inside the cells.
base::Result<Elasticity> pooled_elasticity(const Observations& data, const ElasticityOptions& options);

}  // namespace beckon::price
