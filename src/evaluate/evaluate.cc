#include "beckon/evaluate/evaluate.h"

#include <algorithm>
#include <cmath>

#include "beckon/features/item_vectors.h"
#include "beckon/model/config.h"
#include "beckon/model/cost.h"
#include "beckon/stats/resampling.h"
#include "blend.h"
#include "network.h"
#include "new_items.h"
#include "outcome.h"

namespace beckon::evaluate {
namespace {

constexpr std::size_t kSgemmSize = 512;

// `chosen` has learned up to the validation cut, `current` up to the test part; the same where nothing is tuned.
struct Networks {
  const model::Model* chosen;
  const model::Model* current;
};

class Evaluation {
 public:
  Evaluation(Data& data, const RunOptions& options, const Environment& environment)
      : data_(data), options_(options), environment_(environment) {}

  base::Result<base::Json> run();

 private:
  base::Status check_memory() const;
  base::Result<Run> run_seed(std::uint64_t seed);
  base::Result<model::TrainReport> train(model::Model& weights, const model::TrainOptions& training);
  base::Result<base::Json> complete(const std::vector<model::Sequence>& learned, model::Model& weights) const;
  base::Status fine_tune(model::Model& weights, const model::TrainOptions& training, Run& run) const;
  base::Status measure_run(const Networks& networks, Run& run) const;
  bool blended() const { return data_.timed && options_.split.protocol == Protocol::kNextBasket; }
  std::vector<Case> validation_sample() const;
  MeasureOptions measures(bool coverage) const;
  stats::BootstrapOptions resampling() const { return {options_.resamples, 0.95, 1, environment_.executor}; }
  base::Json mean_json(const std::vector<Run>& runs, base::Json& intervals) const;
  base::Json config_json() const;

