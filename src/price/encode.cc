#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <unordered_map>

#include "beckon/base/check.h"
#include "beckon/price/crossfit.h"
#include "dense.h"

namespace beckon::price {
namespace {

constexpr std::size_t kFewValues = 12;
constexpr double kFarOut = 6;  // times the distance from the median to the 5 or 95 % quantile
constexpr std::size_t kCellsOfMatrixMax = 150'000'000;

using Columns = std::vector<std::vector<double>>;

// A flag for each of `values` (most frequent first); everything else is in none of them.
void add_flags(const std::vector<std::uint32_t>& codes, const std::vector<std::uint32_t>& values, Columns& out) {
  for (const auto value : values) {
    std::vector<double> flag(codes.size());
    std::ranges::transform(codes, flag.begin(), [&](std::uint32_t code) { return code == value ? 1.0 : 0.0; });
    out.push_back(std::move(flag));
  }
}

void encode_labels(const std::vector<std::uint32_t>& codes, const std::string& name, const EncodeOptions& options,
                   std::pair<Columns*, std::vector<std::string>*> out) {
  std::unordered_map<std::uint32_t, std::size_t> counts;
  for (const auto code : codes) {
    ++counts[code];
  }
  if (counts.size() > codes.size() / 2 && counts.size() > kFewValues) {
    out.second->push_back(name + ": " + std::to_string(counts.size()) + " values on " + std::to_string(codes.size()) + " rows, an id: left out");
    return;
  }
  std::vector<std::pair<std::size_t, std::uint32_t>> order;
  for (const auto& [code, count] : counts) {
    order.emplace_back(count, code);
  }
  std::ranges::sort(order, [](const auto& a, const auto& b) { return a.first != b.first ? a.first > b.first : a.second < b.second; });
  const std::size_t least = std::min(options.label_rows_min, std::max<std::size_t>(2, codes.size() / 20));
  std::vector<std::uint32_t> kept;
  for (const auto& [count, code] : order) {
    if (count >= least && kept.size() < options.labels_max) {
      kept.push_back(code);
    }
  }
  if (kept.size() + 1 < order.size()) {
    out.second->push_back(name + ": " + std::to_string(order.size() - kept.size()) + " of " + std::to_string(order.size()) +
                          " values are rare and count as one");
  }
  if (kept.empty()) {
    return;
  }
  add_flags(codes, kept, *out.first);
}

// max(0, value - at) at quantiles, denser towards the ends, the median first: straight between, so a sum of them bends as it likes.
void add_hinges(const std::vector<double>& value, const std::vector<double>& sorted, Columns& out) {
  std::vector<double> bends;
  for (const double p : {0.5, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98}) {
    const double at = quantile_of(sorted, p);
    if (at > sorted.front() && at < sorted.back() && std::ranges::find(bends, at) == bends.end()) {
      bends.push_back(at);
    }
  }
  for (const double at : bends) {
    std::vector<double> hinge(value.size());
    std::ranges::transform(value, hinge.begin(), [&](double v) { return std::max(0.0, v - at); });
    out.push_back(std::move(hinge));
  }
}

void encode_numbers(const std::vector<double>& numbers, const EncodeOptions& options, Columns& out) {
  std::vector<double> sorted;
  for (const double number : numbers) {
    if (std::isfinite(number)) {
      sorted.push_back(number);
    }
  }
  std::ranges::sort(sorted);
  // Only what lies absurdly far out is pulled in: a confounder acts in its tails as well.
  const double middle = quantile_of(sorted, 0.5);
  const double low = std::min(quantile_of(sorted, 0.005), middle - kFarOut * (middle - quantile_of(sorted, 0.05)));
  const double high = std::max(quantile_of(sorted, 0.995), middle + kFarOut * (quantile_of(sorted, 0.95) - middle));
  std::vector<double> value(numbers.size());
  std::vector<double> missing(numbers.size());
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    missing[i] = std::isfinite(numbers[i]) ? 0 : 1;
    value[i] = missing[i] > 0 ? middle : std::clamp(numbers[i], low, high);
  }
  out.push_back(value);
  if (options.bends) {
    add_hinges(value, sorted, out);
  } else {
    const double scale = std::sqrt(squares_of(value) / static_cast<double>(value.size()));
    const double centre = mean_of(value);
    std::ranges::transform(value, value.begin(), [&](double v) { return scale > 0 ? (v - centre) * (v - centre) / (scale * scale) : 0; });
    out.push_back(std::move(value));
  }
  out.push_back(std::move(missing));
}

// Numbers of the rows wanted; codes when there are few different ones.
struct Picked {
  std::vector<double> numbers;
  std::vector<std::uint32_t> codes;
};

Picked pick(const table::Column& column, std::span<const std::uint32_t> rows) {
  Picked out;
  if (column.kind == table::Kind::kCategory) {
    for (const auto row : rows) {
      out.codes.push_back(column.codes[row]);
    }
    return out;
  }
  const std::vector<double>& all = column.numbers;
  std::map<double, std::uint32_t> different;
  for (const auto row : rows) {
    out.numbers.push_back(std::isfinite(all[row]) ? all[row] : std::nan(""));
    if (std::isfinite(all[row]) && different.size() <= kFewValues) {
      different.emplace(all[row], static_cast<std::uint32_t>(different.size()) + 1);
    }
  }
  if (different.size() <= kFewValues) {
    for (const double number : out.numbers) {
      out.codes.push_back(std::isfinite(number) ? different[number] : 0);
    }
    out.numbers.clear();
  }
  return out;
}

// The products of a pair's columns (of a number: the value and its bend at the median): interactions, as far as there is room.
void add_products(std::vector<Columns>& blocks, std::vector<Encoded::Block>& names,
                  std::pair<const std::vector<std::size_t>*, std::size_t> leading_and_room) {
  const auto [leading, columns_max] = leading_and_room;
  std::size_t used = 0;
  for (const auto& block : blocks) {
    used += block.size();
  }
  const std::size_t single = blocks.size();
  for (std::size_t a = 0; a < single; ++a) {
    for (std::size_t b = a + 1; b < single; ++b) {
      Columns made;
      for (std::size_t l = 0; l < std::min((*leading)[a], blocks[a].size()); ++l) {
        for (std::size_t r = 0; r < std::min((*leading)[b], blocks[b].size()); ++r) {
          std::vector<double> product(blocks[a][l].size());
          std::ranges::transform(blocks[a][l], blocks[b][r], product.begin(), std::multiplies<>());
          made.push_back(std::move(product));
        }
      }
      if (used + made.size() > columns_max) {
        return;
      }
      used += made.size();
      names.push_back({names[a].name + " x " + names[b].name, names[a].source, 0, 0});
      blocks.push_back(std::move(made));
    }
  }
}

void lay_out(const std::vector<Columns>& blocks, Encoded& out) {
  for (std::size_t b = 0; b < blocks.size(); ++b) {
    out.blocks[b].first = out.columns;
    out.blocks[b].count = blocks[b].size();
    out.columns += blocks[b].size();
  }
  out.values.resize(out.rows * out.columns);
  for (std::size_t b = 0; b < blocks.size(); ++b) {
    for (std::size_t c = 0; c < blocks[b].size(); ++c) {
      for (std::size_t row = 0; row < out.rows; ++row) {
        out.values[row * out.columns + out.blocks[b].first + c] = blocks[b][c][row];
      }
    }
  }
}

}  // namespace

