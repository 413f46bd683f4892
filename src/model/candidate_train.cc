#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <numeric>

#include "beckon/base/rng.h"
#include "candidate_net.h"

namespace beckon::model {
namespace {

using inner::CandidateBlock;
using inner::CandidateHistory;
using inner::HistoryBlock;

// A step is always split in so many shards, however many workers there are: gradients are folded in their order.
constexpr std::size_t kShards = 4;
constexpr std::size_t kValidationEvery = 10;

std::int64_t known_labels(const CandidateQuestions& questions, const HistoryBlock& block, std::size_t heads) {
  const auto first = questions.label.begin() + static_cast<std::ptrdiff_t>(block.first * heads);
  return std::count_if(first, first + static_cast<std::ptrdiff_t>(block.count * heads), [](std::int8_t label) { return label >= 0; });
}

// Everything one training holds; its functions are the steps of an epoch.
class Trainer {
 public:
  Trainer(const CandidateOptions& options, const Model& model, const CandidateQuestions& questions, const CandidateTraining& training)
      : options_(options), layout_(options, model.width()), model_(model), questions_(questions), training_(training) {
    for (const auto& block : inner::blocks_of(questions)) {
      if (known_labels(questions, block, layout_.heads) == 0) {
        continue;
      }
      // By position, so that the split does not depend on what is asked.
      (block.history % kValidationEvery == kValidationEvery - 1 ? judged_ : taught_).push_back(block);
    }
    weigh_heads();
    first_moment_.resize(layout_.total);
    second_moment_.resize(layout_.total);
    first_moment_.zero();
    second_moment_.zero();
  }

  bool anything_known() const { return !taught_.empty(); }

  void read(std::span<const Sequence> histories, base::Executor& executor) {
    states_.resize(histories.size());
    std::vector<std::size_t> wanted;
    for (const auto* list : {&taught_, &judged_}) {
      for (const auto& block : *list) {
        wanted.push_back(block.history);
      }
    }
    executor.run(wanted.size(), [&](std::size_t i) { states_[wanted[i]] = inner::candidate_history(model_, histories[wanted[i]]); });
  }

  void epoch(std::int32_t number, std::span<float> weights, base::Executor& executor) {
    base::Rng rng(training_.seed, static_cast<std::uint64_t>(number));
    rng.shuffle(taught_);
    const auto batch = static_cast<std::size_t>(training_.batch);
    for (std::size_t begin = 0; begin < taught_.size(); begin += batch) {
      step(weights, std::span(taught_).subspan(begin, std::min(batch, taught_.size() - begin)), executor);
    }
  }

  // A code that taught nothing still has its random start: it becomes the average of the codes that did, as often as each was met. Code 0,
  // "not said", is like no other code; it stands in only where nothing else was met.
  void settle_unseen(std::span<float> weights) const {
    for (std::size_t k = 0; k < layout_.context.size(); ++k) {
      const inner::CandidatePart& table = layout_.context[k];
      const std::vector<double> met = times_met(k);
      const double said = std::accumulate(met.begin() + 1, met.end(), 0.0);
      std::vector<float> average(table.columns, 0.0F);
      for (std::size_t code = 0; code < table.rows; ++code) {
        const double share = said > 0 ? (code == 0 ? 0 : met[code] / said) : (code == 0 ? 1 : 0);
        tensor::add_scaled(weights.subspan(table.begin + code * table.columns, table.columns), static_cast<float>(share), average);
      }
      for (std::size_t code = 0; code < table.rows; ++code) {
        if (met[code] == 0) {
          std::ranges::copy(average, weights.begin() + static_cast<std::ptrdiff_t>(table.begin + code * table.columns));
        }
      }
    }
  }

  // Log loss a known label of the histories that taught nothing; of all others when there are too few to have any.
  double judge(std::span<const float> weights, base::Executor& executor) {
    const auto& blocks = judged_.empty() ? taught_ : judged_;
    const std::size_t tiles = (blocks.size() + kTile - 1) / kTile;
    struct Sum {
      double loss = 0;
      std::int64_t labels = 0;
    };
    const auto total = executor.reduce<Sum>(
        tiles, {},
        [&](std::size_t tile) {
          inner::CandidatePass pass(options_, layout_);
          Sum sum;
          for (std::size_t b = tile * kTile; b < std::min(blocks.size(), (tile + 1) * kTile); ++b) {
            const CandidateBlock block = ask(blocks[b], {});
            pass.forward(weights, states_[blocks[b].history], block);
            sum.loss += pass.loss(block);
            sum.labels += known_labels(questions_, blocks[b], layout_.heads);
          }
          return sum;
        },
        [](Sum a, Sum b) { return Sum{a.loss + b.loss, a.labels + b.labels}; });
    return total.loss / static_cast<double>(std::max<std::int64_t>(1, total.labels));
  }

 private:
  static constexpr std::size_t kTile = 32;

