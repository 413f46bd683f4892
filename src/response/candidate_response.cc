#include "beckon/response/candidate_response.h"

#include <algorithm>
#include <numeric>

#include "beckon/base/rng.h"
#include "beckon/features/sequence.h"
#include "beckon/response/scorer.h"
#include "beckon/stats/stats.h"

namespace beckon::response {
namespace {

constexpr std::int64_t kMomentsMax = 3;            // of learning, a horizon apart
constexpr std::size_t kHistoriesMax = 4'000;       // a moment, and twice as many messages: states of 25 kB each are held while training
constexpr std::size_t kNegatives = 40;             // candidates that were not bought, a customer and moment
constexpr std::int64_t kPositivesMin = 30;         // fewer calibrate nothing

// Context columns: message and channel, kind of offer, depth in steps of 5 %, hour.
constexpr std::int32_t kDepths = 21;
constexpr std::int32_t kHours = 25;
const std::vector<std::int32_t> kContextSizes{1 + features::kMessageChannels, 5, kDepths, kHours};

void add_context(const Approach& approach, std::vector<std::int32_t>& out) {
  const std::int64_t depth = std::clamp<std::int64_t>((approach.depth_bp + 499) / 500, 0, kDepths - 1);
  out.insert(out.end(), {approach.message ? 1 + static_cast<std::int32_t>(approach.channel) : 0, static_cast<std::int32_t>(approach.offer),
                         static_cast<std::int32_t>(depth), std::clamp(approach.hour + 1, 0, kHours - 1)});
}

model::Sequence sequence_at(const features::History& history, base::Instant as_of) {
  features::SequenceOptions options;
  options.as_of = options.target_until = as_of;
  options.targets_inside = false;
  return features::make_sequence(history, options);
}

// Questions with the histories that they are about.
struct Batch {
  std::vector<model::Sequence> histories;
  model::CandidateQuestions questions;

