#include "beckon/uplift/matrix.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_map>

namespace beckon::uplift {
namespace {

constexpr double kDayMs = 86'400'000;

bool is_constant(const table::Column& column) {
  if (column.kind == table::Kind::kCategory) {
    return std::ranges::adjacent_find(column.codes, std::ranges::not_equal_to{}) == column.codes.end();
  }
  const auto same = [](double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); };
  return std::ranges::adjacent_find(column.numbers, [&](double a, double b) { return !same(a, b); }) == column.numbers.end();
}

// Most frequent first, equally frequent ones by name: the order of the rows does not matter.
std::vector<std::string> frequent_labels(const table::Column& column, std::size_t labels_max) {
  std::vector<std::int64_t> count(column.labels.size(), 0);
  for (const std::uint32_t code : column.codes) {
    ++count[code];
  }
  std::vector<std::uint32_t> order;
  for (std::uint32_t code = 1; code < count.size(); ++code) {
    if (count[code] > 0) {
      order.push_back(code);
    }
  }
  std::ranges::sort(order, [&](std::uint32_t a, std::uint32_t b) {
    return count[a] != count[b] ? count[a] > count[b] : column.labels[a] < column.labels[b];
  });
  order.resize(std::min(order.size(), labels_max));
  std::vector<std::string> out;
  for (const std::uint32_t code : order) {
    out.push_back(column.labels[code]);
  }
  return out;
}

}  // namespace

base::Result<Encoder> Encoder::learn(const table::Table& table, const EncodeOptions& options) {
  Encoder out;
  for (const std::string& name : options.columns) {
    BECKON_TRY(const table::Column* column, table.find(name));
    if (is_constant(*column)) {
      out.constant_.push_back(name);
      continue;
    }
    Part part{name, column->kind, {}, false, false};
    if (column->kind == table::Kind::kCategory) {
      part.labels = frequent_labels(*column, options.labels_max);
      part.others = part.labels.size() + 1 < column->labels.size();
    } else {
      part.missing = column->missing + column->unreadable > 0;
    }
    out.parts_.push_back(std::move(part));
  }
  if (out.parts_.empty()) {
    return base::failed_precondition(table.name() + ": no feature differs between rows" +
                                     (out.constant_.empty() ? "" : " ('" + out.constant_.front() + "' holds a single value)") +
                                     ": name columns that do with --features");
  }
  return out;
}

base::Result<Matrix> Encoder::encode(const table::Table& table) const {
  Matrix out;
  out.rows = table.rows();
  for (const Part& part : parts_) {
    if (part.kind != table::Kind::kCategory) {
      out.names.push_back(part.column);
    }
    for (const std::string& label : part.labels) {
      out.names.push_back(part.column + "=" + label);
    }
    if (part.others) {
      out.names.push_back(part.column + "=(others)");
    }
    if (part.missing) {
      out.names.push_back(part.column + " missing");
    }
  }
  out.columns = out.names.size();
  out.values.assign(out.rows * out.columns, 0.0F);
  std::size_t first = 0;
  for (const Part& part : parts_) {
    BECKON_TRY(const table::Column* column, table.find(part.column));
    if (column->kind != part.kind) {
      return base::failed_precondition(table.name() + ": column '" + part.column + "' holds another kind of cells than where the learner was trained");
    }
    const std::size_t labels = part.labels.size();
    if (part.kind == table::Kind::kCategory) {
      std::unordered_map<std::string, std::size_t> place;
      for (std::size_t i = 0; i < labels; ++i) {
        place.emplace(part.labels[i], i);
      }
      std::vector<std::size_t> of_code(column->labels.size(), part.others ? labels : SIZE_MAX);
      of_code[0] = SIZE_MAX;  // missing: no label at all
      for (std::size_t code = 1; code < column->labels.size(); ++code) {
        const auto at = place.find(column->labels[code]);
        of_code[code] = at == place.end() ? of_code[code] : at->second;
      }
      for (std::size_t r = 0; r < out.rows; ++r) {
        if (const std::size_t at = of_code[column->codes[r]]; at != SIZE_MAX) {
          out.values[r * out.columns + first + at] = 1;
        }
      }
      first += labels + (part.others ? 1 : 0);
      continue;
    }
    const double unit = part.kind == table::Kind::kDate ? kDayMs : 1;
    for (std::size_t r = 0; r < out.rows; ++r) {
      out.values[r * out.columns + first] = static_cast<float>(column->numbers[r] / unit);
      if (part.missing) {
        out.values[r * out.columns + first + 1] = std::isnan(column->numbers[r]) ? 1 : 0;
      }
    }
    first += part.missing ? 2 : 1;
  }
  return out;
}

}  // namespace beckon::uplift
