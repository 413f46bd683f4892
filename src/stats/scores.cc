#include "scores.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "beckon/base/check.h"
#include "beckon/base/rng.h"
#include "beckon/stats/distributions.h"
#include "quantile.h"

namespace beckon::stats {
namespace {

constexpr std::uint32_t kUnseen = 0xFFFFFFFFU;

struct Sums {
  double plain = 0;
  double rows = 0;
  double numerator = 0;
  double denominator = 0;

  double value() const { return (rows > 0 ? plain / rows : 0) + (denominator > 0 ? numerator / denominator : 0); }
};

void add(Sums& sums, const Units& units, const Scores& scores, std::size_t unit) {
  sums.rows += units.rows[unit];
  if (!scores.plain.empty()) {
    sums.plain += scores.plain[unit];
  }
  if (!scores.numerator.empty()) {
    sums.numerator += scores.numerator[unit];
    sums.denominator += scores.denominator[unit];
  }
}

Sums total(const Units& units, const Scores& scores) {
  Sums sums;
  for (std::size_t unit = 0; unit < units.count(); ++unit) {
    add(sums, units, scores, unit);
  }
  return sums;
}

}  // namespace

Units units_of(std::span<const std::uint32_t> customer, std::size_t rows) {
  BECKON_CHECK(customer.empty() || customer.size() == rows);
  Units units;
  units.of_row.resize(rows);
  if (customer.empty()) {
    std::iota(units.of_row.begin(), units.of_row.end(), 0U);
    units.rows.assign(rows, 1);
    return units;
  }
  const std::uint32_t largest = rows == 0 ? 0 : *std::max_element(customer.begin(), customer.end());
  std::vector<std::uint32_t> number(static_cast<std::size_t>(largest) + 1, kUnseen);
  for (std::size_t row = 0; row < rows; ++row) {
    std::uint32_t& unit = number[customer[row]];
    if (unit == kUnseen) {
      unit = static_cast<std::uint32_t>(units.rows.size());
      units.rows.push_back(0);
    }
    units.of_row[row] = unit;
    units.rows[unit] += 1;
  }
  return units;
}

std::vector<double> sums_by_unit(const Units& units, std::span<const double> of_row) {
  std::vector<double> sums(units.count(), 0);
  for (std::size_t row = 0; row < of_row.size(); ++row) {
    sums[units.of_row[row]] += of_row[row];
  }
  return sums;
}

double value_of(const Units& units, const Scores& scores) { return total(units, scores).value(); }

namespace {

struct Influence {
  double value = 0;
  double error = 0;
  double skewness = 0;  // of one customer's influence
  double count = 0;
};

// What each customer moves the estimate by, first order; they add up to 0.
Influence influence_of(const Units& units, const Scores& scores) {
  const Sums sums = total(units, scores);
  const double mean = sums.plain / sums.rows;
  const double ratio = sums.denominator > 0 ? sums.numerator / sums.denominator : 0;
  double squares = 0;
  double cubes = 0;
  for (std::size_t unit = 0; unit < units.count(); ++unit) {
    double influence = 0;
    if (!scores.plain.empty()) {
      influence += (scores.plain[unit] - mean * units.rows[unit]) / sums.rows;
    }
    if (!scores.numerator.empty() && sums.denominator > 0) {
      influence += (scores.numerator[unit] - ratio * scores.denominator[unit]) / sums.denominator;
    }
    squares += influence * influence;
    cubes += influence * influence * influence;
  }
  const auto count = static_cast<double>(units.count());
  const double deviation = std::sqrt(squares / count);
  return {sums.value(), std::sqrt(squares * count / (count - 1)), deviation > 0 ? cubes / count / (deviation * deviation * deviation) : 0, count};
}

double p_of(const Influence& influence) {
  return influence.error > 0 ? 2 * normal_cdf(-std::abs(influence.value) / influence.error) : (influence.value == 0 ? 1 : 0);
}

}  // namespace

Interval normal_interval(const Units& units, const Scores& scores, double level) {
  BECKON_CHECK(level > 0 && level < 1 && units.count() >= 2);
  const Influence influence = influence_of(units, scores);
  const double half = normal_quantile(0.5 + level / 2) * influence.error;
  return {influence.value, influence.value - half, influence.value + half, influence.error, p_of(influence)};
}

Interval skewed_interval(const Units& units, const Scores& scores, double level) {
  BECKON_CHECK(level > 0 && level < 1 && units.count() >= 2);
  const Influence influence = influence_of(units, scores);
  const double skew = influence.skewness / std::sqrt(influence.count);
  const auto transformed = [&](double z) { return std::abs(skew) > 1e-9 ? 3 / skew * (std::cbrt(1 + skew * (z - skew / 6)) - 1) : z; };
  const double z = normal_quantile(0.5 + level / 2);
  return {influence.value, influence.value - influence.error * transformed(z), influence.value - influence.error * transformed(-z), influence.error,
          p_of(influence)};
}

std::vector<Interval> bootstrap_scores(const Units& units, std::span<const Scores> scores, const OffPolicyOptions& options) {
  BECKON_CHECK(options.resamples >= 100 && units.count() >= 2);
  const auto resamples = static_cast<std::size_t>(options.resamples);
  std::vector<std::vector<double>> values(scores.size(), std::vector<double>(resamples));
  const std::function<void(std::size_t)> draw = [&](std::size_t resample) {
    base::Rng rng(options.seed, resample);
    std::vector<Sums> sums(scores.size());
    for (std::size_t i = 0; i < units.count(); ++i) {
      const auto unit = static_cast<std::size_t>(rng.below(units.count()));
      for (std::size_t s = 0; s < scores.size(); ++s) {
        add(sums[s], units, scores[s], unit);
      }
    }
    for (std::size_t s = 0; s < scores.size(); ++s) {
      values[s][resample] = sums[s].value();
    }
  };
  if (options.executor != nullptr) {
    options.executor->run(resamples, draw);
  } else {
    for (std::size_t i = 0; i < resamples; ++i) {
      draw(i);
    }
  }
  std::vector<Interval> out;
  const double tail = (1 - options.level) / 2;
  for (std::size_t s = 0; s < scores.size(); ++s) {
    std::sort(values[s].begin(), values[s].end());
    const auto below = std::upper_bound(values[s].begin(), values[s].end(), 0.0) - values[s].begin();
    const auto above = values[s].end() - std::lower_bound(values[s].begin(), values[s].end(), 0.0);
    const double smaller_side = static_cast<double>(std::min(below, above) + 1) / static_cast<double>(resamples + 1);
    out.push_back({value_of(units, scores[s]), quantile(values[s], tail), quantile(values[s], 1 - tail),
                   std::sqrt(Moments::of(values[s]).variance()), std::min(1.0, 2 * smaller_side)});
  }
  return out;
}

}  // namespace beckon::stats
