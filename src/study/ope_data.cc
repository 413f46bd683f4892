#include "ope_data.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "beckon/stats/off_policy.h"
#include "beckon/stats/overlap.h"

namespace beckon::study {
namespace {

constexpr double kSumTolerance = 1e-6;
constexpr const char* kProbability = "probability";

base::Status check_request(const OpeRequest& r) {
  const bool distribution = !r.target_table.empty() || !r.target_columns.empty();
  if (r.reward.empty() || r.propensity.empty()) {
    return base::invalid_argument("name the columns of the reward and of the logged probability: --reward COL --propensity COL");
  }
  if (r.target.empty() && !distribution) {
    return base::invalid_argument("name the column with the target policy's probability of the shown action (--target COL), or give the whole "
                                  "distribution (--action COL with --target-table FILE or --target-columns PREFIX)");
  }
  if (distribution && r.action.empty()) {
    return base::invalid_argument("a distribution over actions needs the column of the shown one: --action COL");
  }
  if (!r.target_table.empty() && !r.target_columns.empty()) {
    return base::invalid_argument("give the target's distribution once: --target-table or --target-columns");
  }
  if ((r.propensity.size() > 1) != !r.logger.empty()) {
    return base::invalid_argument("several loggers need both: --logger COL and --propensity NAME=COL,NAME=COL with a column for each logger");
  }
  if (r.category_propensity.empty() != r.category_target.empty()) {
    return base::invalid_argument("--category-propensity and --category-target belong together");
  }
  if (r.slate.empty() != r.position.empty()) {
    return base::invalid_argument("--slate and --position belong together");
  }
  return base::ok_status();
}

// "name=column" of --propensity; a single column has no name.
std::pair<std::string, std::string> split_propensity(const std::string& text) {
  const auto equals = text.find('=');
  return equals == std::string::npos ? std::pair(std::string(), text) : std::pair(text.substr(0, equals), text.substr(equals + 1));
}

std::vector<std::string> names_of_columns(const OpeRequest& r) {
  std::vector<std::string> names{r.reward, r.logger, r.target, r.action, r.customer, r.slate, r.position, r.category_propensity, r.category_target};
  for (const std::string& one : r.propensity) {
    names.push_back(split_propensity(one).second);
  }
  names.insert(names.end(), r.features.begin(), r.features.end());
  return names;
}

base::Result<std::vector<double>> numbers_of(const table::Table& table, const std::string& name) {
  BECKON_TRY(const table::Column* column, table.numbers(name));
  return column->numbers;
}

base::Result<std::vector<double>> propensities(const table::Table& table, const OpeRequest& request) {
  if (request.logger.empty()) {
    return numbers_of(table, split_propensity(request.propensity.front()).second);
  }
  BECKON_TRY(const table::Column* column, table.find(request.logger));
  const Coded logger = coded(*column, table.rows());
  const std::size_t loggers = request.propensity.size();
  std::vector<std::string> names;
  std::vector<double> of_each(table.rows() * loggers);
  for (std::size_t l = 0; l < loggers; ++l) {
    const auto [name, of_logger] = split_propensity(request.propensity[l]);
    names.push_back(name);
    BECKON_TRY(const std::vector<double> values, numbers_of(table, of_logger));
    for (std::size_t row = 0; row < values.size(); ++row) {
      if (!(values[row] >= 0 && values[row] <= 1)) {
        return base::failed_precondition("row " + std::to_string(row + 1) + ": the probability under every logger is needed, " + of_logger +
                                         " is missing or outside [0, 1]");
      }
      of_each[row * loggers + l] = values[row];
    }
  }
  std::vector<std::uint32_t> who(table.rows());
  for (std::size_t row = 0; row < who.size(); ++row) {
    const std::string label = logger.codes[row] == kMissing ? "" : logger.labels[logger.codes[row]];
    const auto place = std::find(names.begin(), names.end(), label);
    if (place == names.end()) {
      return base::invalid_argument("row " + std::to_string(row + 1) + " was shown by '" + label + "', for which --propensity names no column (" +
                                    request.logger + ")");
    }
    who[row] = static_cast<std::uint32_t>(place - names.begin());
  }
  return stats::balanced_propensity(of_each, who, loggers);
}

std::uint32_t number_of(std::vector<std::string>& names, std::map<std::string, std::uint32_t>& numbers, const std::string& name) {
  const auto [place, added] = numbers.emplace(name, static_cast<std::uint32_t>(names.size()));
  if (added) {
    names.push_back(name);
  }
  return place->second;
}

base::Status check_line(const Distribution& distribution, std::size_t line, const std::string& where) {
  double sum = 0;
  for (std::size_t a = 0; a < distribution.actions; ++a) {
    const double p = distribution.table[line * distribution.actions + a];
    if (!(p >= 0 && p <= 1)) {
      return base::failed_precondition(where + ": a target probability is missing or outside [0, 1]");
    }
    sum += p;
  }
  if (std::abs(sum - 1) > kSumTolerance) {
    return base::failed_precondition(where + ": the target probabilities of all actions add up to " + std::to_string(sum) + ", not 1");
  }
  return base::ok_status();
}

// The text of the key columns of a row, separated by a byte that no cell holds.
std::string key_of(const std::vector<const table::Column*>& columns, std::size_t row) {
  std::string key;
  for (const table::Column* column : columns) {
    key += table::cell_text(*column, row) + '\x1f';
  }
  return key;
}

// Columns: the action, "probability", and what the policy looks at.
base::Status read_table_policy(const OpeRequest& request, const table::Table& log, OpeData& data) {
  BECKON_TRY(const table::Table table, table::read_table(request.target_table));
  BECKON_TRY(const table::Column* action, table.find(request.action));
  BECKON_TRY(const table::Column* probability, table.numbers(kProbability));
  std::vector<std::string> key_names;
  std::vector<const table::Column*> table_keys;
  for (const table::Column& column : table.columns()) {
    if (&column != action && &column != probability) {
      key_names.push_back(column.name);
      table_keys.push_back(&column);
    }
  }
  BECKON_TRY(const table::Table keys_of_log, key_names.empty() ? base::Result<table::Table>(log) : read_columns(request.file, key_names));
  std::vector<const table::Column*> log_keys;
  for (const std::string& name : key_names) {
    BECKON_TRY(const table::Column* column, keys_of_log.find(name));
    log_keys.push_back(column);
  }
  std::map<std::string, std::uint32_t> numbers;
  for (std::uint32_t a = 0; a < data.action_names.size(); ++a) {
    numbers[data.action_names[a]] = a;
  }
  for (std::size_t row = 0; row < table.rows(); ++row) {
    number_of(data.action_names, numbers, table::cell_text(*action, row));
  }
  Distribution& d = data.distribution;
  d.actions = data.action_names.size();
  std::map<std::string, std::uint32_t> lines;
  std::vector<std::string> line_keys;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    const std::uint32_t line = number_of(line_keys, lines, key_of(table_keys, row));
    d.table.resize(line_keys.size() * d.actions, 0);
    d.table[line * d.actions + numbers.at(table::cell_text(*action, row))] += probability->numbers[row];
  }
  for (std::size_t line = 0; line < line_keys.size(); ++line) {
    std::string key = line_keys[line];
    std::replace(key.begin(), key.end(), '\x1f', ' ');
    BECKON_TRY_STATUS(check_line(d, line, request.target_table + (key.empty() ? "" : ", " + key)));
  }
  for (std::size_t row = 0; row < log.rows(); ++row) {
    const auto line = lines.find(key_of(log_keys, row));
    if (line == lines.end()) {
      return base::invalid_argument(request.target_table + " has no line for row " + std::to_string(row + 1) + " of " + log.name() +
                                    ": every combination of its columns that the log holds is needed");
    }
    d.line_of_row.push_back(line->second);
  }
  return base::ok_status();
}

base::Status read_column_policy(const OpeRequest& request, const table::Table& log, OpeData& data) {
  BECKON_TRY(const table::Table all, table::read_table(request.file));
  std::vector<const table::Column*> columns;
  for (const table::Column& column : all.columns()) {
    if (column.name.starts_with(request.target_columns)) {
      const std::string name = column.name.substr(request.target_columns.size());
      if (std::find(data.action_names.begin(), data.action_names.end(), name) == data.action_names.end()) {
        data.action_names.push_back(name);
      }
    }
  }
  Distribution& d = data.distribution;
  d.actions = data.action_names.size();
  for (const std::string& name : data.action_names) {
    BECKON_TRY(const table::Column* column, all.numbers(request.target_columns + name));
    columns.push_back(column);
  }
  d.line_of_row.resize(log.rows());
  std::iota(d.line_of_row.begin(), d.line_of_row.end(), 0U);
  d.table.resize(log.rows() * d.actions);
  for (std::size_t row = 0; row < log.rows(); ++row) {
    for (std::size_t a = 0; a < d.actions; ++a) {
      d.table[row * d.actions + a] = columns[a]->numbers[row];
    }
    BECKON_TRY_STATUS(check_line(d, row, log.name() + ", row " + std::to_string(row + 1)));
  }
  return base::ok_status();
}

base::Status read_actions(const OpeRequest& request, const table::Table& table, OpeData& data) {
  BECKON_TRY(const table::Column* column, table.find(request.action));
  Coded actions = coded(*column, table.rows());
  const auto missing = std::find(actions.codes.begin(), actions.codes.end(), kMissing);
  if (missing != actions.codes.end()) {
    return base::failed_precondition("row " + std::to_string(missing - actions.codes.begin() + 1) + " has no action (" + request.action + ")");
  }
  data.action = std::move(actions.codes);
  data.action_names = std::move(actions.labels);
  if (!request.target_table.empty()) {
    BECKON_TRY_STATUS(read_table_policy(request, table, data));
  } else if (!request.target_columns.empty()) {
    BECKON_TRY_STATUS(read_column_policy(request, table, data));
  }
  return base::ok_status();
}

// The shown action's probability: from its column, or looked up; where both are given they must agree.
base::Status read_targets(const OpeRequest& request, const table::Table& table, OpeData& data) {
  if (!request.target.empty()) {
    BECKON_TRY(data.target, numbers_of(table, request.target));
  }
  if (data.distribution.actions == 0) {
    return base::ok_status();
  }
  std::vector<double> looked_up(table.rows());
  for (std::size_t row = 0; row < looked_up.size(); ++row) {
    looked_up[row] = data.distribution.at(row, data.action[row]);
    if (!request.target.empty() && !(std::abs(looked_up[row] - data.target[row]) <= kSumTolerance)) {
      return base::invalid_argument("row " + std::to_string(row + 1) + ": " + request.target + " is not the probability of " +
                                    data.action_names[data.action[row]] + " in the target's distribution: mend one, or leave --target out");
    }
  }
  data.target = std::move(looked_up);
  return base::ok_status();
}

// Rows without a customer count as customers of their own.
base::Result<std::vector<std::uint32_t>> customers_of(const table::Table& table, const std::string& name, std::vector<std::string>& warnings) {
  BECKON_TRY(const table::Column* column, table.find(name));
  Coded customers = coded(*column, table.rows());
  auto next = static_cast<std::uint32_t>(customers.labels.size());
  std::int64_t missing = 0;
  for (auto& code : customers.codes) {
    if (code == kMissing) {
      code = next++;
      ++missing;
    }
  }
  if (missing > 0) {
    warnings.push_back(rows_text(missing) + " without " + name + " count as customers of their own.");
  }
  return customers.codes;
}

// Rows whose reward is missing go, and are counted; every other gap is refused, because nothing says what it would mean.
base::Result<table::Table> rows_with_reward(const OpeRequest& request, table::Table table, OpeData& data) {
  BECKON_TRY(const table::Column* reward, table.numbers(request.reward));
  std::vector<std::uint8_t> keep(table.rows());
  for (std::size_t row = 0; row < keep.size(); ++row) {
    keep[row] = std::isfinite(reward->numbers[row]) ? 1 : 0;
    data.left_out += 1 - keep[row];
  }
  if (data.left_out == 0) {
    return table;
  }
  if (!request.target_table.empty() || !request.target_columns.empty()) {
    return base::failed_precondition(rows_text(data.left_out) + " have no finite " + request.reward +
                                     ": with a distribution over all actions, take these rows out of the file first");
  }
  data.warnings.push_back(rows_text(data.left_out) + " have no finite " + request.reward +
                          " and were left out. If rewards are missing for a reason, the rest does not speak for them.");
  table::Table kept = table::rows_where(table, keep);
  if (kept.rows() == 0) {
    return base::failed_precondition("no row has a finite " + request.reward);
  }
  return kept;
}

}  // namespace

