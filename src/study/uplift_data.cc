#include "uplift_data.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <unordered_map>

#include "beckon/base/progress.h"
#include "beckon/stats/calibration.h"
#include "columns.h"
#include "uplift_columns.h"

namespace beckon::study {
namespace {

constexpr double kPredictableZ = 4;      // of "the columns tell who was treated"
constexpr float kPropensityLeast = 0.02F;

struct Read {
  table::Table table;
  Coded treatment;
  std::uint32_t control = 0;
};

base::Result<std::uint32_t> control_of(const UpliftRequest& request, const Coded& treatment) {
  const auto& labels = treatment.labels;
  if (labels.size() < 2) {
    return base::failed_precondition("column '" + request.treatment + "' holds " + (labels.empty() ? "nothing" : "'" + labels[0] + "' alone") +
                                     ": an effect needs rows with and without treatment");
  }
  std::string list;
  for (std::size_t i = 0; i < labels.size() && i < 8; ++i) {
    list += (i > 0 ? ", " : "") + ("'" + labels[i] + "'");
  }
  if (!request.control.empty()) {
    const auto at = std::ranges::find(labels, request.control);
    if (at == labels.end()) {
      return base::not_found("column '" + request.treatment + "' never holds --control '" + request.control + "': it holds " + list);
    }
    return static_cast<std::uint32_t>(at - labels.begin());
  }
  for (std::string usual : {"0", "false", "no", "none", "control", "holdout", "off"}) {
    for (std::size_t i = 0; i < labels.size(); ++i) {
      std::string label = labels[i];
      std::ranges::transform(label, label.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      if (label == usual) {
        return static_cast<std::uint32_t>(i);
      }
    }
  }
  return base::failed_precondition("which value of '" + request.treatment + "' means no treatment? Say --control VALUE, one of " + list);
}

// Rows with treatment and outcome; the others are counted.
base::Result<Read> usable_rows(const UpliftRequest& request, table::Table table, UpliftData& out) {
  BECKON_TRY(const table::Column* treatment, table.find(request.treatment));
  BECKON_TRY(const table::Column* outcome, table.numbers(request.outcome));
  const Coded all = coded(*treatment, table.rows());
  std::vector<std::uint8_t> keep(table.rows(), 1);
  std::int64_t without_treatment = 0;
  std::int64_t without_outcome = 0;
  for (std::size_t r = 0; r < keep.size(); ++r) {
    const bool treated = all.codes[r] != kMissing;
    const bool seen = std::isfinite(outcome->numbers[r]);
    without_treatment += treated ? 0 : 1;
    without_outcome += treated && !seen ? 1 : 0;
    keep[r] = treated && seen ? 1 : 0;
  }
  out.counts = {{"rows", static_cast<std::int64_t>(table.rows())},
                {"without_treatment", without_treatment},
                {"without_outcome", without_outcome},
                {"rejected", table.rejected}};
  out.notes = reading_notes(table);
  const auto note = [&](std::int64_t count, const std::string& what) {
    if (count > 0) {
      out.notes.push_back(rows_text(count) + " " + what);
    }
  };
  note(without_treatment, "without a value in '" + request.treatment + "' were left out");
  note(without_outcome, "without a number in '" + request.outcome + "' were left out; where outcomes are missing more often in one arm, the effect is wrong");
  table::Table kept = rows_where(table, keep);
  BECKON_TRY(const table::Column* column, kept.find(request.treatment));
  Coded treatments = coded(*column, kept.rows());
  BECKON_TRY(const std::uint32_t control, control_of(request, treatments));
  return Read{std::move(kept), std::move(treatments), control};
}

uplift::Response response_of(const table::Column& outcome) {
  const bool binary = std::ranges::all_of(outcome.numbers, [](double y) { return y == 0 || y == 1; });
  return binary ? uplift::Response::kProbability : uplift::Response::kAmount;
}

// Who was seen in more than one arm counts for none: nobody knows which of them changed him.
base::Result<std::vector<std::uint32_t>> customers_of(const UpliftRequest& request, const Read& read, std::vector<std::uint8_t>& keep, UpliftData& out) {
  BECKON_TRY(const table::Column* column, read.table.find(request.customer));
  Coded customers = coded(*column, read.table.rows());
  std::vector<std::set<std::uint32_t>> arms(customers.labels.size());
  for (std::size_t r = 0; r < keep.size(); ++r) {
    if (customers.codes[r] != kMissing) {
      arms[customers.codes[r]].insert(read.treatment.codes[r]);
    }
  }
  std::int64_t several = 0;
  std::int64_t unnamed = 0;
  for (const auto& of : arms) {
    several += of.size() > 1 ? 1 : 0;
  }
  for (std::size_t r = 0; r < keep.size(); ++r) {
    const std::uint32_t code = customers.codes[r];
    unnamed += code == kMissing ? 1 : 0;
    keep[r] = code != kMissing && arms[code].size() == 1 ? 1 : 0;
  }
  out.counts["customers"] = static_cast<std::int64_t>(customers.labels.size());
  out.counts["customers_in_several_arms"] = several;
  if (several > 0) {
    out.notes.push_back(base::with_thousands(several) + " customers stand in more than one arm and were left out");
  }
  if (unnamed > 0) {
    out.notes.push_back(rows_text(unnamed) + " without a value in '" + request.customer + "' were left out");
  }
  return std::move(customers.codes);
}

// Numbers the customers of a trial from 0.
std::vector<std::uint32_t> renumbered(const std::vector<std::uint32_t>& customers, const std::vector<std::uint32_t>& rows) {
  std::unordered_map<std::uint32_t, std::uint32_t> number;
  std::vector<std::uint32_t> out;
  for (const std::uint32_t r : rows) {
    out.push_back(number.try_emplace(customers[r], static_cast<std::uint32_t>(number.size())).first->second);
  }
  return out;
}

base::Status given_propensity(const table::Table& table, const std::string& name, Arm& arm) {
  BECKON_TRY(const table::Column* column, table.numbers(name));
  for (std::size_t i = 0; i < arm.rows.size(); ++i) {
    const double p = column->numbers[arm.rows[i]];
    if (!(p > 0 && p < 1)) {
      return base::failed_precondition("column '" + name + "' must hold the probability of the arm that each row got, above 0 and below 1; row " +
                                       std::to_string(arm.rows[i] + 1) + " of those used holds " + table::cell_text(*column, arm.rows[i]));
    }
    arm.trial.propensity.push_back(static_cast<float>(arm.trial.treated[i] != 0 ? p : 1 - p));
  }
  return base::ok_status();
}

base::Status find_propensity(const UpliftRequest& request, const table::Table& table, Arm& arm) {
  if (!request.propensity.empty()) {
    return given_propensity(table, request.propensity, arm);
  }
  std::vector<float> estimated;
  BECKON_TRY(arm.predictable, predictability(arm.trial, estimated));
  arm.randomised = arm.predictable < kPredictableZ;
  const double treated = std::accumulate(arm.trial.treated.begin(), arm.trial.treated.end(), 0.0);
  arm.trial.propensity.assign(arm.rows.size(), static_cast<float>(treated / static_cast<double>(arm.rows.size())));
  for (std::size_t i = 0; !arm.randomised && i < estimated.size(); ++i) {
    arm.trial.propensity[i] = std::clamp(estimated[i], kPropensityLeast, 1 - kPropensityLeast);
  }
  return base::ok_status();
}

base::Result<std::vector<std::size_t>> wanted_arms(const UpliftRequest& request, const Read& read) {
  std::vector<std::size_t> out;
  for (const std::string& arm : request.arms) {
    const auto at = std::ranges::find(read.treatment.labels, arm);
    if (at == read.treatment.labels.end()) {
      return base::not_found("column '" + request.treatment + "' never holds --arm '" + arm + "'");
    }
    out.push_back(static_cast<std::size_t>(at - read.treatment.labels.begin()));
  }
  for (std::size_t i = 0; request.arms.empty() && i < read.treatment.labels.size(); ++i) {
    if (i != read.control) {
      out.push_back(i);
    }
  }
  constexpr std::size_t kArmsMost = 20;
  if (out.size() > kArmsMost) {
    return base::failed_precondition("column '" + request.treatment + "' holds " + std::to_string(out.size() + 1) +
                                     " different values: is it the treatment? Name those to study with --arm (at most 20)");
  }
  return out;
}

base::Status make_arms(const UpliftRequest& request, const Read& read, UpliftData& out) {
  std::vector<std::uint8_t> keep(read.table.rows(), 1);
  std::vector<std::uint32_t> customers;
  if (!request.customer.empty()) {
    BECKON_TRY(customers, customers_of(request, read, keep, out));
  }
  BECKON_TRY(const table::Column* outcome, read.table.numbers(request.outcome));
  BECKON_TRY(const uplift::Matrix all, out.encoder.encode(read.table));
  BECKON_TRY(const auto wanted, wanted_arms(request, read));
  for (const std::size_t code : wanted) {
    Arm arm;
    arm.label = read.treatment.labels[code];
    arm.trial.response = out.response;
    arm.trial.x.columns = all.columns;
    arm.trial.x.names = all.names;
    for (std::uint32_t r = 0; r < read.table.rows(); ++r) {
      const std::uint32_t got = read.treatment.codes[r];
      if (keep[r] == 0 || (got != code && got != read.control)) {
        continue;
      }
      arm.rows.push_back(r);
      arm.trial.treated.push_back(got == code ? 1 : 0);
      arm.trial.outcome.push_back(static_cast<float>(outcome->numbers[r]));
      const auto row = all.row(r);
      arm.trial.x.values.insert(arm.trial.x.values.end(), row.begin(), row.end());
    }
    arm.trial.x.rows = arm.rows.size();
    if (!customers.empty()) {
      arm.trial.customer = renumbered(customers, arm.rows);
      for (const std::uint32_t row : arm.rows) {
        arm.customer.push_back(customers[row]);
      }
    }
    out.arms.push_back(std::move(arm));
  }
  return base::ok_status();
}

}  // namespace

base::Result<double> predictability(const uplift::Trial& trial, std::vector<float>& share) {
  const std::size_t rows = trial.treated.size();
  std::vector<std::uint32_t> all(rows);
  std::iota(all.begin(), all.end(), 0U);
  constexpr std::size_t kFolds = 4;
  const auto fold = uplift::deal(trial, all, kFolds, 7);
  share.assign(rows, 0);
  const auto base = uplift::linear();
  for (std::size_t k = 0; k < kFolds; ++k) {
    std::vector<std::uint32_t> learn;
    std::vector<std::uint32_t> held;
    std::vector<float> treated;
    for (std::size_t r = 0; r < rows; ++r) {
      (fold[r] == k ? held : learn).push_back(static_cast<std::uint32_t>(r));
      if (fold[r] != k) {
        treated.push_back(static_cast<float>(trial.treated[r]));
      }
    }
    if (learn.empty() || held.empty()) {
      return 0.0;
    }
    BECKON_TRY(const auto model, base->fit({&trial.x, learn, treated, {}, uplift::Response::kProbability, 1}));
    std::vector<float> said(held.size());
    model->predict(trial.x, held, said);
    for (std::size_t i = 0; i < held.size(); ++i) {
      share[held[i]] = said[i];
    }
  }
  const std::vector<double> score(share.begin(), share.end());
  const double treated = std::accumulate(trial.treated.begin(), trial.treated.end(), 0.0);
  const double others = static_cast<double>(rows) - treated;
  // Standard deviation of the area when scores say nothing (Mann and Whitney 1947).
  const double deviation = std::sqrt((treated + others + 1) / (12 * std::max(1.0, treated * others)));
  return (stats::auc(score, trial.treated) - 0.5) / deviation;
}

base::Result<UpliftData> read_uplift(const UpliftRequest& request) {
  UpliftData out;
  std::vector<std::string> columns = request.features;
  if (!columns.empty()) {
    columns.insert(columns.end(), {request.treatment, request.outcome, request.propensity, request.customer});
  }
  BECKON_TRY(table::Table table, read_columns(request.file, columns));
  BECKON_TRY(const Read read, usable_rows(request, std::move(table), out));
  BECKON_TRY(const table::Column* outcome, read.table.numbers(request.outcome));
  out.control = read.treatment.labels[read.control];
  out.response = response_of(*outcome);
  if (out.response == uplift::Response::kAmount) {
    out.notes.push_back("'" + request.outcome + "' holds more than 0 and 1: effects are differences of its mean");
  }
  BECKON_TRY(FeatureChoice choice, choose_features(request, read.table, read.treatment));
  out.features = std::move(choice.features);
  out.left_out = std::move(choice.left_out);
  BECKON_TRY(out.encoder, uplift::Encoder::learn(read.table, {out.features}));
  for (const std::string& constant : out.encoder.constant()) {
    out.left_out.push_back({constant, "holds a single value"});
  }
  BECKON_TRY_STATUS(make_arms(request, read, out));
  for (Arm& arm : out.arms) {
    BECKON_TRY_STATUS(find_propensity(request, read.table, arm));
  }
  return out;
}

base::Result<UpliftData> read_uplift_test(const UpliftRequest& request, const UpliftData& learnt) {
  UpliftData out;
  UpliftRequest test = request;
  test.file = request.test_file;
  test.control = learnt.control;
  test.arms.clear();
  for (const Arm& arm : learnt.arms) {
    test.arms.push_back(arm.label);
  }
  std::vector<std::string> columns = learnt.features;
  columns.insert(columns.end(), {test.treatment, test.outcome, test.propensity, test.customer});
  BECKON_TRY(table::Table table, read_columns(test.file, columns));
  BECKON_TRY(const Read read, usable_rows(test, std::move(table), out));
  out.control = learnt.control;
  out.response = learnt.response;
  out.encoder = learnt.encoder;
  BECKON_TRY_STATUS(make_arms(test, read, out));
  for (Arm& arm : out.arms) {
    BECKON_TRY_STATUS(find_propensity(test, read.table, arm));
  }
  return out;
}

}  // namespace beckon::study
