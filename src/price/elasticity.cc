#include "beckon/price/elasticity.h"

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "beckon/base/check.h"
#include "beckon/stats/distributions.h"
#include "dense.h"
#include "poisson.h"

namespace beckon::price {
namespace {

constexpr std::int64_t kFreeRowsMin = 3;  // rows beyond the effects and the slope

std::vector<double> logs(std::span<const double> values) {
  std::vector<double> out(values.size());
  std::ranges::transform(values, out.begin(), [](double v) { return std::log(v); });
  return out;
}

std::uint32_t group_at(const Observations& data, std::size_t row) { return data.group.empty() ? 0 : data.group[row]; }

// Sums of one group.
struct Sums {
  std::int64_t rows = 0;
  std::int64_t effects = 0;
  double xx = 0;
  double xy = 0;
  double price = 0;
  double quantity = 0;
  double log_price = 0;
  double log_price_squares = 0;
  double price_squares = 0;
  double log_price_within = 0;
  std::unordered_set<double> prices;
};

std::vector<Sums> sums_by_group(const Observations& data, std::size_t groups, const Codes& effects) {
  std::vector<Sums> sums(groups);
  const std::vector<double> log_price = logs(data.price);
  const std::vector<double> within = demeaned(log_price, effects);
  std::vector<bool> seen(effects.count, false);
  for (std::size_t i = 0; i < data.price.size(); ++i) {
    BECKON_CHECK(group_at(data, i) < groups);
    Sums& sum = sums[group_at(data, i)];
    ++sum.rows;
    sum.price += data.price[i];
    sum.quantity += data.quantity[i];
    sum.log_price += log_price[i];
    sum.log_price_within += within[i] * within[i];
    sum.prices.insert(data.price[i]);
    if (!seen[effects.code[i]]) {
      seen[effects.code[i]] = true;
      ++sum.effects;
    }
  }
  for (std::size_t i = 0; i < data.price.size(); ++i) {
    Sums& sum = sums[group_at(data, i)];
    const double away = log_price[i] - sum.log_price / static_cast<double>(sum.rows);
    sum.log_price_squares += away * away;
    const double level = data.price[i] - sum.price / static_cast<double>(sum.rows);
    sum.price_squares += level * level;
  }
  return sums;
}

Elasticity described(const Sums& sum) {
  Elasticity out;
  out.variation.rows = sum.rows;
  out.variation.distinct_prices = static_cast<std::int64_t>(sum.prices.size());
  out.variation.residual_share = sum.log_price_squares > 0 ? std::min(1.0, sum.log_price_within / sum.log_price_squares) : 0;
  if (sum.rows > 0) {
    out.mean_price = sum.price / static_cast<double>(sum.rows);
    out.mean_quantity = sum.quantity / static_cast<double>(sum.rows);
  }
  return out;
}

void set_interval(Elasticity& out, double level, double free_rows) {
  stats::Interval& e = out.elasticity;
  const double reach = stats::student_t_quantile(0.5 + level / 2, free_rows) * e.std_error;
  e.low = e.estimate - reach;
  e.high = e.estimate + reach;
  e.p_value = e.std_error > 0 ? 2 * stats::student_t_cdf(-std::abs(e.estimate / e.std_error), free_rows) : 1;
  out.identified = std::isfinite(e.estimate) && std::isfinite(e.std_error) && e.std_error > 0;
}

// What the slope is multiplied with, and how that factor moves with a row's price and quantity (delta method).
struct AtMean {
  double factor = 1;
  double of_price = 0;
  double of_quantity = 0;
};
AtMean at_mean(const Elasticity& group, Scale scale) {
  const double p = group.mean_price;
  const double q = group.mean_quantity;
  switch (scale) {
    case Scale::kLinearAtMean:
      return {p / q, 1 / q, -p / (q * q)};
    case Scale::kLogPriceAtMean:
      return {1 / q, 0, -1 / (q * q)};
    case Scale::kLogLog:
    case Scale::kPoisson:
      break;
  }
  return {};
}

struct Line {
  std::vector<double> x;  // demeaned inside effects
  std::vector<double> y;
};

Line line_of(const Observations& data, const Codes& effects, const ElasticityOptions& options) {
  if (options.residuals != nullptr) {
    BECKON_CHECK(options.residuals->price.size() == data.price.size() && options.residuals->quantity.size() == data.price.size());
    return {demeaned(options.residuals->price, effects), demeaned(options.residuals->quantity, effects)};
  }
  const bool level_price = options.scale == Scale::kLinearAtMean;
  const bool log_quantity = options.scale == Scale::kLogLog;
  return {level_price ? demeaned(data.price, effects) : demeaned(logs(data.price), effects),
          log_quantity ? demeaned(logs(data.quantity), effects) : demeaned(data.quantity, effects)};
}

std::vector<double> effect_sizes(const Codes& effects) {
  std::vector<double> sizes(effects.count, 0);
  for (const auto code : effects.code) {
    sizes[code] += 1;
  }
  return sizes;
}

// Least squares in each group, HC2 errors (MacKinnon and White 1985) as sums of squares of a row's influence.
std::vector<Elasticity> by_least_squares(const Observations& data, std::vector<Sums> sums, const Codes& effects, const ElasticityOptions& options) {
  const Line line = line_of(data, effects, options);
  const std::size_t n = data.price.size();
  for (std::size_t i = 0; i < n; ++i) {
    Sums& sum = sums[group_at(data, i)];
    sum.xx += line.x[i] * line.x[i];
    sum.xy += line.x[i] * line.y[i];
  }
  std::vector<Elasticity> out;
  std::vector<AtMean> means;
  for (const auto& sum : sums) {
    out.push_back(described(sum));
    means.push_back(at_mean(out.back(), options.scale));
    out.back().slope = sum.xx > 0 ? sum.xy / sum.xx : 0;
    out.back().elasticity.estimate = out.back().slope * means.back().factor;
    const double squares = options.scale == Scale::kLinearAtMean ? sum.price_squares : sum.log_price_squares;
    if (options.residuals != nullptr && squares > 0) {  // the columns took their part of the variation as well
      out.back().variation.residual_share = std::min(1.0, sum.xx / squares);
    }
  }
  const std::vector<double> sizes = effect_sizes(effects);
  std::vector<double> squares(sums.size(), 0);
  std::vector<double> slope_squares(sums.size(), 0);
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint32_t g = group_at(data, i);
    if (!(sums[g].xx > 0)) {
      continue;
    }
    const double leverage = std::min(0.99, line.x[i] * line.x[i] / sums[g].xx + 1 / sizes[effects.code[i]]);
    const double slope_part = line.x[i] * (line.y[i] - out[g].slope * line.x[i]) / std::sqrt(1 - leverage) / sums[g].xx;
    const auto rows = static_cast<double>(sums[g].rows);
    const double mean_part = out[g].slope / rows *
                             (means[g].of_price * (data.price[i] - out[g].mean_price) + means[g].of_quantity * (data.quantity[i] - out[g].mean_quantity));
    const double influence = means[g].factor * slope_part + mean_part;
    squares[g] += influence * influence;
    slope_squares[g] += slope_part * slope_part;
  }
  for (std::size_t g = 0; g < sums.size(); ++g) {
    const std::int64_t free_rows = sums[g].rows - sums[g].effects - 1;
    const double tiny = 1e-12 * std::max(1.0, std::abs(out[g].mean_price)) * static_cast<double>(sums[g].rows);
    if (free_rows >= kFreeRowsMin && sums[g].xx > tiny) {
      out[g].slope_std_error = std::sqrt(slope_squares[g]);
      out[g].elasticity.std_error = std::sqrt(squares[g]);
      set_interval(out[g], options.level, static_cast<double>(free_rows));
    }
  }
  return out;
}

std::vector<Elasticity> by_poisson(const Observations& data, const std::vector<Sums>& sums, const Codes& effects, const ElasticityOptions& options) {
  const std::vector<PoissonSlope> slopes = poisson_slopes({demeaned(logs(data.price), effects), data.quantity, effects, data.group}, sums.size());
  std::vector<Elasticity> out;
  for (std::size_t g = 0; g < sums.size(); ++g) {
    out.push_back(described(sums[g]));
    const std::int64_t free_rows = sums[g].rows - sums[g].effects - 1;
    if (slopes[g].converged && free_rows >= kFreeRowsMin) {
      const double fewer = std::sqrt(static_cast<double>(sums[g].rows) / static_cast<double>(free_rows));
      out[g].slope = out[g].elasticity.estimate = slopes[g].slope;
      out[g].slope_std_error = out[g].elasticity.std_error = slopes[g].std_error * fewer;
      set_interval(out[g], options.level, static_cast<double>(free_rows));
    }
  }
  return out;
}

void check(const Observations& data, const ElasticityOptions& options) {
  const std::size_t n = data.price.size();
  BECKON_CHECK(data.quantity.size() == n && (data.cell.empty() || data.cell.size() == n) && (data.group.empty() || data.group.size() == n));
  BECKON_CHECK(options.level > 0 && options.level < 1 && (options.residuals == nullptr || options.scale != Scale::kPoisson));
}

}  // namespace

