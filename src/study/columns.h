#pragma once
// Private to study: columns of a table as what the estimators take.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "beckon/base/result.h"
#include "beckon/table/table.h"

namespace beckon::study {

/// A column that was not used, and why.
struct LeftOut {
  std::string column;
  std::string why;
};

/// Labels of a column as codes 0 …, in the order of the labels (as numbers where all are numbers); kMissing for empty cells.
constexpr std::uint32_t kMissing = 0xFFFFFFFFU;
struct Coded {
  std::vector<std::uint32_t> codes;
  std::vector<std::string> labels;
};
Coded coded(const table::Column& column, std::size_t rows);

/// The table with the columns named (empty names are skipped, doubles taken once).
base::Result<table::Table> read_columns(const std::string& file, const std::vector<std::string>& names);

/// Rows of numbers for a linear model: numbers as they are (missing ones: the mean, and a column that says so), categories as a column for
/// each of the twenty most frequent labels.
struct Features {
  std::vector<double> values;  ///< (rows, columns) row-major
  std::size_t columns = 0;
};
base::Result<Features> features_of(const table::Table& table, const std::vector<std::string>& names);

/// What of the file did not fit, a sentence each: rows with a wrong number of fields, cells of number columns that hold none.
std::vector<std::string> reading_notes(const table::Table& table);

/// "1,234 rows" / "1 row".
std::string rows_text(std::int64_t count);

}  // namespace beckon::study