  void add(std::int32_t token, const Approach& approach, std::array<std::int8_t, kCandidateHeads> label) {
    questions.history.push_back(static_cast<std::int32_t>(histories.size()) - 1);
    questions.token.push_back(token);
    add_context(approach, questions.context);
    questions.label.insert(questions.label.end(), label.begin(), label.end());
  }
};

struct Source {
  const features::Dataset* data;
  const model::Model* model;
  std::span<const SentMessage> messages;
  std::int64_t horizon_ms;
};

// Everybody's candidates as of a moment and whether they were bought; of those that were not, `negatives` at most.
void add_moment(const Source& source, base::Instant as_of, std::size_t negatives, base::Executor& executor, Batch& out) {
  const auto floors = features::Floors::fit(*source.data, as_of);
  const Scorer scorer(source.model, &floors, {});
  std::vector<const features::History*> histories;
  for (const auto& history : source.data->histories) {
    if (!features::seen(history, as_of).empty()) {
      histories.push_back(&history);
    }
  }
  base::Rng rng(1, static_cast<std::uint64_t>(as_of.ms));
  rng.shuffle(histories);
  histories.resize(std::min(histories.size(), kHistoriesMax));
  const auto evidence = scorer.evidence(histories, as_of, {}, executor);
  for (std::size_t i = 0; i < histories.size(); ++i) {
    const auto bought = features::bought_between(*histories[i], as_of, as_of.plus_ms(source.horizon_ms));
    std::vector<std::int32_t> not_bought;
    out.histories.push_back(sequence_at(*histories[i], as_of));
    for (const auto& candidate : evidence[i]) {
      if (std::binary_search(bought.begin(), bought.end(), candidate.token)) {
        out.add(candidate.token, {}, {1, -1});
      } else {
        not_bought.push_back(candidate.token);
      }
    }
    rng.shuffle(not_bought);
    for (std::size_t k = 0; k < std::min(negatives, not_bought.size()); ++k) {
      out.add(not_bought[k], {}, {0, -1});
    }
  }
}

// Messages of (from, until], whose horizon has ended by `known_until`.
void add_messages(const Source& source, const std::array<base::Instant, 3>& from_until_known, Batch& out) {
  const auto& [from, until, known_until] = from_until_known;
  std::vector<const SentMessage*> chosen;
  for (const auto& message : source.messages) {
    if (message.at.ms > from.ms && message.at.ms <= until.ms && message.at.ms + source.horizon_ms <= known_until.ms) {
      chosen.push_back(&message);
    }
  }
  base::Rng rng(2, static_cast<std::uint64_t>(until.ms));
  rng.shuffle(chosen);
  chosen.resize(std::min(chosen.size(), 2 * kHistoriesMax));
  for (const auto* sent : chosen) {
    const SentMessage& message = *sent;
    const features::History& history = source.data->histories[message.history];
    const auto bought = features::bought_between(history, message.at, message.at.plus_ms(source.horizon_ms));
    const bool buys = std::binary_search(bought.begin(), bought.end(), message.token);
    const bool clicks = message.clicked_ms > 0 && message.clicked_ms <= message.at.ms + source.horizon_ms;
    out.histories.push_back(sequence_at(history, message.at));
    out.add(message.token, message.approach,
            {message.token > 0 ? static_cast<std::int8_t>(buys ? 1 : 0) : std::int8_t{-1}, static_cast<std::int8_t>(clicks ? 1 : 0)});
  }
}

struct Answers {
  std::array<std::vector<double>, kCandidateHeads> predicted;  // probabilities before calibration
  std::array<std::vector<std::uint8_t>, kCandidateHeads> outcome;
};

Answers answers_of(const model::CandidateHeads& heads, const model::Model& model, const Batch& batch, base::Executor& executor) {
  const auto logits = heads.logits(model, batch.histories, batch.questions, executor);
  BECKON_CHECK(logits.ok());  // the questions are our own
  Answers out;
  for (std::size_t i = 0; i < logits->size(); ++i) {
    if (batch.questions.label[i] >= 0) {
      out.predicted[i % kCandidateHeads].push_back(stats::sigmoid(static_cast<double>((*logits)[i])));
      out.outcome[i % kCandidateHeads].push_back(static_cast<std::uint8_t>(batch.questions.label[i]));
    }
  }
  return out;
}

std::int64_t positives_of(const model::CandidateQuestions& questions, std::size_t head) {
  std::int64_t out = 0;
  for (std::size_t i = head; i < questions.label.size(); i += kCandidateHeads) {
    out += questions.label[i] > 0 ? 1 : 0;
  }
  return out;
}

}  // namespace

bool fits(const CandidateResponse& response) {
  const auto& options = response.heads.options();
  return options.context_sizes == kContextSizes && options.heads == static_cast<std::int32_t>(kCandidateHeads);
}

std::vector<float> probabilities(const CandidateResponse& response, const AskedHead& asked, std::span<const Ask> asks, base::Executor& executor) {
  BECKON_CHECK(response.knows(asked.head));
  Batch batch;
  const Ask* before = nullptr;
  for (const auto& one : asks) {
    if (before == nullptr || before->history != one.history || before->as_of != one.as_of) {
      batch.histories.push_back(sequence_at(*one.history, one.as_of));
    }
    before = &one;
    batch.add(one.token, one.approach, {-1, -1});
  }
  const auto logits = response.heads.logits(*asked.model, batch.histories, batch.questions, executor);
  BECKON_CHECK(logits.ok());  // the questions are our own
  std::vector<float> out;
  for (std::size_t i = 0; i < asks.size(); ++i) {
    const double raw = stats::sigmoid(static_cast<double>((*logits)[i * kCandidateHeads + asked.head]));
    out.push_back(static_cast<float>(response.calibration[asked.head]->apply(raw)));
  }
  return out;
}

base::Result<CandidateResponse> fit_candidate_response(const features::Dataset& data, const model::Model& model,
                                                       std::span<const SentMessage> messages, const CandidatePeriod& period,
                                                       base::Executor& executor) {
  const Source source{&data, &model, messages, period.horizon_ms};
  const base::Instant calibrated_from = period.as_of.plus_ms(-period.horizon_ms);
  Batch lessons;
  for (std::int64_t k = 1; k <= kMomentsMax; ++k) {
    const base::Instant moment = calibrated_from.plus_ms(-k * period.horizon_ms);
    if (moment.ms > data.first_ms) {
      add_moment(source, moment, kNegatives, executor, lessons);
    }
  }
  add_messages(source, {base::Instant{data.first_ms}, calibrated_from, calibrated_from}, lessons);
  model::CandidateOptions options;
  options.context_sizes = kContextSizes;
  options.heads = static_cast<std::int32_t>(kCandidateHeads);
  BECKON_TRY(auto heads, model::CandidateHeads::make(options, static_cast<std::int32_t>(model.width()), 1));
  CandidateResponse out{std::move(heads), {}, {}, {}};
  for (std::size_t head = 0; head < kCandidateHeads; ++head) {
    out.positives[head] = positives_of(lessons.questions, head);
  }
  BECKON_TRY(out.report, out.heads.train(model, lessons.histories, lessons.questions, {}, executor));
  Batch later;
  add_moment(source, calibrated_from, SIZE_MAX, executor, later);
  add_messages(source, {calibrated_from.plus_ms(-period.horizon_ms), calibrated_from, period.as_of}, later);
  const Answers answers = answers_of(out.heads, model, later, executor);
  for (std::size_t head = 0; head < kCandidateHeads; ++head) {
    const auto& outcome = answers.outcome[head];
    if (out.positives[head] >= kPositivesMin && std::count(outcome.begin(), outcome.end(), 1) >= kPositivesMin) {
      BECKON_TRY(out.calibration[head], stats::PlattCalibration::fit(answers.predicted[head], outcome));
    }
  }
  return out;
}

CandidateJudgement judge_candidate_response(const CandidateResponse& response, const features::Dataset& data, const model::Model& model,
                                            std::span<const SentMessage> messages, const CandidatePeriod& period, base::Executor& executor) {
  const Source source{&data, &model, messages, period.horizon_ms};
  Batch batch;
  add_moment(source, period.as_of, SIZE_MAX, executor, batch);
  add_messages(source, {period.as_of, {INT64_MAX}, {data.last_ms}}, batch);
  Answers answers = answers_of(response.heads, model, batch, executor);
  CandidateJudgement out;
  for (std::size_t head = 0; head < kCandidateHeads; ++head) {
    if (!response.knows(static_cast<CandidateHead>(head))) {
      continue;
    }
    for (const double p : answers.predicted[head]) {
      out.predicted[head].push_back(response.calibration[head]->apply(p));
    }
    out.outcome[head] = std::move(answers.outcome[head]);
  }
  return out;
}

}  // namespace beckon::response
