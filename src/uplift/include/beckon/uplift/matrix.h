#pragma once
// Columns of a file as numbers that learners read: one row a customer.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "beckon/base/result.h"
#include "beckon/table/table.h"

namespace beckon::uplift {

/// (rows, columns), row-major. NaN: missing.
struct Matrix {
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::vector<float> values = {};
  std::vector<std::string> names = {};  ///< of the columns: "zip=Urban" for a category
  std::span<const float> row(std::size_t r) const { return {values.data() + r * columns, columns}; }
};

struct EncodeOptions {
  std::vector<std::string> columns = {};  ///< of the table
  std::size_t labels_max = 24;            ///< of a category; the rarer ones share a column
};

/// How a table becomes a Matrix, learned from one table and applied to others: numbers as they are, dates as days, a column for each frequent
/// label of a category and one for all others. A column with missing cells gets a second one that says where.
class Encoder {
 public:
  /// not_found: no such column. failed_precondition: nothing to learn from is left (each column constant).
  static base::Result<Encoder> learn(const table::Table& table, const EncodeOptions& options);
  /// not_found: a column is missing; failed_precondition: it holds another kind of cells.
  base::Result<Matrix> encode(const table::Table& table) const;
  /// Columns that hold a single value and were left out.
  const std::vector<std::string>& constant() const { return constant_; }

 private:
  struct Part {
    std::string column;
    table::Kind kind = table::Kind::kNumber;
    std::vector<std::string> labels;  ///< of categories: one column each
    bool others = false;              ///< and one for the rest
    bool missing = false;             ///< and one that says where nothing is known
  };
  std::vector<Part> parts_;
  std::vector<std::string> constant_;
};

}  // namespace beckon::uplift
