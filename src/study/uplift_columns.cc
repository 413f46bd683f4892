#include "uplift_columns.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <unordered_set>

#include "beckon/stats/distributions.h"
#include "beckon/stats/intervals.h"

namespace beckon::study {
namespace {

constexpr std::size_t kNamesRowsAbove = 200;  // rows from which a column of different values is taken for a name
constexpr double kImbalanced = 0.001;
constexpr double kBalanced = 0.01;

bool counts_rows(const table::Column& column) {
  return std::ranges::all_of(column.numbers, [](double v) { return std::isfinite(v) && v == std::floor(v); }) &&
         std::unordered_set<double>(column.numbers.begin(), column.numbers.end()).size() == column.numbers.size();
}

// Empty, or why the column cannot say anything about people.
std::string no_feature(const table::Column& column, std::size_t rows) {
  if (column.kind == table::Kind::kDate) {
    return "holds dates: name it with --features to use it as days";
  }
  if (rows > kNamesRowsAbove && column.kind == table::Kind::kCategory && 2 * (column.labels.size() - 1) > rows) {
    return "has another value in most rows, as names have";
  }
  if (rows > kNamesRowsAbove && column.kind == table::Kind::kNumber && counts_rows(column)) {
    return "is a whole number that never repeats, as row numbers are";
  }
  return "";
}

// p of "the arms have the same of this column": greatest difference of means over the arms, times the number of comparisons.
double balance(const table::Column& column, const Coded& treatment) {
  const std::size_t arms = treatment.labels.size();
  const auto p_of = [&](const std::function<double(std::size_t)>& value) {
    std::vector<stats::Moments> moments(arms);
    for (std::size_t r = 0; r < treatment.codes.size(); ++r) {
      if (const double v = value(r); std::isfinite(v)) {
        moments[treatment.codes[r]].add(v);
      }
    }
    double p = 1;
    for (std::size_t a = 1; a < arms; ++a) {
      const auto difference = stats::difference_of_means(moments[a], moments[0]);
      p = difference.ok() ? std::min(p, difference->p_value * static_cast<double>(arms - 1)) : p;
    }
    return p;
  };
  if (column.kind != table::Kind::kCategory) {
    return p_of([&](std::size_t r) { return column.numbers[r]; });
  }
  constexpr std::size_t kLabelsLooked = 20;
  double p = 1;
  for (std::uint32_t label = 1; label < column.labels.size() && label <= kLabelsLooked; ++label) {
    const double of_label = p_of([&](std::size_t r) { return column.codes[r] == label ? 1.0 : 0.0; });
    p = std::min(p, of_label * static_cast<double>(std::min(column.labels.size() - 1, kLabelsLooked)));
  }
  return p;
}

// Whether having any of this column (not 0, not empty) settles the outcome: so does the revenue of an order for "ordered".
bool settles(const table::Column& column, const table::Column& outcome) {
  if (column.kind == table::Kind::kCategory) {
    return false;
  }
  stats::Moments with;
  stats::Moments without;
  for (std::size_t r = 0; r < outcome.numbers.size(); ++r) {
    if (std::isfinite(column.numbers[r])) {
      (column.numbers[r] != 0 ? with : without).add(outcome.numbers[r]);
    }
  }
  constexpr std::int64_t kRowsLeast = 20;
  if (std::min(with.count, without.count) < kRowsLeast) {
    return false;
  }
  const auto sure = [](const stats::Moments& one, const stats::Moments& other) {
    return one.variance() == 0 && std::abs(one.mean - other.mean) > 3 * std::sqrt(other.variance() / static_cast<double>(other.count)) &&
           other.mean * static_cast<double>(one.count) > 20;
  };
  // All with it have the outcome while most without have not; or none without it has.
  const bool all_with = with.variance() == 0 && with.mean != 0 && std::abs(without.mean) < std::abs(with.mean) / 2;
  return all_with || (without.mean == 0 && sure(without, with));
}

}  // namespace

base::Result<FeatureChoice> choose_features(const UpliftRequest& request, const table::Table& table, const Coded& treatment) {
  FeatureChoice out;
  if (!request.features.empty()) {
    for (const std::string& name : request.features) {
      BECKON_TRY([[maybe_unused]] const table::Column* column, table.find(name));
      if (name == request.treatment || name == request.outcome) {
        return base::invalid_argument("--features names '" + name + "', which is the " + (name == request.outcome ? "outcome" : "treatment"));
      }
    }
    out.features = request.features;
    return out;
  }
  BECKON_TRY(const table::Column* outcome, table.numbers(request.outcome));
  struct Seen {
    std::string name;
    double balance = 1;
    bool settles = false;
  };
  std::vector<Seen> seen;
  for (const table::Column& column : table.columns()) {
    if (column.name == request.treatment || column.name == request.outcome || column.name == request.propensity || column.name == request.customer) {
      continue;
    }
    if (const std::string reason = no_feature(column, table.rows()); !reason.empty()) {
      out.left_out.push_back({column.name, reason});
    } else {
      seen.push_back({column.name, balance(column, treatment), settles(column, *outcome)});
    }
  }
  const auto balanced = std::ranges::count_if(seen, [](const Seen& s) { return s.balance > kBalanced; });
  // Where most columns differ between arms nobody drew lots, and a difference says nothing about what came after.
  const bool drawn = 10 * static_cast<std::size_t>(balanced) >= 6 * seen.size();
  for (const Seen& column : seen) {
    if (column.settles) {
      out.left_out.push_back({column.name, "settles the outcome, as what comes after it does: name it with --features when it was known before"});
    } else if (drawn && column.balance < kImbalanced) {
      out.left_out.push_back({column.name, "differs between the arms as consequences do: name it with --features when it was known before"});
    } else {
      out.features.push_back(column.name);
    }
  }
  if (out.features.empty()) {
    return base::failed_precondition(table.name() + " has no column left to learn from: name them with --features");
  }
  return out;
}

}  // namespace beckon::study
