#include "beckon/evaluate/evaluate.h"

#include <algorithm>
#include <cmath>

#include "beckon/model/config.h"
#include "beckon/model/cost.h"
#include "beckon/stats/resampling.h"
#include "beckon/features/item_vectors.h"
#include "blend.h"
#include "network.h"
#include "new_items.h"

namespace beckon::evaluate {
namespace {

constexpr std::size_t kSgemmSize = 512;

base::Json figures_json(const Figures& figures) {
  base::Json out = base::Json::object();
  for (std::size_t c = 0; c < figures.names.size(); ++c) {
    out[figures.names[c]] = figures.mean[c];
  }
  out["coverage"] = figures.coverage;
  out["items_shown"] = figures.items_shown;
  return out;
}

// Means of several runs, over the same cases.
Figures average(const std::vector<Figures>& runs) {
  Figures out = runs.front();
  const auto count = static_cast<double>(runs.size());
  const auto mean_of = [&](const auto& value) {
    double sum = 0;
    for (const auto& run : runs) {
      sum += static_cast<double>(value(run));
    }
    return sum / count;
  };
  for (std::size_t i = 0; i < out.each.size(); ++i) {
    out.each[i] = mean_of([&](const Figures& f) { return f.each[i]; });
  }
  for (std::size_t c = 0; c < out.mean.size(); ++c) {
    out.mean[c] = mean_of([&](const Figures& f) { return f.mean[c]; });
  }
  out.coverage = mean_of([](const Figures& f) { return f.coverage; });
  out.items_shown = std::llround(mean_of([](const Figures& f) { return f.items_shown; }));
  return out;
}

struct Run {
  std::uint64_t seed = 0;
  model::TrainReport training;
  Figures validation;
  Figures test;
  Figures network;  ///< on the test part, where the answer is more than the network
  base::Json text_map;
  base::Json new_items;
  double peak_rss_mb = 0;
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
  base::Status complete(model::Model& weights, Run& run) const;
  base::Status measure_run(const model::Model& weights, Run& run) const;
  bool blended() const { return data_.timed && options_.split.protocol == Protocol::kNextBasket; }
  std::vector<Case> validation_sample() const;
  MeasureOptions measures(bool coverage) const;
  base::Json interval_of(const Figures& figures) const;
  base::Json gain_json(const Figures& ours, const std::vector<std::pair<std::string, Figures>>& floors) const;
  base::Json run_json(const Run& run) const;
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
  const std::int64_t needed = memory_needed_bytes(data_, cut_, options_);
  const std::int64_t free = options_.memory_bytes > 0 ? options_.memory_bytes : memory_available_bytes();
  if (free == 0 || needed <= free) {
    return base::ok_status();
  }
  const auto gib = [](std::int64_t bytes) {
    char text[32];
    std::snprintf(text, sizeof text, "%.1f GiB", static_cast<double>(bytes) / (1 << 30));
    return std::string(text);
  };
  return base::Error{base::ErrorCode::kResourceExhausted,
                     "this training needs about " + gib(needed) + " of memory and " + gib(free) + " are free: choose a smaller width (" +
                         std::to_string(shape_.width) + " now) or fewer layers in the configuration, or fewer threads (" +
                         std::to_string(options_.training.worker_count) + " now: each holds a copy of the gradients)"};
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
  BECKON_TRY_STATUS(complete(weights, run));
  BECKON_TRY_STATUS(measure_run(weights, run));
  return run;
}

// As `beckon train` does it: items that training hardly met get a vector from their text.
base::Status Evaluation::complete(model::Model& weights, Run& run) const {
  const auto counts = features::token_counts(sequences_, weights.tokens());
  if (options_.features.new_items && texts_.count() > 0) {
    BECKON_TRY(const auto map, features::complete_from_text(texts_, counts, {}, weights));
    run.text_map = features::to_json(map);
  }
  if (options_.split.protocol != Protocol::kLeaveOneOut) {
    run.new_items = new_item_figures({counts, &data_, &cut_}, Network(weights, data_.timed));
  }
  return base::ok_status();
}

// A shop answers with network and counting together; what weighs them is fitted on the validation part. A file knows no times.
base::Status Evaluation::measure_run(const model::Model& weights, Run& run) const {
  const auto figures = [&](const Ranker& ranker, const std::vector<Case>& cases) {
    return measure(ranker, cases, measures(true), *environment_.executor);
  };
  const Network network(weights, data_.timed);
  if (!blended()) {
    run.validation = figures(network, cut_.validation);
    run.test = figures(network, cut_.test);
    return base::ok_status();
  }
  const base::Instant chosen_at = cut_.validation_at.plus_ms(-1);
  const base::Instant asked_at = cut_.test_at.plus_ms(-1);
  const response::FitPeriod period{chosen_at, std::min(options_.horizon_ms, asked_at.ms - chosen_at.ms)};
  BECKON_TRY(const auto response, response::fit_item_response(data_.set, weights, period, *environment_.executor));
  run.network = figures(network, cut_.test);
  run.validation = figures(Blend(weights, features::Floors::fit(data_.set, chosen_at), response, chosen_at), cut_.validation);
  run.test = figures(Blend(weights, features::Floors::fit(data_.set, asked_at), response, asked_at), cut_.test);
  return base::ok_status();
}

// Percentile intervals over customers of everything at ten; null for a single customer.
base::Json Evaluation::interval_of(const Figures& figures) const {
  base::Json out = base::Json::object();
  for (const auto& name : figures.names) {
    if (!name.ends_with("@10")) {
      continue;
    }
    const auto values = figures.values(name);
    const std::vector<double> nothing(values.size(), 0);
    const auto interval = stats::paired_bootstrap(values, nothing, {options_.resamples, 0.95, 1, environment_.executor});
    out[name] = interval.ok() ? base::Json{interval->low, interval->high} : base::Json();
  }
  return out;
}

base::Json Evaluation::gain_json(const Figures& ours, const std::vector<std::pair<std::string, Figures>>& floors) const {
  const auto best = std::max_element(floors.begin(), floors.end(), [](const auto& a, const auto& b) {
    return a.second.at("ndcg@10") < b.second.at("ndcg@10");
  });
  base::Json out = {{"best_floor", best->first}, {"ndcg@10", ours.at("ndcg@10") - best->second.at("ndcg@10")}, {"low", nullptr}, {"high", nullptr}};
  const auto gain = stats::paired_bootstrap(ours.values("ndcg@10"), best->second.values("ndcg@10"),
                                            {options_.resamples, 0.95, 1, environment_.executor});
  if (gain.ok()) {
    out["low"] = gain->low;
    out["high"] = gain->high;
  }
  return out;
}

base::Json Evaluation::run_json(const Run& run) const {
  double seconds = 0;
  double positions = 0;
  double to_best = 0;
  base::Json curve = base::Json::array();
  base::Json losses = base::Json::array();
  for (const auto& epoch : run.training.epochs) {
    positions += static_cast<double>(epoch.positions);
    seconds += static_cast<double>(epoch.positions) / epoch.positions_per_second;
    to_best = epoch.epoch == run.training.best_epoch ? seconds : to_best;
    curve.push_back({seconds, epoch.validation_ndcg10});
    losses.push_back({seconds, epoch.train_loss});
  }
  const double rate = positions / std::max(seconds, 1e-9);
  return {{"seed", static_cast<std::int64_t>(run.seed)},
          {"test", figures_json(run.test)},
          {"validation", figures_json(run.validation)},
          {"epochs", static_cast<std::int64_t>(run.training.epochs.size())},
          {"best_epoch", run.training.best_epoch},
          {"stopped_early", run.training.stopped_early},
          {"train_seconds", seconds},
          {"seconds_to_best", run.training.best_epoch > 0 ? to_best : seconds},
          {"tokens_per_second", rate},
          {"sgemm_share", model::flops_per_position(shape_) * rate / (sgemm_gflops_ * 1e9)},
          {"peak_rss_mb", run.peak_rss_mb},
          {"curve", std::move(curve)},
          {"loss_curve", std::move(losses)},
          {"text_map", run.text_map},
          {"new_items", run.new_items}};
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
  sequences_ = training_sequences(data_, cut_, options_.split.protocol);
  if (data_.timed && options_.features.text_vectors != features::TextVectors::kNone) {
    texts_ = features::text_table(data_.set.vocabulary, data_.texts);
  }
  sgemm_gflops_ = gemm_gflops(*environment_.executor, {kSgemmSize, kSgemmSize, kSgemmSize});
  base::Json report = {{"config", config_json()}, {"runs", base::Json::array()}};
  std::vector<Figures> validation;
  std::vector<Figures> test;
  std::vector<Figures> network;
  for (const std::uint64_t seed : options_.seeds) {
    BECKON_TRY(Run run, run_seed(seed));
    report["runs"].push_back(run_json(run));
    validation.push_back(std::move(run.validation));
    test.push_back(std::move(run.test));
    network.push_back(std::move(run.network));
  }
  const Figures ours = average(test);
  report["mean"] = {{"test", figures_json(ours)}, {"validation", figures_json(average(validation))}};
  base::Json intervals = {{"model", interval_of(ours)}};
  if (blended()) {
    const Figures alone = average(network);
    report["mean"]["network"] = figures_json(alone);
    intervals["network"] = interval_of(alone);
  }
  std::vector<std::pair<std::string, Figures>> floors;
  for (auto& floor : fit_floors(data_, cut_)) {
    report["floors"][floor.name] = nullptr;
    if (floor.ranker != nullptr) {
      floors.emplace_back(floor.name, measure(*floor.ranker, cut_.test, measures(true), *environment_.executor));
      report["floors"][floor.name] = figures_json(floors.back().second);
      intervals[floor.name] = interval_of(floors.back().second);
    }
  }
  report["intervals"] = std::move(intervals);
  report["gain"] = gain_json(ours, floors);
  return report;
}

}  // namespace

std::int64_t memory_needed_bytes(const Data& data, const Split& cut, const RunOptions& options) {
  model::ModelOptions shape = options.model;
  fit_to_data(data, options.split.protocol, shape);
  std::int64_t steps = 0;
  for (const std::size_t until : cut.train_until) {
    steps += static_cast<std::int64_t>(until);
  }
  constexpr std::int64_t kTaskCases = 64;  // scored together by each worker
  const auto columns = static_cast<std::int64_t>(shape.side_sizes.size());
  const std::int64_t sequences = steps * (8 + 4 * columns + shape.heads);
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