  Data& data_;
  const RunOptions& options_;
  const Environment& environment_;
  Split cut_;
  model::ModelOptions shape_;
  std::vector<model::Sequence> sequences_;
  features::TextTable texts_;  // empty: no text vectors
  double sgemm_gflops_ = 0;
};

MeasureOptions Evaluation::measures(bool coverage) const {
  return {shape_.tokens > 0 ? static_cast<std::size_t>(shape_.tokens) : 0, options_.split.filter_seen,
          options_.split.protocol == Protocol::kNextBasket, coverage};
}

base::Status Evaluation::check_memory() const {
  return enough_memory(shape_, options_.training, memory_needed_bytes(data_, cut_, options_), options_.memory_bytes);
}

// Evenly spaced: the epoch is chosen on these.
std::vector<Case> Evaluation::validation_sample() const {
  const std::size_t most = options_.training.validation_count_max;
  if (most == 0 || cut_.validation.size() <= most) {
    return cut_.validation;
  }
  std::vector<Case> out;
  for (std::size_t i = 0; i < most; ++i) {
    out.push_back(cut_.validation[i * cut_.validation.size() / most]);
  }
  return out;
}

base::Result<model::TrainReport> Evaluation::train(model::Model& weights, const model::TrainOptions& training) {
  const auto sample = validation_sample();
  base::Progress progress({"seed " + std::to_string(training.seed), "steps", 0, environment_.progress}, *environment_.clock);
  double validation_ndcg10 = 0;
  model::TrainHooks hooks;
  hooks.executor = environment_.executor;
  hooks.clock = environment_.clock;
  hooks.files = environment_.files;
  hooks.should_stop = [&] { return environment_.stop != nullptr && environment_.stop->load(); };
  hooks.validate = [&](const model::Model& now) {
    const Figures figures = measure(Network(now, data_.timed), sample, measures(false), *environment_.executor);
    return model::Evaluation{figures.cases, figures.at("ndcg@10"), figures.at("hr@10"), figures.at("mrr@10")};
  };
  hooks.on_step = [&](const model::TrainProgress& step) {
    progress.set_total(step.steps_total * training.epochs_max);
    char note[96];
    std::snprintf(note, sizeof note, "epoch %d, loss %.3f, validation NDCG@10 %.4f", step.epoch, step.loss, validation_ndcg10);
    progress.update((step.epoch - 1) * step.steps_total + step.step, note);
  };
  base::Status logged = base::ok_status();
  hooks.on_epoch = [&](const model::EpochReport& epoch) {
    validation_ndcg10 = epoch.validation_ndcg10;
    if (environment_.on_epoch && logged.ok()) {
      logged = environment_.on_epoch(training.seed, epoch);
    }
  };
  auto report = model::train(weights, sequences_, {}, training, hooks);
  BECKON_TRY_STATUS(logged);
  return report;
}

base::Result<Run> Evaluation::run_seed(std::uint64_t seed) {
  Run run;
  run.seed = seed;
  model::TrainOptions training = options_.training;
  training.seed = seed;
  training.checkpoint_path = options_.folder.empty() ? "" : options_.folder + "/seed-" + std::to_string(seed) + ".safetensors";
  BECKON_TRY(auto weights, model::Model::make(shape_, seed));
  if (options_.features.text_start && texts_.count() > 0) {
    features::start_from_text(texts_, weights);
  }
  reset_peak_rss();
  BECKON_TRY(run.training, train(weights, training));
  if (run.training.cancelled) {
    return base::unavailable("interrupted in epoch " + std::to_string(run.training.epochs.size() + 1) + " of seed " + std::to_string(seed) +
                             (training.checkpoint_path.empty() ? "" : ": the same command with --resume goes on from the last epoch"));
  }
  run.peak_rss_mb = peak_rss_mb();
  if (!training.checkpoint_path.empty() && environment_.files->exists(training.checkpoint_path + ".state")) {
    BECKON_TRY_STATUS(environment_.files->remove(training.checkpoint_path + ".state"));
  }
  model::Model current = weights;
  BECKON_TRY_STATUS(fine_tune(current, training, run));
  BECKON_TRY(run.text_map, complete(sequences_, weights));
  if (options_.split.protocol != Protocol::kLeaveOneOut) {
    const auto counts = features::token_counts(sequences_, weights.tokens());
    run.new_items = new_item_figures({counts, &data_, &cut_}, Network(weights, data_.timed));
  }
  const bool tuned = run.fine_tuning.has_value();
  BECKON_TRY_STATUS(measure_run({&weights, tuned ? &current : &weights}, run));
  if (!training.checkpoint_path.empty()) {
    BECKON_TRY_STATUS((tuned ? current : weights).save(*environment_.files, training.checkpoint_path));
  }
  return run;
}

// As `beckon train` does it: items that training hardly met get a vector from their text.
base::Result<base::Json> Evaluation::complete(const std::vector<model::Sequence>& learned, model::Model& weights) const {
  if (!options_.features.new_items || texts_.count() == 0) {
    return base::Json();
  }
  BECKON_TRY(const auto map, features::complete_from_text(texts_, features::token_counts(learned, weights.tokens()), {}, weights));
  return features::to_json(map);
}

// As a shop goes on: the epoch is chosen, the weights then learn what came after the validation cut too. Not for leave-one-out, whose
// figures in print are of networks that never saw the validation step.
base::Status Evaluation::fine_tune(model::Model& weights, const model::TrainOptions& training, Run& run) const {
  if (options_.split.protocol == Protocol::kLeaveOneOut || training.fine_tune_epochs == 0) {
    return base::ok_status();
  }
  const auto newer = newer_sequences(data_, cut_, options_.split.protocol);
  if (std::ranges::none_of(newer, model::teaches)) {
    return base::ok_status();
  }
  model::TrainHooks hooks;
  hooks.executor = environment_.executor;
  hooks.clock = environment_.clock;
  hooks.should_stop = [&] { return environment_.stop != nullptr && environment_.stop->load(); };
  FineTuning tuning;
  BECKON_TRY(tuning.training, model::train(weights, newer, {}, model::fine_tune_options(training), hooks));
  if (tuning.training.cancelled) {
    return base::unavailable("interrupted while learning the newest steps: the same command starts this seed again");
  }
  run.fine_tuning = std::move(tuning);
  const auto completed = complete(newer, weights);
  return completed.ok() ? base::ok_status() : base::Status(completed.error());
}

// A shop answers with network and counting together; what weighs them is fitted on the validation part. A file knows no times.
base::Status Evaluation::measure_run(const Networks& networks, Run& run) const {
  const auto figures = [&](const Ranker& ranker, const std::vector<Case>& cases) {
    return measure(ranker, cases, measures(true), *environment_.executor);
  };
  const Network chosen(*networks.chosen, data_.timed);
  const Network current(*networks.current, data_.timed);
  if (!blended()) {
    run.validation = figures(chosen, cut_.validation);
    run.test = figures(current, cut_.test);
    if (run.fine_tuning.has_value()) {
      run.fine_tuning->before = figures(chosen, cut_.test);
    }
    return base::ok_status();
  }
  const base::Instant chosen_at = cut_.validation_at.plus_ms(-1);
  const base::Instant asked_at = cut_.test_at.plus_ms(-1);
  const response::FitPeriod period{chosen_at, std::min(options_.horizon_ms, asked_at.ms - chosen_at.ms)};
  BECKON_TRY(const auto response, response::fit_item_response(data_.set, *networks.chosen, period, *environment_.executor));
  const auto before = features::Floors::fit(data_.set, chosen_at);
  const auto now = features::Floors::fit(data_.set, asked_at);
  run.network = figures(current, cut_.test);
  run.validation = figures(Blend(*networks.chosen, before, response, chosen_at), cut_.validation);
  run.test = figures(Blend(*networks.current, now, response, asked_at), cut_.test);
  if (run.fine_tuning.has_value()) {
    run.fine_tuning->before = figures(Blend(*networks.chosen, now, response, asked_at), cut_.test);
  }
  return base::ok_status();
}

base::Json Evaluation::config_json() const {
  std::int64_t steps = 0;
  for (const auto& history : data_.set.histories) {
    steps += static_cast<std::int64_t>(history.steps.size());
  }
  const bool cut_in_time = options_.split.protocol != Protocol::kLeaveOneOut;
  base::Json seeds = base::Json::array();
  for (const std::uint64_t seed : options_.seeds) {
    seeds.push_back(static_cast<std::int64_t>(seed));
  }
  base::Json model = model::options_json(shape_);
  model.update(features::options_json(options_.features));
  base::Json train = model::options_json(options_.training);
  train.erase("seed");
  return {{"protocol", to_text(options_.split.protocol)},
          {"repeats", options_.split.filter_seen ? "filter" : "allow"},
          {"ranked", "every item that training or validation saw"},
          {"answer", blended() ? "network and counting, weighed by a logistic regression fitted on the validation part" : "network"},
          {"ties", "against the model"},
          {"epoch_chosen_by", "validation ndcg@10"},
          {"split_time", cut_in_time ? base::Json(base::format_time(cut_.test_at)) : base::Json()},
          {"validation_time", cut_in_time ? base::Json(base::format_time(cut_.validation_at)) : base::Json()},
          {"customers", static_cast<std::int64_t>(data_.set.histories.size())},
          {"steps", steps},
          {"items", static_cast<std::int64_t>(shape_.tokens) - 1},
          {"test_customers", static_cast<std::int64_t>(cut_.test.size())},
          {"validation_customers", static_cast<std::int64_t>(cut_.validation.size())},
          {"too_short_for_a_test", cut_.too_short},
          {"repeats_left_out", cut_.repeats_left_out},
          {"unknown_targets", cut_.unknown_targets},
          {"threads", static_cast<std::int64_t>(options_.training.worker_count)},
          {"sgemm_gflops", sgemm_gflops_},
          {"seeds", std::move(seeds)},
          {"model", std::move(model)},
          {"train", std::move(train)}};
}

base::Result<base::Json> Evaluation::run() {
  BECKON_TRY(cut_, split(data_, options_.split));
  shape_ = options_.model;
  fit_to_data(data_, options_.split.protocol, shape_);
  BECKON_TRY_STATUS(model::validate(shape_));
  BECKON_TRY_STATUS(check_memory());
  if (!options_.folder.empty()) {
    BECKON_TRY_STATUS(environment_.files->make_dirs(options_.folder));
  }
  if (!options_.split_folder.empty()) {
    BECKON_TRY_STATUS(write_split(data_, cut_, *environment_.files, options_.split_folder));
  }
  sequences_ = training_sequences(data_, cut_, options_.split.protocol);
  if (data_.timed && options_.features.text_vectors != features::TextVectors::kNone) {
    texts_ = features::text_table(data_.set.vocabulary, data_.texts);
  }
  sgemm_gflops_ = gemm_gflops(*environment_.executor, {kSgemmSize, kSgemmSize, kSgemmSize});
  base::Json report = {{"config", config_json()}, {"runs", base::Json::array()}};
  std::vector<Run> runs;
  for (const std::uint64_t seed : options_.seeds) {
    BECKON_TRY(Run run, run_seed(seed));
    report["runs"].push_back(run_json(run, {&shape_, sgemm_gflops_}));
    runs.push_back(std::move(run));
  }
  const Figures ours = average(runs, [](const Run& run) -> const Figures& { return run.test; });
  base::Json intervals = {{"model", interval_json(ours, resampling())}};
  report["mean"] = mean_json(runs, intervals);
  std::vector<std::pair<std::string, Figures>> floors;
  for (auto& floor : fit_floors(data_, cut_)) {
    report["floors"][floor.name] = nullptr;
    if (floor.ranker != nullptr) {
      floors.emplace_back(floor.name, measure(*floor.ranker, cut_.test, measures(true), *environment_.executor));
      report["floors"][floor.name] = figures_json(floors.back().second);
      intervals[floor.name] = interval_json(floors.back().second, resampling());
    }
  }
  report["intervals"] = std::move(intervals);
  report["gain"] = gain_over_floors(ours, floors, resampling());
  return report;
}

// Figures over the runs; adds what belongs to them to `intervals`.
base::Json Evaluation::mean_json(const std::vector<Run>& runs, base::Json& intervals) const {
  const Figures test = average(runs, [](const Run& run) -> const Figures& { return run.test; });
  base::Json out = {{"test", figures_json(test)},
                    {"validation", figures_json(average(runs, [](const Run& run) -> const Figures& { return run.validation; }))}};
  if (blended()) {
    const Figures alone = average(runs, [](const Run& run) -> const Figures& { return run.network; });
    out["network"] = figures_json(alone);
    intervals["network"] = interval_json(alone, resampling());
  }
  if (runs.front().fine_tuning.has_value()) {
    const Figures before = average(runs, [](const Run& run) -> const Figures& { return run.fine_tuning->before; });
    out["without_fine_tuning"] = figures_json(before);
    intervals["without_fine_tuning"] = interval_json(before, resampling());
    out["fine_tuning_gain"] = gain_json(test, before, resampling());
  }
  return out;
}

}  // namespace

base::Status enough_memory(const model::ModelOptions& shape, const model::TrainOptions& training, std::int64_t needed_bytes, std::int64_t free_bytes) {
  const std::int64_t free = free_bytes > 0 ? free_bytes : memory_available_bytes();
  if (free == 0 || needed_bytes <= free) {
    return base::ok_status();
  }
  const auto gib = [](std::int64_t bytes) {
    char text[32];
    std::snprintf(text, sizeof text, "%.1f GiB", static_cast<double>(bytes) / (1 << 30));
    return std::string(text);
  };
  return base::Error{base::ErrorCode::kResourceExhausted,
                     "this training needs about " + gib(needed_bytes) + " of memory and " + gib(free) + " are free: choose a smaller width (" +
                         std::to_string(shape.width) + " now) or fewer layers in the configuration, or fewer threads (" +
                         std::to_string(training.worker_count) + " now: each holds a copy of the gradients)"};
}

std::int64_t memory_needed_bytes(const Data& data, const Split& cut, const RunOptions& options) {
  model::ModelOptions shape = options.model;
  fit_to_data(data, options.split.protocol, shape);
  std::int64_t steps = 0;
  for (const std::size_t until : cut.train_until) {
    steps += static_cast<std::int64_t>(until);
  }
  constexpr std::int64_t kTaskCases = 64;  // scored together by each worker
  const auto columns = static_cast<std::int64_t>(shape.side_sizes.size());
  const bool tunes = options.split.protocol != Protocol::kLeaveOneOut && options.training.fine_tune_epochs > 0;
  const std::int64_t times = data.timed ? 16 : 0;
  const std::int64_t sequences = (tunes ? 2 : 1) * steps * (8 + times + 4 * columns + shape.heads);
  const std::int64_t scores = static_cast<std::int64_t>(options.training.worker_count) * kTaskCases * shape.tokens * 4;
  model::TrainOptions training = options.training;
  training.checkpoint_path = options.folder;
  return model::training_bytes(shape, training) + sequences + scores;
}

base::Result<base::Json> evaluate(Data& data, const RunOptions& options, const Environment& environment) {
  BECKON_CHECK(environment.executor != nullptr && environment.clock != nullptr && !options.seeds.empty());
  return Evaluation(data, options, environment).run();
}

}  // namespace beckon::evaluate