base::Result<OpeData> read_log(const OpeRequest& request) {
  BECKON_TRY_STATUS(check_request(request));
  BECKON_TRY(table::Table whole, read_columns(request.file, names_of_columns(request)));
  OpeData data;
  data.warnings = reading_notes(whole);
  BECKON_TRY(const table::Table table, rows_with_reward(request, std::move(whole), data));
  BECKON_TRY(data.reward, numbers_of(table, request.reward));
  BECKON_TRY(data.propensity, propensities(table, request));
  if (!request.action.empty()) {
    BECKON_TRY_STATUS(read_actions(request, table, data));
  }
  BECKON_TRY_STATUS(read_targets(request, table, data));
  BECKON_TRY(data.features, features_of(table, request.features));
  if (!request.customer.empty()) {
    BECKON_TRY(data.customer, customers_of(table, request.customer, data.warnings));
  }
  if (!request.category_target.empty()) {
    BECKON_TRY(const std::vector<double> logged, numbers_of(table, request.category_propensity));
    BECKON_TRY(const std::vector<double> target, numbers_of(table, request.category_target));
    const stats::LoggedDecisions categories{data.reward, logged, target};
    if (const auto status = stats::check_log(categories); !status.ok()) {
      return status.error().at("categories");
    }
    data.category_weight = stats::importance_weights(categories);
  }
  if (!request.slate.empty()) {
    BECKON_TRY(const table::Column* slate, table.find(request.slate));
    data.slate = coded(*slate, table.rows()).codes;
    BECKON_TRY(data.position, numbers_of(table, request.position));
    if (std::find(data.slate.begin(), data.slate.end(), kMissing) != data.slate.end() ||
        !std::all_of(data.position.begin(), data.position.end(), [](double p) { return std::isfinite(p); })) {
      return base::failed_precondition("every row needs " + request.slate + " and " + request.position + " when slates are judged");
    }
  }
  const stats::LoggedDecisions log{data.reward, data.propensity, data.target};
  if (const auto status = stats::check_log(log); !status.ok()) {
    return status.error().at(table.name());
  }
  return data;
}

}  // namespace beckon::study
