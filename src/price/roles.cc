#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <unordered_map>

#include "beckon/base/check.h"
#include "beckon/price/columns.h"
#include "beckon/price/crossfit.h"
#include "dense.h"

namespace beckon::price {
namespace {

constexpr double kSameOrder = 0.98;
constexpr std::size_t kFewValues = 12;
constexpr std::size_t kRowsMin = 30;
constexpr std::size_t kRowsOfEachValueMin = 10;

// Mean ranks: ties share the middle of their places.
std::vector<double> ranks(std::span<const double> values) {
  std::vector<std::uint32_t> order(values.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::sort(order, [&](std::uint32_t a, std::uint32_t b) { return values[a] < values[b]; });
  std::vector<double> out(values.size());
  for (std::size_t first = 0; first < order.size();) {
    std::size_t last = first;
    while (last + 1 < order.size() && values[order[last + 1]] == values[order[first]]) {
      ++last;
    }
    for (std::size_t i = first; i <= last; ++i) {
      out[order[i]] = 0.5 * static_cast<double>(first + last);
    }
    first = last + 1;
  }
  return out;
}

// A numeric column beside the price, where it is there.
struct Pairs {
  std::vector<double> value;
  std::vector<double> price;
  std::vector<std::uint32_t> cell;
};

Pairs pairs_of(const std::vector<double>& numbers, const Rows& rows) {
  Pairs out;
  for (std::size_t i = 0; i < rows.index.size(); ++i) {
    if (std::isfinite(numbers[rows.index[i]])) {
      out.value.push_back(numbers[rows.index[i]]);
      out.price.push_back(rows.price[i]);
      out.cell.push_back(rows.cell.empty() ? 0 : rows.cell[i]);
    }
  }
  return out;
}

double correlation_inside_cells(const Pairs& pairs) {
  const Codes cells = combine(pairs.cell, {}, pairs.value.size());
  const std::vector<double> a = demeaned(ranks(pairs.value), cells);
  const std::vector<double> b = demeaned(ranks(pairs.price), cells);
  double aa = 0;
  double bb = 0;
  double ab = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    aa += a[i] * a[i];
    bb += b[i] * b[i];
    ab += a[i] * b[i];
  }
  return aa > 0 && bb > 0 ? ab / std::sqrt(aa * bb) : 0;
}

// The share of rows on which the column is the price to the last digit, when that is no coincidence; else 0.
double equal_share(const Pairs& pairs) {
  std::unordered_map<double, double> values;
  std::unordered_map<double, double> prices;
  double equal = 0;
  const auto n = static_cast<double>(pairs.value.size());
  for (std::size_t i = 0; i < pairs.value.size(); ++i) {
    values[pairs.value[i]] += 1;
    prices[pairs.price[i]] += 1;
    equal += pairs.value[i] == pairs.price[i] ? 1 : 0;
  }
  double chance = 0;
  for (const auto& [value, count] : values) {
    const auto found = prices.find(value);
    chance += found == prices.end() ? 0 : count / n * found->second / n;
  }
  return equal / n >= 0.2 && equal / n >= 5 * chance ? equal / n : 0;
}

// Few values as codes; empty when there are many.
std::vector<std::uint32_t> few_codes(const table::Column& column, const Rows& rows) {
  std::vector<std::uint32_t> out;
  std::map<double, std::uint32_t> seen;
  for (const auto row : rows.index) {
    const double value = column.kind != table::Kind::kCategory ? column.numbers[row] : static_cast<double>(column.codes[row]);
    out.push_back(seen.emplace(std::isfinite(value) ? value : std::numeric_limits<double>::max(), static_cast<std::uint32_t>(seen.size())).first->second);
    if (seen.size() > kFewValues) {
      return {};
    }
  }
  return out;
}

struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
  std::size_t rows = 0;
};

// In every cell where several values occur often enough, their ranges of the price do not touch.
bool cuts_the_price(const std::vector<std::uint32_t>& codes, const Rows& rows) {
  std::unordered_map<std::uint32_t, std::map<std::uint32_t, Range>> cells;
  for (std::size_t i = 0; i < codes.size(); ++i) {
    Range& range = cells[rows.cell.empty() ? 0 : rows.cell[i]][codes[i]];
    range.low = std::min(range.low, rows.price[i]);
    range.high = std::max(range.high, rows.price[i]);
    ++range.rows;
  }
  bool found = false;
  for (const auto& [cell, ranges] : cells) {
    std::vector<Range> ordered;
    for (const auto& [code, range] : ranges) {
      if (range.rows >= kRowsOfEachValueMin) {
        ordered.push_back(range);
      }
    }
    std::ranges::sort(ordered, [](const Range& a, const Range& b) { return a.low < b.low; });
    for (std::size_t i = 1; i < ordered.size(); ++i) {
      if (ordered[i].low <= ordered[i - 1].high) {
        return false;
      }
      found = true;
    }
  }
  return found;
}

// The most frequent value where nothing was bought, its share there, and its share where something was.
bool filled_by_purchase(const table::Column& column, const Rows& rows) {
  constexpr double kMissing = std::numeric_limits<double>::max();
  const auto value_at = [&](std::size_t i) {
    const double value = column.kind != table::Kind::kCategory ? column.numbers[rows.index[i]] : static_cast<double>(column.codes[rows.index[i]]);
    return std::isfinite(value) ? value : kMissing;
  };
  std::unordered_map<double, std::size_t> without;
  std::size_t nothing = 0;
  for (std::size_t i = 0; i < rows.quantity.size(); ++i) {
    if (rows.quantity[i] == 0) {
      ++without[value_at(i)];
      ++nothing;
    }
  }
  const std::size_t bought = rows.quantity.size() - nothing;
  if (nothing < kRowsMin || bought < kRowsMin) {
    return false;
  }
  double common = 0;
  std::size_t often = 0;
  for (const auto& [value, count] : without) {
    if (count > often || (count == often && value < common)) {
      often = count;
      common = value;
    }
  }
  std::size_t also = 0;
  for (std::size_t i = 0; i < rows.quantity.size(); ++i) {
    also += rows.quantity[i] > 0 && value_at(i) == common ? 1 : 0;
  }
  return static_cast<double>(often) >= 0.98 * static_cast<double>(nothing) && static_cast<double>(also) <= 0.5 * static_cast<double>(bought);
}

}  // namespace

ColumnRole role_of(const table::Column& column, const Rows& rows) {
  BECKON_CHECK(rows.index.size() == rows.price.size() && rows.index.size() == rows.quantity.size());
  const std::vector<std::uint32_t> few = few_codes(column, rows);
  if (column.kind != table::Kind::kCategory) {
    const Pairs pairs = pairs_of(column.numbers, rows);
    if (pairs.value.size() >= kRowsMin && few.empty()) {
      if (std::abs(correlation_inside_cells(pairs)) >= kSameOrder) {
        return {Role::kMadeFromPrice, "moves with the price"};
      }
      if (const double share = equal_share(pairs); share > 0) {
        return {Role::kMadeFromPrice, "equals the price on " + std::to_string(std::lround(100 * share)) + " % of the rows"};
      }
    }
  }
  if (!few.empty() && cuts_the_price(few, rows)) {
    return {Role::kCutsPrice, "its values are separate ranges of the price"};
  }
  if (filled_by_purchase(column, rows)) {
    return {Role::kAfterPurchase, "is filled in when something is bought"};
  }
  return {};
}

}  // namespace beckon::price
