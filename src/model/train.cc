#include "beckon/model/train.h"

#include <algorithm>
#include <cmath>

#include "batch.h"
#include "checkpoint.h"
#include "memory.h"
#include "negatives.h"
#include "options.h"
#include "step.h"

namespace beckon::model {
namespace inner {
namespace {

struct Data {
  std::span<const Sequence> train;
  std::span<const Sequence> validation;
};

// Stream numbers of the seed: epochs use (epoch << 8) | 1, steps (step << 8) | 2 for negatives; dropout mixes its own key.
std::uint64_t negative_stream(std::int64_t step) {
  return (static_cast<std::uint64_t>(step) << 8U) | 2U;
}
// Much dropout from the first step keeps a small shop, which has few steps, from learning anything.
float dropout_at(float final, int ramp_steps, std::int64_t step) {
  return step >= ramp_steps ? final : final * (0.5F + 0.5F * static_cast<float>(step) / static_cast<float>(ramp_steps));
}

std::uint64_t dropout_key(std::uint64_t seed, std::int64_t step) {
  return seed * 0xD1342543DE82EF95ULL + static_cast<std::uint64_t>(step) * 0x2545F4914F6CDD1DULL;
}

// Often enough for windows of hundreds of steps, seldom enough to cost nothing beside a step on a large table.
constexpr int kAverageEvery = 8;

std::size_t rows_of(std::span<const PackedBatch> shards) {
  std::size_t rows = 0;
  for (const auto& shard : shards) {
    rows += shard.rows();
  }
  return rows;
}

tensor::Precision precision_of(Precision precision) {
  return resolved_precision(precision) == Precision::kBf16 ? tensor::Precision::kBf16 : tensor::Precision::kFp32;
}

class Trainer {
 public:
  Trainer(Model& model, const Data& data, const TrainOptions& options, const TrainHooks& hooks)
      : model_(model),
        data_(data),
        options_(options),
        hooks_(hooks),
        optimizer_(model.layout(), options),
        precision_(precision_of(options.precision)),
        work_(options.worker_count),
        shards_(options.worker_count),
        recalled_(options.worker_count) {
    if (uses_memory(model.options()) && options.update == Update::kEverything) {
      model.set_memory(std::make_shared<const Memory>(Memory::count(data.train, model.tokens())));
    }
    if (resolved_loss(model.options()) == LossKind::kSampledSoftmax) {
      sampler_.emplace_back(model.tokens(), data.train, options.negative_power);
    }
    if (options.averaging > 0) {
      average_.assign(model.weights().begin(), model.weights().end());
    }
  }

  base::Result<TrainReport> run();

 private:
  bool out_of_patience() const;
  base::Status resume();
  base::Result<EpochReport> run_epoch(int epoch);
  base::Result<double> run_step(std::span<const Window> windows);
  const PackedTable* pack_table(const Network& network);
  void fill_shards(std::span<const Window> windows);
  const RecalledBatch* fill_recalled(std::span<const Window> windows, std::size_t w);
  std::vector<std::int32_t> touched_rows(std::span<const std::int32_t> negatives) const;
  void average_weights();
  void swap_average();
  void keep_best(const EpochReport& report);
  void use_best(Model& model) const;
  base::Status save_checkpoint() const;
  std::int64_t now_ms() const { return hooks_.clock == nullptr ? 0 : hooks_.clock->monotonic_ms(); }

