#include "experiment_data.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "beckon/base/check.h"

namespace beckon::study {
namespace {

constexpr std::size_t kArmsMost = 50;
constexpr std::uint32_t kSeveral = kMissing - 1;
const double kNan = std::numeric_limits<double>::quiet_NaN();

base::Result<std::vector<std::string>> value_names(const ExperimentRequest& request) {
  std::vector<std::string> names = request.metrics;
  for (const std::string& ratio : request.ratios) {
    BECKON_TRY(const auto parts, split_ratio(ratio));
    names.push_back(parts.first);
    names.push_back(parts.second);
  }
  if (names.empty()) {
    return base::invalid_argument("name a metric: --metric COL or --ratio NUM/DEN");
  }
  std::vector<std::string> once;
  for (const std::string& name : names) {
    if (std::find(once.begin(), once.end(), name) == once.end()) {
      once.push_back(name);
    }
  }
  return once;
}

// Numbers the customers of rows that have an arm, without gaps; kMissing for rows without.
std::vector<std::uint32_t> customer_of_rows(const table::Table& table, const table::Column* customer, const Coded& arm, ExperimentData& data) {
  const Coded who = customer == nullptr ? Coded{} : coded(*customer, table.rows());
  std::vector<std::uint32_t> number(who.labels.size(), kMissing);
  std::vector<std::uint32_t> out(table.rows(), kMissing);
  std::int64_t nameless = 0;
  for (std::size_t row = 0; row < out.size(); ++row) {
    if (arm.codes[row] == kMissing) {
      ++data.rows_without_arm;
      continue;
    }
    const bool named = customer != nullptr && who.codes[row] != kMissing;
    nameless += customer != nullptr && !named ? 1 : 0;
    if (named && number[who.codes[row]] != kMissing) {
      out[row] = number[who.codes[row]];
    } else {
      out[row] = static_cast<std::uint32_t>(data.arm.size());
      data.arm.push_back(arm.codes[row]);
      if (named) {
        number[who.codes[row]] = out[row];
      }
    }
    if (data.arm[out[row]] != arm.codes[row]) {
      data.arm[out[row]] = kSeveral;
    }
  }
  if (nameless > 0) {
    data.warnings.push_back(rows_text(nameless) + " without a customer count as customers of their own.");
  }
  return out;
}

struct Sums {
  std::vector<double> sum;
  std::vector<double> count;
};

Sums sums_of(const std::vector<double>& column, const std::vector<std::uint32_t>& customer, std::size_t customers) {
  Sums out{std::vector<double>(customers, 0), std::vector<double>(customers, 0)};
  for (std::size_t row = 0; row < column.size(); ++row) {
    if (customer[row] != kMissing && std::isfinite(column[row])) {
      out.sum[customer[row]] += column[row];
      out.count[customer[row]] += 1;
    }
  }
  return out;
}

void add_values(const table::Column& column, const std::vector<std::uint32_t>& customer, ExperimentData& data) {
  Sums sums = sums_of(column.numbers, customer, data.arm.size());
  for (std::size_t i = 0; i < sums.sum.size(); ++i) {
    sums.sum[i] = sums.count[i] > 0 ? sums.sum[i] : kNan;
  }
  data.values.push_back(std::move(sums.sum));
}

// The mean over his rows; customers without one get the mean of all, which takes nothing from anybody.
void add_covariate(const table::Column& column, const std::vector<std::uint32_t>& customer, ExperimentData& data) {
  const Sums sums = sums_of(column.numbers, customer, data.arm.size());
  const double count = std::accumulate(sums.count.begin(), sums.count.end(), 0.0);
  const double mean = count > 0 ? std::accumulate(sums.sum.begin(), sums.sum.end(), 0.0) / count : 0;
  for (std::size_t i = 0; i < sums.sum.size(); ++i) {
    data.covariate.push_back(sums.count[i] > 0 ? sums.sum[i] / sums.count[i] : mean);
    data.covariate_missing += sums.count[i] > 0 ? 0 : 1;
  }
}

void add_strata(const table::Column& column, std::size_t rows, const std::vector<std::uint32_t>& customer, ExperimentData& data) {
  const Coded strata = coded(column, rows);
  const auto none = static_cast<std::uint32_t>(strata.labels.size());  // who has none is a stratum of his own
  data.stratum.assign(data.arm.size(), none);
  for (std::size_t row = 0; row < rows; ++row) {
    if (customer[row] != kMissing && strata.codes[row] != kMissing && data.stratum[customer[row]] == none) {
      data.stratum[customer[row]] = strata.codes[row];
    }
  }
}

template <class T>
void keep_only(std::vector<T>& values, const std::vector<std::uint8_t>& keep) {
  std::size_t to = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (keep[i] != 0) {
      values[to++] = values[i];
    }
  }
  values.resize(to);
}

// Who was in more than one arm saw both: he belongs to none.
void leave_out_duplicates(ExperimentData& data) {
  std::vector<std::uint8_t> keep(data.arm.size());
  for (std::size_t i = 0; i < keep.size(); ++i) {
    keep[i] = data.arm[i] == kSeveral ? 0 : 1;
    data.duplicates += 1 - keep[i];
  }
  if (data.duplicates == 0) {
    return;
  }
  for (auto& values : data.values) {
    keep_only(values, keep);
  }
  if (!data.covariate.empty()) {
    keep_only(data.covariate, keep);
  }
  if (!data.stratum.empty()) {
    keep_only(data.stratum, keep);
  }
  keep_only(data.arm, keep);
  data.warnings.push_back(std::to_string(data.duplicates) + (data.duplicates == 1 ? " customer was" : " customers were") +
                          " in more than one arm and left out. A sound assignment gives everybody one arm.");
}

}  // namespace

