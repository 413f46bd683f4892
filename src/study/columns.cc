#include "columns.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>

#include "beckon/base/progress.h"

namespace beckon::study {
namespace {

constexpr std::size_t kLevelsMost = 20;

bool is_number(const std::string& text) {
  char* end = nullptr;
  std::strtod(text.c_str(), &end);
  return *end == '\0';
}

void add_numbers(const table::Column& column, std::vector<std::vector<double>>& out) {
  double sum = 0;
  double count = 0;
  for (const double value : column.numbers) {
    if (std::isfinite(value)) {
      sum += value;
      count += 1;
    }
  }
  const double mean = count > 0 ? sum / count : 0;
  std::vector<double> values = column.numbers;
  std::vector<double> missing(values.size(), 0);
  bool any = false;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) {
      values[i] = mean;
      missing[i] = 1;
      any = true;
    }
  }
  out.push_back(std::move(values));
  if (any) {
    out.push_back(std::move(missing));
  }
}

void add_levels(const table::Column& column, std::vector<std::vector<double>>& out) {
  std::vector<std::size_t> count(column.labels.size(), 0);
  for (const auto code : column.codes) {
    ++count[code];
  }
  std::vector<std::uint32_t> order(count.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) {
    order[i] = i;
  }
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return count[a] > count[b]; });
  for (std::size_t k = 0; k < std::min(order.size(), kLevelsMost); ++k) {
    if (count[order[k]] == 0 || order[k] == 0) {
      continue;  // a missing cell is a row without any label
    }
    std::vector<double> is_level(column.codes.size());
    for (std::size_t i = 0; i < is_level.size(); ++i) {
      is_level[i] = column.codes[i] == order[k] ? 1 : 0;
    }
    out.push_back(std::move(is_level));
  }
}

}  // namespace

Coded coded(const table::Column& column, std::size_t rows) {
  std::map<std::string, std::uint32_t> numbered;
  std::vector<std::string> texts(rows);
  for (std::size_t row = 0; row < rows; ++row) {
    texts[row] = table::cell_text(column, row);
    if (!texts[row].empty()) {
      numbered.emplace(texts[row], 0);
    }
  }
  Coded out;
  for (const auto& [label, code] : numbered) {
    out.labels.push_back(label);
  }
  if (std::all_of(out.labels.begin(), out.labels.end(), is_number)) {
    std::stable_sort(out.labels.begin(), out.labels.end(), [](const auto& a, const auto& b) { return std::strtod(a.c_str(), nullptr) < std::strtod(b.c_str(), nullptr); });
  }
  for (std::uint32_t code = 0; code < out.labels.size(); ++code) {
    numbered[out.labels[code]] = code;
  }
  out.codes.reserve(rows);
  for (const std::string& text : texts) {
    out.codes.push_back(text.empty() ? kMissing : numbered.at(text));
  }
  return out;
}

base::Result<table::Table> read_columns(const std::string& file, const std::vector<std::string>& names) {
  table::ReadOptions options;
  for (const std::string& name : names) {
    if (!name.empty() && std::find(options.columns.begin(), options.columns.end(), name) == options.columns.end()) {
      options.columns.push_back(name);
    }
  }
  return table::read_table(file, options);
}

base::Result<Features> features_of(const table::Table& table, const std::vector<std::string>& names) {
  std::vector<std::vector<double>> columns;
  for (const std::string& name : names) {
    BECKON_TRY(const table::Column* column, table.find(name));
    if (column->kind == table::Kind::kCategory) {
      add_levels(*column, columns);
    } else {
      add_numbers(*column, columns);
    }
  }
  Features out;
  out.columns = columns.size();
  out.values.resize(table.rows() * columns.size());
  for (std::size_t c = 0; c < columns.size(); ++c) {
    for (std::size_t row = 0; row < table.rows(); ++row) {
      out.values[row * out.columns + c] = columns[c][row];
    }
  }
  return out;
}

std::vector<std::string> reading_notes(const table::Table& table) {
  std::vector<std::string> out;
  if (table.rejected > 0) {
    out.push_back(rows_text(table.rejected) + " could not be read and were left out (first: line " + std::to_string(table.rejects.front().line) + ", " +
                  table.rejects.front().reason + ").");
  }
  for (const table::Column& column : table.columns()) {
    if (column.unreadable > 0) {
      out.push_back(column.name + ": " + rows_text(column.unreadable) + " hold no finite " +
                    (column.kind == table::Kind::kDate ? "date" : "number") + " (first: line " + std::to_string(column.first_unreadable_line) +
                    ") and count as missing.");
    }
  }
  return out;
}

std::string rows_text(std::int64_t count) { return base::with_thousands(count) + (count == 1 ? " row" : " rows"); }

}  // namespace beckon::study
