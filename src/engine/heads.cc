#include "heads.h"

#include <algorithm>
#include <array>

#include "beckon/stats/stats.h"

namespace beckon::engine {
namespace {

constexpr std::array<const char*, features::kHeads> kNames{"buys anything within the horizon", "clicks the next message"};

struct Answers {
  std::vector<double> predicted;
  std::vector<std::uint8_t> outcome;
  std::int64_t positives() const { return std::count(outcome.begin(), outcome.end(), 1); }
  bool both_classes() const { return positives() > 0 && positives() < static_cast<std::int64_t>(outcome.size()); }
};

// What the network says as of `from`, and what came until `until`; one answer a customer where it is known.
std::array<Answers, features::kHeads> ask(const features::Dataset& data, const model::Model& weights,
                                          const features::SequenceOptions& when, base::Executor& executor) {
  std::vector<model::Sequence> inputs;
  std::vector<std::vector<std::int8_t>> labels;
  for (const auto& history : data.histories) {
    auto sequence = features::make_sequence(history, when);
    if (!sequence.label.empty()) {
      labels.emplace_back(sequence.label.end() - features::kHeads, sequence.label.end());
      sequence.target.clear();
      sequence.label.clear();
      inputs.push_back(std::move(sequence));
    }
  }
  std::vector<float> logits(inputs.size() * weights.heads());
  weights.head_logits(weights.encode(inputs, executor), logits);
  std::array<Answers, features::kHeads> out;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    for (std::size_t head = 0; head < out.size(); ++head) {
      if (labels[i][head] >= 0) {
        out[head].predicted.push_back(stats::sigmoid(static_cast<double>(logits[i * weights.heads() + head])));
        out[head].outcome.push_back(static_cast<std::uint8_t>(labels[i][head]));
      }
    }
  }
  return out;
}

void add_quality(const std::vector<double>& calibrated, const std::vector<std::uint8_t>& outcome, base::Json& row) {
  row["auc"] = stats::auc(calibrated, outcome);
  row["expected_calibration_error"] = stats::expected_calibration_error(stats::reliability_table(calibrated, outcome));
  row["log_loss"] = stats::log_loss(calibrated, outcome);
  row["bins"] = reliability_json(calibrated, outcome);
}

}  // namespace

base::Json reliability_json(const std::vector<double>& predicted, const std::vector<std::uint8_t>& outcome) {
  base::Json out = base::Json::array();
  for (const auto& bin : stats::reliability_table(predicted, outcome)) {
    out.push_back({{"predicted", bin.predicted}, {"observed", bin.observed.estimate}, {"low", bin.observed.low},
                   {"high", bin.observed.high}, {"count", bin.count}});
  }
  return out;
}

base::Json head_figures(const HeadInput& in, const HeadPeriods& periods, base::Executor& executor) {
  features::SequenceOptions fitted{periods.fitted_from, periods.judged_from, periods.horizon_ms, false};
  features::SequenceOptions judged{periods.judged_from, periods.until, periods.horizon_ms, false};
  const auto learned = ask(*in.data, *in.fitted, fitted, executor);
  const auto test = ask(*in.data, *in.judged, judged, executor);
  base::Json out = base::Json::array();
  for (std::size_t head = 0; head < test.size(); ++head) {
    base::Json row = {{"name", kNames[head]}, {"count", static_cast<std::int64_t>(test[head].outcome.size())}, {"positives", test[head].positives()}};
    const auto platt = stats::PlattCalibration::fit(learned[head].predicted, learned[head].outcome);
    if (platt.ok() && test[head].both_classes()) {
      std::vector<double> calibrated;
      for (const double p : test[head].predicted) {
        calibrated.push_back(platt->apply(p));
      }
      row["slope"] = platt->slope;
      row["offset"] = platt->offset;
      add_quality(calibrated, test[head].outcome, row);
    }
    out.push_back(std::move(row));
  }
  return out;
}

base::Json candidate_figures(const response::CandidateJudgement& judgement) {
  constexpr std::array<const char*, response::kCandidateHeads> kQuestions{"buys this item within the horizon", "clicks this message"};
  base::Json out = base::Json::array();
  for (std::size_t head = 0; head < kQuestions.size(); ++head) {
    const Answers answers{judgement.predicted[head], judgement.outcome[head]};
    base::Json row = {{"name", kQuestions[head]}, {"count", static_cast<std::int64_t>(answers.outcome.size())}, {"positives", answers.positives()}};
    if (answers.both_classes()) {
      add_quality(answers.predicted, answers.outcome, row);
    }
    out.push_back(std::move(row));
  }
  return out;
}

}  // namespace beckon::engine
