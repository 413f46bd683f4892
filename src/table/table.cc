#include "beckon/table/table.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "beckon/base/check.h"
#include "beckon/base/clock.h"
#include "beckon/base/toml.h"

namespace beckon::table {

Table::Table(std::vector<Column> columns, std::string name) : columns_(std::move(columns)), name_(std::move(name)) {
  const auto length = [](const Column& column) { return column.kind == Kind::kCategory ? column.codes.size() : column.numbers.size(); };
  rows_ = columns_.empty() ? 0 : length(columns_.front());
  for (const Column& column : columns_) {
    BECKON_CHECK(length(column) == rows_);
  }
}

base::Result<const Column*> Table::find(std::string_view column) const {
  const auto at = std::ranges::find(columns_, column, &Column::name);
  if (at != columns_.end()) {
    return &*at;
  }
  std::vector<std::string> names;
  for (const Column& known : columns_) {
    names.push_back(known.name);
  }
  const std::string near = base::nearest_word(column, names);
  std::string list;
  for (std::size_t i = 0; i < names.size() && i < 12; ++i) {
    list += (i > 0 ? ", " : "") + names[i];
  }
  return base::Error{base::ErrorCode::kNotFound,
                     name_ + " has no column '" + std::string(column.substr(0, 60)) + "'" + (near.empty() ? "" : ": did you mean '" + near + "'?") +
                         " It has " + list + (names.size() > 12 ? " and " + std::to_string(names.size() - 12) + " more" : "")};
}

base::Result<const Column*> Table::numbers(std::string_view column) const {
  BECKON_TRY(const Column* found, find(column));
  if (found->kind != Kind::kNumber) {
    const bool dates = found->kind == Kind::kDate;
    return base::failed_precondition(name_ + ": column '" + found->name + "' holds " + (dates ? "dates" : "texts such as '" + found->labels.back() + "'") +
                                     " where numbers are needed: name another column, or write numbers into this one");
  }
  return found;
}

Table rows_where(const Table& table, std::span<const std::uint8_t> keep) {
  BECKON_CHECK(keep.size() == table.rows());
  std::vector<Column> columns;
  for (const Column& from : table.columns()) {
    Column to{from.name, from.kind};
    to.labels = from.labels;
    for (std::size_t r = 0; r < keep.size(); ++r) {
      if (keep[r] == 0) {
        continue;
      }
      const bool category = from.kind == Kind::kCategory;
      to.missing += category ? from.codes[r] == 0 : std::isnan(from.numbers[r]);
      if (category) {
        to.codes.push_back(from.codes[r]);
      } else {
        to.numbers.push_back(from.numbers[r]);
      }
    }
    columns.push_back(std::move(to));
  }
  Table out(std::move(columns), table.name());
  out.rejected = table.rejected;
  out.rejects = table.rejects;
  return out;
}

std::string cell_text(const Column& column, std::size_t row) {
  if (column.kind == Kind::kCategory) {
    return column.labels[column.codes[row]];
  }
  const double value = column.numbers[row];
  if (std::isnan(value)) {
    return "";
  }
  if (column.kind == Kind::kDate) {
    return base::format_time({static_cast<std::int64_t>(value)});
  }
  std::array<char, 32> text{};
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr};
}

}  // namespace beckon::table