  // How often each code of a context column taught something.
  std::vector<double> times_met(std::size_t column) const {
    std::vector<double> out(layout_.context[column].rows, 0);
    for (const auto& block : taught_) {
      for (std::size_t i = block.first; i < block.first + block.count; ++i) {
        ++out[static_cast<std::size_t>(questions_.context[i * layout_.context.size() + column])];
      }
    }
    return out;
  }

  CandidateBlock ask(const HistoryBlock& block, const tensor::Dropout& dropout) const {
    return {&model_, &questions_, block.first, block.count, dropout, head_weight_};
  }

  // Each head counts the same, however often it is asked: else the many candidates that nobody bought would drown the few messages.
  void weigh_heads() {
    std::vector<std::int64_t> known(layout_.heads, 0);
    for (std::size_t i = 0; i < questions_.label.size(); ++i) {
      known[i % layout_.heads] += questions_.label[i] >= 0 ? 1 : 0;
    }
    const auto asked = static_cast<double>(std::count_if(known.begin(), known.end(), [](std::int64_t count) { return count > 0; }));
    const double all = static_cast<double>(std::accumulate(known.begin(), known.end(), std::int64_t{0}));
    for (const std::int64_t count : known) {
      head_weight_.push_back(count == 0 ? 0 : all / (asked * static_cast<double>(count)));
    }
  }

  void step(std::span<float> weights, std::span<const HistoryBlock> blocks, base::Executor& executor) {
    ++steps_;
    std::vector<std::vector<float>> gradients(kShards);
    executor.run(kShards, [&](std::size_t shard) {
      gradients[shard].assign(layout_.total, 0);
      inner::CandidatePass pass(options_, layout_);
      for (std::size_t b = shard; b < blocks.size(); b += kShards) {
        tensor::Dropout dropout{training_.dropout, static_cast<std::uint32_t>(training_.seed * 0x9E3779B9U + static_cast<std::uint64_t>(steps_)),
                                static_cast<std::uint32_t>(blocks[b].first * layout_.hidden)};
        const CandidateBlock block = ask(blocks[b], dropout);
        pass.forward(weights, states_[blocks[b].history], block);
        pass.backward(weights, states_[blocks[b].history], block, gradients[shard]);
      }
    });
    std::int64_t labels = 0;
    for (const auto& block : blocks) {
      labels += known_labels(questions_, block, layout_.heads);
    }
    for (std::size_t shard = 1; shard < kShards; ++shard) {
      tensor::add_scaled(gradients[shard], 1, gradients[0]);
    }
    tensor::AdamStep adam;
    adam.learning_rate = training_.learning_rate;
    adam.correction1 = 1 - std::pow(adam.beta1, static_cast<float>(steps_));
    adam.correction2 = 1 - std::pow(adam.beta2, static_cast<float>(steps_));
    adam.gradient_scale = 1 / static_cast<float>(std::max<std::int64_t>(1, labels));
    tensor::adam(adam, {weights, gradients[0], first_moment_.span(), second_moment_.span()});
  }

  const CandidateOptions& options_;
  inner::CandidateLayout layout_;
  const Model& model_;
  const CandidateQuestions& questions_;
  CandidateTraining training_;
  std::vector<HistoryBlock> taught_, judged_;
  std::vector<CandidateHistory> states_;
  std::vector<double> head_weight_;
  tensor::Buffer first_moment_, second_moment_;
  std::int64_t steps_ = 0;
};

}  // namespace

base::Result<CandidateReport> CandidateHeads::train(const Model& model, std::span<const Sequence> histories,
                                                    const CandidateQuestions& questions, const CandidateTraining& training,
                                                    base::Executor& executor) {
  BECKON_TRY_STATUS(check(model, histories.size(), questions));
  if (training.epochs_max < 1 || training.patience < 1 || training.batch < 1 || !(training.learning_rate > 0) || training.dropout < 0 ||
      training.dropout >= 1) {
    return base::invalid_argument("candidate heads: epochs, patience, batch and learning rate must be above 0, dropout in [0, 1)");
  }
  const auto start = std::chrono::steady_clock::now();
  if (questions.label.empty()) {
    return base::invalid_argument("candidate heads: the questions have no labels");
  }
  Trainer trainer(options_, model, questions, training);
  if (!trainer.anything_known()) {
    return base::failed_precondition("candidate heads: no question has a known answer");
  }
  trainer.read(histories, executor);
  CandidateReport report;
  report.validation_loss = std::numeric_limits<double>::infinity();
  std::vector<float> best = weights_;
  for (std::int32_t epoch = 1; epoch <= training.epochs_max && epoch - report.best_epoch <= training.patience; ++epoch) {
    trainer.epoch(epoch, weights_, executor);
    report.epochs = epoch;
    const double loss = trainer.judge(weights_, executor);
    if (loss < report.validation_loss) {
      report.validation_loss = loss;
      report.best_epoch = epoch;
      best = weights_;
    }
  }
  weights_ = std::move(best);
  trainer.settle_unseen(weights_);
  if (report.best_epoch == 0) {
    return base::failed_precondition("candidate heads: the loss is no number after the first epoch; take a lower learning rate");
  }
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return report;
}

}  // namespace beckon::model