base::Result<Encoded> encode(std::span<const table::Column* const> columns, std::span<const std::uint32_t> rows, const EncodeOptions& options) {
  Encoded out;
  out.rows = rows.size();
  std::vector<Columns> blocks;
  std::vector<std::size_t> leading;
  std::size_t used = 0;
  for (std::size_t s = 0; s < columns.size(); ++s) {
    Columns made;
    const Picked picked = pick(*columns[s], rows);
    if (!picked.codes.empty()) {
      encode_labels(picked.codes, columns[s]->name, options, {&made, &out.notes});
    } else if (!picked.numbers.empty()) {
      encode_numbers(picked.numbers, options, made);
    }
    if (made.empty()) {
      continue;
    }
    used += made.size();
    const bool too_many = used > options.columns_max || used * rows.size() > kCellsOfMatrixMax;
    if (too_many && options.leave_out) {
      used -= made.size();
      out.notes.push_back(columns[s]->name + ": left out, the columns before it filled the room there is");
      continue;
    }
    if (too_many) {
      return base::Error{base::ErrorCode::kResourceExhausted, "the columns become more than " + std::to_string(used) + " numbers on each of " +
                                                                  std::to_string(rows.size()) + " rows: name fewer columns"};
    }
    out.blocks.push_back({columns[s]->name, s, 0, 0});
    leading.push_back(picked.codes.empty() ? 2 : made.size());
    blocks.push_back(std::move(made));
  }
  if (options.products) {
    add_products(blocks, out.blocks, {&leading, std::min(options.columns_max, kCellsOfMatrixMax / std::max<std::size_t>(1, rows.size()))});
  }
  lay_out(blocks, out);
  return out;
}

void standardise(Encoded& encoded, std::span<const std::uint32_t> cell) {
  const Codes cells = combine(cell, {}, encoded.rows);
  std::vector<double> column(encoded.rows);
  std::vector<bool> keep(encoded.columns, false);
  for (std::size_t c = 0; c < encoded.columns; ++c) {
    for (std::size_t row = 0; row < encoded.rows; ++row) {
      column[row] = encoded.values[row * encoded.columns + c];
    }
    const double before = squares_of(column);
    const std::vector<double> within = demeaned(column, cells);
    const double after = squares_of(within);
    keep[c] = before > 0 && after > 1e-9 * before;
    const double scale = keep[c] ? std::sqrt(static_cast<double>(encoded.rows) / after) : 0;
    for (std::size_t row = 0; row < encoded.rows; ++row) {
      encoded.values[row * encoded.columns + c] = within[row] * scale;
    }
  }
  Encoded out;
  out.rows = encoded.rows;
  out.notes = std::move(encoded.notes);
  std::vector<std::size_t> from;
  for (const auto& block : encoded.blocks) {
    Encoded::Block kept{block.name, block.source, from.size(), 0};
    for (std::size_t c = block.first; c < block.first + block.count; ++c) {
      if (keep[c]) {
        from.push_back(c);
        ++kept.count;
      }
    }
    if (kept.count > 0) {
      out.blocks.push_back(kept);
    }
  }
  out.columns = from.size();
  out.values.resize(out.rows * out.columns);
  for (std::size_t row = 0; row < out.rows; ++row) {
    for (std::size_t c = 0; c < from.size(); ++c) {
      out.values[row * out.columns + c] = encoded.values[row * encoded.columns + from[c]];
    }
  }
  encoded = std::move(out);
}

}  // namespace beckon::price
