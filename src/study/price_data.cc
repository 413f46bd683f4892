// Rows, cells and groups of beckon evaluate price.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_map>

#include "beckon/base/progress.h"
#include "beckon/base/rng.h"
#include "price_parts.h"

namespace beckon::study {
namespace {

constexpr std::size_t kRowsMin = 30;

base::Result<table::Table> only_where(table::Table table, const PriceRequest& request, PriceData& data) {
  if (request.where.empty()) {
    return table;
  }
  std::vector<std::uint8_t> keep(table.rows(), 1);
  for (const auto& condition : request.where) {
    const auto at = condition.find('=');
    if (at == std::string::npos || at == 0) {
      return base::invalid_argument("--where '" + condition + "' is no condition: write column=value");
    }
    BECKON_TRY(const table::Column* column, table.find(condition.substr(0, at)));
    const std::string wanted = condition.substr(at + 1);
    for (std::size_t row = 0; row < keep.size(); ++row) {
      const std::string cell = table::cell_text(*column, row);
      const bool same = cell == wanted || (column->kind == table::Kind::kNumber && !cell.empty() && !wanted.empty() &&
                                           column->numbers[row] == std::strtod(wanted.c_str(), nullptr));
      keep[row] = keep[row] != 0 && same ? 1 : 0;
    }
  }
  data.outside_condition = std::ranges::count(keep, 0);
  return table::rows_where(table, keep);
}

base::Status pick_rows(const PriceRequest& request, PriceData& data) {
  BECKON_TRY(const table::Column* price, data.table.numbers(request.price));
  BECKON_TRY(const table::Column* quantity, data.table.numbers(request.quantity));
  for (std::size_t row = 0; row < data.table.rows(); ++row) {
    const double p = price->numbers[row];
    const double q = quantity->numbers[row];
    if (!std::isfinite(p)) {
      ++data.price_missing;
    } else if (!(p > 0)) {
      ++data.price_not_positive;
    } else if (!std::isfinite(q)) {
      ++data.quantity_missing;
    } else if (q < 0) {
      ++data.quantity_negative;
    } else {
      data.index.push_back(static_cast<std::uint32_t>(row));
      data.price.push_back(p);
      data.quantity.push_back(q);
    }
  }
  const std::string where = data.table.name() + ": ";
  if (data.index.size() < kRowsMin) {
    return base::failed_precondition(where + base::with_thousands(static_cast<std::int64_t>(data.index.size())) +
                                     " rows have a price above 0 and a quantity (" +
                                     base::with_thousands(data.price_missing) + " without a price, " + base::with_thousands(data.price_not_positive) +
                                     " with 0 or less, " + base::with_thousands(data.quantity_missing) + " without a quantity, " +
                                     base::with_thousands(data.quantity_negative) + " with a negative one): " + std::to_string(kRowsMin) + " are needed");
  }
  if (std::ranges::min(data.price) == std::ranges::max(data.price)) {
    return base::failed_precondition(where + "the price '" + request.price + "' is the same on every row: nothing can be learned from it");
  }
  if (std::ranges::min(data.quantity) == std::ranges::max(data.quantity)) {
    return base::failed_precondition(where + "the quantity '" + request.quantity + "' is the same on every row: nothing can be learned from it");
  }
  return base::ok_status();
}

// Dense codes of what the columns hold together, and a row of each.
struct Combined {
  std::vector<std::uint32_t> code;
  std::vector<std::uint32_t> example;
};

base::Result<Combined> combined(const PriceData& data, const std::vector<std::string>& names) {
  Combined out;
  out.code.assign(data.index.size(), 0);
  out.example.assign(1, 0);
  for (const auto& name : names) {
    BECKON_TRY(const table::Column* column, data.table.find(name));
    std::unordered_map<double, std::uint32_t> values;
    std::unordered_map<std::uint64_t, std::uint32_t> seen;
    std::vector<std::uint32_t> example;
    for (std::size_t i = 0; i < data.index.size(); ++i) {
      std::uint32_t value = 0;  // missing is a value of its own
      if (column->kind == table::Kind::kCategory) {
        value = column->codes[data.index[i]];
      } else if (const double number = column->numbers[data.index[i]]; std::isfinite(number)) {
        value = values.emplace(number, static_cast<std::uint32_t>(values.size()) + 1).first->second;
      }
      const std::uint64_t key = (static_cast<std::uint64_t>(out.code[i]) << 32U) | value;
      const auto [found, fresh] = seen.emplace(key, static_cast<std::uint32_t>(seen.size()));
      if (fresh) {
        example.push_back(static_cast<std::uint32_t>(i));
      }
      out.code[i] = found->second;
    }
    out.example = std::move(example);
  }
  return out;
}

base::Status add_groups(const PriceRequest& request, PriceData& data) {
  BECKON_TRY(const Combined all, combined(data, request.by));
  BECKON_TRY(const Combined parents, combined(data, {request.by.front()}));
  std::vector<PriceGroup> found(all.example.size());
  for (std::size_t g = 0; g < found.size(); ++g) {
    const std::size_t row = data.index[all.example[g]];
    for (const auto& name : request.by) {
      BECKON_TRY(const table::Column* column, data.table.find(name));
      const std::string label = table::cell_text(*column, row);
      found[g].labels.push_back(label.empty() ? "(missing)" : label);
      found[g].name += (found[g].name.empty() ? "" : " / ") + found[g].labels.back();
    }
    found[g].parent = request.by.size() > 1 ? parents.code[all.example[g]] : 0;
  }
  for (const auto code : all.code) {
    ++found[code].rows;
  }
  std::vector<std::uint32_t> order(found.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::sort(order, [&](std::uint32_t a, std::uint32_t b) {
    return found[a].rows != found[b].rows ? found[a].rows > found[b].rows : found[a].name < found[b].name;
  });
  std::vector<std::uint32_t> place(found.size());
  for (std::uint32_t o = 0; o < order.size(); ++o) {
    place[order[o]] = o;
    data.groups.push_back(std::move(found[order[o]]));
  }
  for (const auto code : all.code) {
    data.group.push_back(place[code]);
  }
  return base::ok_status();
}

}  // namespace

base::Result<PriceData> read_prices(const PriceRequest& request) {
  BECKON_TRY(table::Table table, table::read_table(request.file));
  PriceData data{table::Table({}), {}, {}, {}, {}, {}, {}, 1, static_cast<std::int64_t>(table.rows()), 0, 0, 0, 0, 0, reading_notes(table)};
  BECKON_TRY(data.table, only_where(std::move(table), request, data));
  BECKON_TRY_STATUS(pick_rows(request, data));
  if (request.placebo == "shuffle") {
    base::Rng rng(request.seed, 9);
    rng.shuffle(data.price);
  } else if (!request.placebo.empty()) {
    return base::invalid_argument("--placebo '" + request.placebo + "' is not known: shuffle is");
  }
  if (!request.randomised_within.empty()) {
    BECKON_TRY(Combined cells, combined(data, request.randomised_within));
    data.cell = std::move(cells.code);
    data.cells = cells.example.size();
  }
  if (!request.by.empty()) {
    BECKON_TRY_STATUS(add_groups(request, data));
  }
  return data;
}

}  // namespace beckon::study