std::string_view scale_name(Scale scale, bool binary) {
  switch (scale) {
    case Scale::kLogLog:
      return "log-log";
    case Scale::kLinearAtMean:
      return binary ? "linear probability at the mean" : "linear at the mean";
    case Scale::kPoisson:
      return "Poisson pseudo-likelihood";
    case Scale::kLogPriceAtMean:
      return "quantity on log price at the mean";
  }
  return {};
}

bool is_binary(std::span<const double> quantity) {
  return std::ranges::all_of(quantity, [](double q) { return q == 0 || q == 1; });
}

Scale scale_for(std::span<const double> quantity) {
  if (is_binary(quantity)) {
    return Scale::kLinearAtMean;
  }
  return std::ranges::all_of(quantity, [](double q) { return q > 0; }) ? Scale::kLogLog : Scale::kPoisson;
}

std::vector<Elasticity> elasticities(const Observations& data, std::size_t groups, const ElasticityOptions& options) {
  check(data, options);
  BECKON_CHECK(groups >= 1);
  const Codes effects = combine(data.cell, data.group, data.price.size());
  std::vector<Sums> sums = sums_by_group(data, groups, effects);
  return options.scale == Scale::kPoisson ? by_poisson(data, sums, effects, options) : by_least_squares(data, std::move(sums), effects, options);
}

base::Result<Elasticity> pooled_elasticity(const Observations& data, const ElasticityOptions& options) {
  Observations all = data;
  all.group = {};
  Elasticity out = elasticities(all, 1, options).front();
  if (!out.identified) {
    return base::failed_precondition(out.variation.distinct_prices < 2
                                         ? "the price is the same on every row: nothing can be learned from it"
                                         : "no elasticity: the price does not vary inside the cells, the quantity is the same everywhere, or there are "
                                           "fewer rows than cells and 4 more: name coarser cells");
  }
  return out;
}

}  // namespace beckon::price