base::Result<std::pair<std::string, std::string>> split_ratio(const std::string& text) {
  const auto slash = text.find('/');
  if (slash == std::string::npos || slash == 0 || slash + 1 == text.size() || text.find('/', slash + 1) != std::string::npos) {
    return base::invalid_argument("'" + text + "' is no ratio: write NUMERATOR/DENOMINATOR, two columns");
  }
  return std::pair(text.substr(0, slash), text.substr(slash + 1));
}

const std::vector<double>& ExperimentData::of(const std::string& name) const {
  const auto place = std::find(names.begin(), names.end(), name);
  BECKON_CHECK(place != names.end());
  return values[static_cast<std::size_t>(place - names.begin())];
}

base::Result<ExperimentData> read_experiment(const ExperimentRequest& request) {
  ExperimentData data;
  if (request.arm.empty()) {
    return base::invalid_argument("name the column that tells the arms apart: --arm COL");
  }
  BECKON_TRY(data.names, value_names(request));
  std::vector<std::string> columns = data.names;
  columns.insert(columns.end(), {request.arm, request.covariate, request.strata, request.customer});
  BECKON_TRY(const table::Table table, read_columns(request.file, columns));
  data.warnings = reading_notes(table);
  BECKON_TRY(const table::Column* arm_column, table.find(request.arm));
  const Coded arm = coded(*arm_column, table.rows());
  if (arm.labels.size() < 2 || arm.labels.size() > kArmsMost) {
    return base::failed_precondition(table.name() + ": " + request.arm + " names " + std::to_string(arm.labels.size()) +
                                     (arm.labels.size() == 1 ? " arm ('" + arm.labels.front() + "')" : " arms") +
                                     ", an experiment has 2 to " + std::to_string(kArmsMost) + ": name the column that tells them apart");
  }
  data.arms = arm.labels;
  data.rows = static_cast<std::int64_t>(table.rows());
  data.rows_of_arm.assign(arm.labels.size(), 0);
  for (const auto code : arm.codes) {
    if (code != kMissing) {
      ++data.rows_of_arm[code];
    }
  }
  const table::Column* customer = nullptr;
  if (!request.customer.empty()) {
    BECKON_TRY(customer, table.find(request.customer));
  }
  const std::vector<std::uint32_t> who = customer_of_rows(table, customer, arm, data);
  for (const std::string& name : data.names) {
    BECKON_TRY(const table::Column* column, table.numbers(name));
    add_values(*column, who, data);
  }
  if (!request.covariate.empty()) {
    BECKON_TRY(const table::Column* column, table.numbers(request.covariate));
    add_covariate(*column, who, data);
  }
  if (!request.strata.empty()) {
    BECKON_TRY(const table::Column* column, table.find(request.strata));
    add_strata(*column, table.rows(), who, data);
  }
  leave_out_duplicates(data);
  if (data.rows_without_arm > 0) {
    data.warnings.push_back(rows_text(data.rows_without_arm) + " without an arm were left out.");
  }
  return data;
}

}  // namespace beckon::study