  Model& model_;
  Data data_;
  const TrainOptions& options_;
  const TrainHooks& hooks_;
  Optimizer optimizer_;
  tensor::Precision precision_;
  std::vector<NegativeSampler> sampler_;  // none or one
  std::vector<StepWork> work_;
  PackedTable table_;
  std::vector<PackedBatch> shards_;
  std::vector<RecalledBatch> recalled_;
  std::vector<std::size_t> shard_begin_;  // first window of each shard, one more at the end
  std::vector<float> average_;  // empty without averaging
  std::int64_t averaged_at_ = 0;  // step
  std::vector<float> best_weights_;
  TrainReport report_;
  bool validated_ = false;  // the last epoch was
};

bool Trainer::out_of_patience() const {
  return report_.best_epoch > 0 && static_cast<int>(report_.epochs.size()) - report_.best_epoch >= options_.patience;
}

base::Status Trainer::resume() {
  const std::string path = state_path(options_.checkpoint_path);
  if (!hooks_.files->exists(path)) {
    return base::ok_status();
  }
  BECKON_TRY(const auto bytes, hooks_.files->read(path));
  auto state = state_from_bytes(bytes, fingerprint(model_.options(), options_), model_.weights().size());
  if (!state.ok()) {
    return state.error().at(path);
  }
  std::ranges::copy(state->weights, model_.weights().begin());
  average_ = std::move(state->average);
  best_weights_ = std::move(state->best_weights);
  optimizer_.state() = std::move(state->optimizer);
  averaged_at_ = optimizer_.state().steps;
  report_ = std::move(state->report);
  report_.stopped_early = false;
  return base::ok_status();
}

// Cuts the step into one shard a worker with about the same number of positions.
void Trainer::fill_shards(std::span<const Window> windows) {
  std::size_t total = 0;
  for (const auto& window : windows) {
    total += window.length();
  }
  std::size_t next = 0;
  std::size_t done = 0;
  shard_begin_.assign(1, 0);
  for (std::size_t w = 0; w < shards_.size(); ++w) {
    shards_[w].clear(static_cast<std::uint32_t>(done));
    const std::size_t goal = total * (w + 1) / shards_.size();
    for (; next < windows.size() && done < goal; ++next) {
      append(model_.options(), data_.train[windows[next].sequence], windows[next], shards_[w]);
      done += windows[next].length();
    }
    shard_begin_.push_back(next);
  }
}

// Once for all workers: packing takes one of them as long as ten positions.
const PackedTable* Trainer::pack_table(const Network& network) {
  if (!uses_packed_table(network) || options_.update == Update::kHeads) {
    return nullptr;
  }
  table_.begin(table_of(network), network.width());
  const std::size_t workers = shards_.size();
  hooks_.executor->run(workers, [&](std::size_t w) {
    for (std::size_t t = w; t < table_.tiles(); t += workers) {
      table_.pack(t);
    }
  });
  return &table_;
}

// What the memory knows of shard w; in its worker, because it takes as long as a layer.
const RecalledBatch* Trainer::fill_recalled(std::span<const Window> windows, std::size_t w) {
  if (model_.memory() == nullptr || options_.update == Update::kHeads) {
    return nullptr;
  }
  recalled_[w].clear();
  const MemoryDropout dropout{model_.options().memory_dropout, dropout_key(options_.seed, optimizer_.state().steps), shards_[w].first_row};
  for (std::size_t i = shard_begin_[w]; i < shard_begin_[w + 1]; ++i) {
    append_recalled(*model_.memory(), data_.train[windows[i].sequence], windows[i], dropout, recalled_[w]);
  }
  return &recalled_[w];
}

// Token rows that have a gradient, sorted. Marks in a table: a step of gBCE meets a quarter of a million negatives.
std::vector<std::int32_t> Trainer::touched_rows(std::span<const std::int32_t> negatives) const {
  std::vector<std::uint8_t> touched(model_.tokens(), 0);
  const auto mark = [&](std::span<const std::int32_t> tokens) {
    for (const std::int32_t token : tokens) {
      touched[static_cast<std::size_t>(token)] = 1;
    }
  };
  mark(negatives);
  for (const auto& shard : shards_) {
    mark(shard.token);
    mark(shard.target);
  }
  std::vector<std::int32_t> rows;
  for (std::size_t token = 0; token < touched.size(); ++token) {
    if (touched[token] != 0) {
      rows.push_back(static_cast<std::int32_t>(token));
    }
  }
  return rows;
}

base::Result<double> Trainer::run_step(std::span<const Window> windows) {
  fill_shards(windows);
  LossPlan plan = plan_loss(model_.options(), shards_);
  const std::int64_t step = optimizer_.state().steps;
  plan.heads_only = options_.update == Update::kHeads;
  // Heads on a network that does not move learn from the vectors that serving will give them.
  plan.dropout = {plan.heads_only ? 0 : dropout_at(model_.options().dropout, options_.dropout_ramp_steps, step), dropout_key(options_.seed, step), 0};
  const ModelOptions& options = model_.options();
  NegativeSet shared;
  RowNegatives own;
  const LossKind kind = resolved_loss(options);
  if (kind == LossKind::kSampledSoftmax) {
    shared = sampler_[0].draw(static_cast<std::size_t>(resolved_negatives(options)), options_.seed, negative_stream(step));
    plan.negatives = &shared;
  } else if (kind != LossKind::kFullSoftmax) {
    own = draw_row_negatives(options, rows_of(shards_), options_.seed, negative_stream(step));
    plan.row_negatives = &own;
  }
  Network net = network_of(model_);
  net.precision = precision_;
  plan.table = kind == LossKind::kFullSoftmax ? pack_table(net) : nullptr;
  const double loss = hooks_.executor->reduce<double>(
      shards_.size(), 0.0,
      [&](std::size_t w) {
        const RecalledBatch* recalled = fill_recalled(windows, w);
        return loss_and_gradient({net, &shards_[w], &plan, recalled}, work_[w], optimizer_.gradients(w));
      },
      [](double a, double b) { return a + b; });
  const auto rows = kind == LossKind::kFullSoftmax ? std::vector<std::int32_t>()
                                                   : touched_rows(plan.negatives != nullptr ? shared.token : own.token);
  BECKON_TRY_STATUS(optimizer_.step(model_.weights(), rows, *hooks_.executor));
  if (optimizer_.state().steps - averaged_at_ >= kAverageEvery) {
    average_weights();
  }
  return loss;
}

// The window grows with the steps done, so that the random start is soon forgotten.
void Trainer::average_weights() {
  const std::int64_t steps = optimizer_.state().steps;
  if (average_.empty() || steps == averaged_at_) {
    return;
  }
  const auto done = static_cast<double>(steps);
  const double decay = std::min(static_cast<double>(options_.averaging), (1 + done) / (10 + done));
  const auto part = static_cast<float>(1 - std::pow(decay, static_cast<double>(steps - averaged_at_)));
  averaged_at_ = steps;
  const std::span<const float> weights = std::as_const(model_).weights();
  const std::size_t chunk = (weights.size() + options_.worker_count - 1) / options_.worker_count;
  hooks_.executor->run(options_.worker_count, [&](std::size_t w) {
    const std::size_t end = std::min(weights.size(), (w + 1) * chunk);
    for (std::size_t i = w * chunk; i < end; ++i) {
      average_[i] += part * (weights[i] - average_[i]);  // a weight that nobody moves keeps its bits
    }
  });
}

// Validation, checkpoints and the result are of the averaged weights, training goes on with the others.
void Trainer::swap_average() {
  if (!average_.empty()) {
    std::swap_ranges(average_.begin(), average_.end(), model_.weights().begin());
  }
}

base::Result<EpochReport> Trainer::run_epoch(int epoch) {
  const std::int64_t started_ms = now_ms();
  const auto windows = plan_epoch(model_.options(), data_.train, options_, static_cast<std::uint64_t>(epoch));
  const auto steps = plan_steps(windows, options_.batch_positions);
  EpochReport report;
  report.epoch = epoch;
  report.steps = static_cast<std::int64_t>(steps.size()) - 1;
  for (std::size_t s = 0; s + 1 < steps.size(); ++s) {
    const auto of_step = std::span(windows).subspan(steps[s], steps[s + 1] - steps[s]);
    BECKON_TRY(const double loss, run_step(of_step));
    report.train_loss += loss / static_cast<double>(report.steps);
    for (const auto& window : of_step) {
      report.positions += static_cast<std::int64_t>(window.length());
    }
    if (hooks_.on_step) {
      hooks_.on_step({epoch, static_cast<std::int64_t>(s) + 1, report.steps, loss});
    }
    if (hooks_.should_stop && hooks_.should_stop()) {
      report_.cancelled = true;
      return report;
    }
  }
  const auto elapsed = [&] { return static_cast<double>(now_ms() - started_ms) / 1000; };
  report.positions_per_second = static_cast<double>(report.positions) / std::max(elapsed(), 1e-3);
  const EvaluateOptions how{10, options_.validation_exclude_seen, options_.validation_count_max};
  average_weights();
  swap_average();
  const auto validation = hooks_.validate ? hooks_.validate(model_) : evaluate(model_, data_.validation, how, *hooks_.executor);
  swap_average();
  validated_ = validation.count > 0;
  report.validation_ndcg10 = validation.ndcg;
  report.validation_hit10 = validation.hit;
  report.seconds = elapsed();
  return report;
}

void Trainer::keep_best(const EpochReport& report) {
  report_.epochs.push_back(report);
  if (validated_ && (report_.best_epoch == 0 || report.validation_ndcg10 > report_.best_ndcg10)) {
    report_.best_epoch = report.epoch;
    report_.best_ndcg10 = report.validation_ndcg10;
    const std::span<const float> now = average_.empty() ? std::as_const(model_).weights() : std::span<const float>(average_);
    best_weights_.assign(now.begin(), now.end());
  }
}

// Into `model`, which may be a copy.
void Trainer::use_best(Model& model) const {
  if (!best_weights_.empty()) {
    std::ranges::copy(best_weights_, model.weights().begin());
  } else if (!average_.empty()) {
    std::ranges::copy(average_, model.weights().begin());
  }
}

base::Status Trainer::save_checkpoint() const {
  if (options_.checkpoint_path.empty()) {
    return base::ok_status();
  }
  const TrainState state{{model_.weights().begin(), model_.weights().end()}, average_, best_weights_, optimizer_.state(), report_};
  BECKON_TRY_STATUS(hooks_.files->write_atomic(state_path(options_.checkpoint_path),
                                               state_to_bytes(state, fingerprint(model_.options(), options_))));
  Model best = model_;
  use_best(best);
  return best.save(*hooks_.files, options_.checkpoint_path);
}

base::Result<TrainReport> Trainer::run() {
  if (options_.resume) {
    BECKON_TRY_STATUS(resume());
  }
  while (static_cast<int>(report_.epochs.size()) < options_.epochs_max && !out_of_patience()) {
    const auto epoch = run_epoch(static_cast<int>(report_.epochs.size()) + 1);
    if (!epoch.ok()) {
      use_best(model_);
      return epoch.error();
    }
    if (report_.cancelled) {
      break;
    }
    keep_best(*epoch);
    BECKON_TRY_STATUS(save_checkpoint());
    if (hooks_.on_epoch) {
      hooks_.on_epoch(*epoch);
    }
  }
  report_.stopped_early = out_of_patience();
  use_best(model_);
  return report_;
}

}  // namespace
}  // namespace inner

base::Result<TrainReport> train(Model& model, std::span<const Sequence> train_set, std::span<const Sequence> validation_set,
                                const TrainOptions& options, const TrainHooks& hooks) {
  BECKON_CHECK(hooks.executor != nullptr && (hooks.files != nullptr || options.checkpoint_path.empty()));
  BECKON_TRY_STATUS(validate(options));
  for (const auto set : {train_set, validation_set}) {
    for (std::size_t i = 0; i < set.size(); ++i) {
      BECKON_TRY_STATUS(model.check(set[i], i));
    }
  }
  if (inner::plan_epoch(model.options(), train_set, options, 0).empty()) {
    return base::invalid_argument("no training sequence has a target or a label: there is nothing to learn from");
  }
  if (options.update == Update::kHeads && model.heads() == 0) {
    return base::invalid_argument("only the heads are to be trained, and the model has none");
  }
  inner::Trainer trainer(model, {train_set, validation_set}, options, hooks);
  return trainer.run();
}

bool teaches(const Sequence& sequence) {
  const std::size_t heads = sequence.length() == 0 ? 0 : sequence.label.size() / sequence.length();
  return inner::teaches(sequence, {0, 0, sequence.length()}, heads);
}

TrainOptions fine_tune_options(const TrainOptions& options) {
  TrainOptions out = options;
  out.epochs_max = std::max(1, options.fine_tune_epochs);
  out.learning_rate = options.learning_rate * options.fine_tune_rate;
  out.checkpoint_path.clear();
  out.resume = false;
  return out;
}

}  // namespace beckon::model
