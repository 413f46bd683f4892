#pragma once
// Files of lines, and CSV files as columns of numbers, dates and categories.
//
//   lines.h   plain, gzip and zstd files as blocks of whole lines
//   table.h   a CSV file in memory, column by column

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "beckon/base/result.h"
#include "beckon/table/lines.h"

namespace beckon::table {

/// A column is numbers or dates when at least 95 % of its filled cells are; else categories.
enum class Kind { kNumber, kDate, kCategory };

struct Column {
  std::string name = {};
  Kind kind = Kind::kNumber;
  std::vector<double> numbers = {};        ///< numbers, or dates as UTC ms; NaN: missing. Empty for categories
  std::vector<std::uint32_t> codes = {};   ///< categories: place in `labels`; 0: missing. Else empty
  std::vector<std::string> labels = {};    ///< in order of appearance; labels[0] is ""
  std::int64_t missing = 0;                ///< cells that are empty, NA, N/A, NaN, null, None or a lone point
  std::int64_t unreadable = 0;             ///< cells of a column of numbers or dates that are none; infinite ones too. They count as missing
  std::int64_t first_unreadable_line = 0;
};

struct RejectedRow {
  std::int64_t line = 0;
  std::string reason;
};

/// Immutable once read; any number of threads may look at it.
class Table {
 public:
  /// Columns of equal length.
  explicit Table(std::vector<Column> columns, std::string name = "table");

  std::size_t rows() const { return rows_; }
  const std::vector<Column>& columns() const { return columns_; }
  const std::string& name() const { return name_; }
  /// not_found with the file, and the nearest name where one is near.
  base::Result<const Column*> find(std::string_view column) const;
  /// A column of numbers; failed_precondition when it is something else.
  base::Result<const Column*> numbers(std::string_view column) const;

  /// Rows with too few or too many fields, or too long: left out, counted, the first hundred named.
  std::int64_t rejected = 0;
  std::vector<RejectedRow> rejects = {};

 private:
  std::vector<Column> columns_;
  std::string name_;
  std::size_t rows_ = 0;
};

struct ReadOptions {
  std::vector<std::string> columns = {};  ///< to keep; empty: all
  bool as_text = false;                   ///< every column as categories, cell for cell: "007" and 12345678901234567 are ids, no numbers
};
/// First line: names. Separator: comma, semicolon or tab, whichever the first line has most of. An empty name becomes column_<place>.
/// invalid_argument: no header, a name twice, damaged compression; not_found: no such file or column.
base::Result<Table> read_table(const std::string& path, const ReadOptions& options = {});

/// The same from text, for what does not come from a file.
base::Result<Table> parse_table(std::string_view text, const std::string& name, const ReadOptions& options = {});

/// The rows for which `keep` is not 0, in their order, with what was rejected on reading. keep: one for each row. Cells that were unreadable are
/// missing there.
Table rows_where(const Table& table, std::span<const std::uint8_t> keep);

/// The label or number of a cell as text; "" when it is missing.
std::string cell_text(const Column& column, std::size_t row);

}  // namespace beckon::table
