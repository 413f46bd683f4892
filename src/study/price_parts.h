#pragma once
// Private to study: what the parts of beckon evaluate price hand one another.

#include <optional>
#include <string>
#include <vector>

#include "beckon/price/price.h"
#include "beckon/report/report.h"
#include "beckon/study/price.h"
#include "columns.h"

namespace beckon::study {

struct PriceGroup {
  std::string name;                  ///< labels joined by " / "
  std::vector<std::string> labels;   ///< one for each column of `by`
  std::uint32_t parent = 0;
  std::int64_t rows = 0;
};

/// The rows in use. Vectors of (rows).
struct PriceData {
  table::Table table;
  std::vector<std::uint32_t> index;  ///< rows of the table
  std::vector<double> price;
  std::vector<double> quantity;
  std::vector<std::uint32_t> cell;   ///< empty: the price was not drawn within anything
  std::vector<std::uint32_t> group;  ///< empty without `by`
  std::vector<PriceGroup> groups;    ///< most rows first
  std::size_t cells = 1;
  std::int64_t rows_read = 0;
  std::int64_t outside_condition = 0;
  std::int64_t price_missing = 0;
  std::int64_t price_not_positive = 0;
  std::int64_t quantity_missing = 0;
  std::int64_t quantity_negative = 0;
  std::vector<std::string> reading = {};  ///< what of the file did not fit

  price::Observations observations() const { return {price, quantity, cell, group}; }
  price::Rows rows_in_use() const { return {index, price, quantity, cell}; }
};
base::Result<PriceData> read_prices(const PriceRequest& request);

struct PriceWarning {
  std::string kind;
  std::vector<std::string> columns;
  std::string text;
};

struct GroupCurve {
  std::size_t group = 0;
  price::DoseCurve curve;
};

/// Everything that was estimated.
struct PriceStudy {
  bool binary = false;
  bool declared = false;  ///< somebody says that the price was drawn
  price::Scale scale = price::Scale::kLogLog;
  std::string method;
  std::string grade;
  std::string groups_grade;
  price::Elasticity pooled;
  std::optional<price::Elasticity> plain;  ///< without cells and features, beside an answer that has them
  std::vector<price::Elasticity> groups;
  price::Shrinkage shrinkage;
  price::Predictability predicted;
  std::optional<price::Predictability> predicted_in_groups;
  std::vector<LeftOut> left_out;
  std::optional<price::DoseCurve> curve;
  std::vector<price::DepthValue> depths;
  std::vector<GroupCurve> curves;
  std::vector<PriceWarning> warnings;
  std::vector<std::string> notes;
};

base::Json price_json(const PriceRequest& request, const PriceData& data, const PriceStudy& study);
report::Page price_page(const PriceRequest& request, const PriceData& data, const PriceStudy& study);

/// "a, b, c and 4 more".
std::string listed(const std::vector<std::string>& names, std::size_t most);

}  // namespace beckon::study
