#include <algorithm>

#include "beckon/evaluate/tensorboard.h"
#include "beckon/model/onnx.h"
#include "beckon/model/ranking.h"
#include "beckon/model/train.h"
#include "beckon/stats/stats.h"
#include "heads.h"
#include "item_texts.h"
#include "scoring.h"

namespace beckon::engine {
namespace {

constexpr std::int64_t kStepsMin = 500;  // fewer cannot teach anything about time

// Cut times of the global split: trained before validation_from, chosen on [validation_from, test_from), measured after.
struct Split {
  base::Instant validation_from;
  base::Instant test_from;
  base::Instant as_of;
};

struct Sets {
  std::vector<model::Sequence> train;
  std::vector<model::Sequence> validation;
};

Sets make_sets(const features::Dataset& data, const Split& split, std::int64_t horizon_ms) {
  Sets sets;
  for (const auto& history : data.histories) {
    features::SequenceOptions inside{split.validation_from, split.validation_from, horizon_ms, true};
    auto sequence = features::make_sequence(history, inside);
    if (sequence.length() > 1) {
      sets.train.push_back(std::move(sequence));
    }
    features::SequenceOptions last{split.validation_from, split.test_from, horizon_ms, false};
    auto held_out = features::make_sequence(history, last);
    if (held_out.length() > 0 && held_out.target.back() > 0) {
      sets.validation.push_back(std::move(held_out));
    }
  }
  features::forget_new_items(data.vocabulary.warm_size(), sets.train);
  features::forget_new_items(data.vocabulary.warm_size(), sets.validation);
  return sets;
}

std::vector<const features::History*> pointers(const features::Dataset& data) {
  std::vector<const features::History*> out;
  for (const auto& history : data.histories) {
    out.push_back(&history);
  }
  return out;
}

std::vector<std::int32_t> first_ten(const std::vector<features::Scored>& scored) {
  std::vector<std::int32_t> out;
  for (std::size_t i = 0; i < scored.size() && i < 10; ++i) {
    out.push_back(scored[i].token);
  }
  return out;
}

base::Json figures_json(const RankingFigures& figures) {
  return {{"name", figures.name}, {"ndcg10", figures.ndcg10}, {"hit10", figures.hit10}, {"customers", figures.customers}};
}

struct TestInput {
  const features::Dataset* data;
  const model::Model* weights;
  const response::ItemResponse* item_response;
  Split split;
  std::int64_t horizon_ms;
};

// Calibration on the test period: predicted against bought, for the ten best items of each customer.
base::Json calibration(const TestInput& in, const std::vector<std::vector<response::ScoredItem>>& scored) {
  std::vector<double> predicted;
  std::vector<std::uint8_t> outcome;
  for (std::size_t i = 0; i < scored.size(); ++i) {
    const auto bought =
        features::bought_between(in.data->histories[i], in.split.test_from, in.split.test_from.plus_ms(in.horizon_ms));
    for (const auto& item : scored[i]) {
      predicted.push_back(item.probability);
      outcome.push_back(std::binary_search(bought.begin(), bought.end(), item.token) ? 1 : 0);
    }
  }
  const auto table = stats::reliability_table(predicted, outcome);
  return {{"expected_calibration_error", stats::expected_calibration_error(table)},
          {"auc", stats::auc(predicted, outcome)},
          {"bins", reliability_json(predicted, outcome)}};
}

base::Json compare(const std::vector<RankingFigures>& all) {
  const RankingFigures& ours = all.front();
  const auto best = std::max_element(all.begin() + 2, all.end(), [](const auto& a, const auto& b) { return a.ndcg10 < b.ndcg10; });
  base::Json out = {{"best_floor", best->name}, {"beats_floors", false}};
  const auto gain = stats::paired_bootstrap(ours.each_ndcg, best->each_ndcg);
  if (gain.ok()) {
    out["gain_ndcg10"] = gain->estimate;
    out["gain_low"] = gain->low;
    out["gain_high"] = gain->high;
    out["beats_floors"] = gain->low > 0;
  }
  out["verdict"] = gain.ok() && gain->low > 0   ? "beats every floor (95 % interval above 0)"
                   : gain.ok() && gain->high < 0 ? "does NOT beat the floor '" + best->name + "'"
                                                 : "is level with the floor '" + best->name + "' (95 % interval holds 0)";
  return out;
}

base::Json measure_on_test(Context& context, const TestInput& in) {
  const auto floors = features::Floors::fit(*in.data, in.split.test_from);
  const auto histories = pointers(*in.data);
  std::vector<std::vector<std::int32_t>> relevant;
  for (const auto* history : histories) {
    const bool had_past = !features::seen(*history, in.split.test_from).empty();
    relevant.push_back(had_past ? features::next_basket(*history, in.split.test_from, in.split.as_of) : std::vector<std::int32_t>());
  }
  const response::Scorer scorer(in.weights, &floors, *in.item_response);
  const auto evidence = scorer.evidence(histories, in.split.test_from, {}, *context.executor);
  const auto scored = scorer.score(histories, in.split.test_from, {}, 10, *context.executor);
  std::vector<RankingFigures> all;
  all.push_back(judge("beckon", relevant, [&](std::size_t i) {
    std::vector<std::int32_t> list;
    for (const auto& item : scored[i]) {
      list.push_back(item.token);
    }
    return list;
  }));
  all.push_back(judge("transformer alone", relevant, [&](std::size_t i) {
    auto by_model = evidence[i];
    std::stable_sort(by_model.begin(), by_model.end(), [](const auto& a, const auto& b) { return a.evidence.model > b.evidence.model; });
    std::vector<std::int32_t> list;
    for (std::size_t k = 0; k < by_model.size() && k < 10; ++k) {
      list.push_back(by_model[k].token);
    }
    return list;
  }));
  const auto popular = first_ten(floors.popular());
  all.push_back(judge("popular, last 7 days", relevant, [&](std::size_t) { return popular; }));
  all.push_back(judge("own history", relevant, [&](std::size_t i) { return first_ten(floors.own(*histories[i], in.split.test_from)); }));
  all.push_back(
      judge("two-step Markov", relevant, [&](std::size_t i) { return first_ten(floors.markov(*histories[i], in.split.test_from)); }));
  base::Json rows = base::Json::array();
  for (const auto& figures : all) {
    rows.push_back(figures_json(figures));
  }
  return {{"protocol", "next basket after " + base::format_date(in.split.test_from) + ", whole catalogue, repeats allowed"},
          {"ranking", rows},
          {"comparison", compare(all)},
          {"calibration", calibration(in, scored)},
          {"heads", head_figures(*in.data, *in.weights, {in.split.validation_from, in.split.test_from, in.split.as_of, in.horizon_ms},
                                 *context.executor)}};
}

model::TrainOptions train_options(const Context& context, const TrainRequest& request, std::size_t steps) {
  model::TrainOptions options = context.config.training;
  options.worker_count = context.executor->worker_count();
  options.checkpoint_path = context.path("model/checkpoint.safetensors");
  options.resume = request.resume;
  // A very long history teaches little per position: a few windows of it per epoch keep an epoch short.
  const std::size_t per_history = static_cast<std::size_t>(context.config.model.length_max) * 4;
  if (options.positions_per_sequence == 0 && steps > 200'000) {
    options.positions_per_sequence = per_history;
  }
  return options;
}

base::Result<model::TrainReport> run_training(Context& context, model::Model& weights, const Sets& sets,
                                              const std::pair<const model::TrainOptions*, std::string>& options_and_tensorboard) {
  const model::TrainOptions& options = *options_and_tensorboard.first;
  std::vector<evaluate::TensorBoardLog> log;  // none or one
  base::Progress progress({"train", "epochs", options.epochs_max, context.progress()}, *context.clock);
  const base::SystemClock stopwatch;
  base::Status logged = base::ok_status();
  if (!options_and_tensorboard.second.empty()) {
    BECKON_TRY(auto opened, evaluate::TensorBoardLog::open(*context.files, options_and_tensorboard.second, stopwatch));
    log.push_back(std::move(opened));
  }
  model::TrainHooks hooks;
  hooks.executor = context.executor.get();
  hooks.clock = &stopwatch;
  hooks.files = context.files.get();
  hooks.should_stop = [&] { return context.stop.load(); };
  hooks.on_epoch = [&](const model::EpochReport& epoch) {
    char note[96];
    std::snprintf(note, sizeof note, "loss %.3f, validation NDCG@10 %.4f", epoch.train_loss, epoch.validation_ndcg10);
    progress.update(epoch.epoch, note);
    if (!log.empty() && logged.ok()) {
      logged = log[0].epoch(epoch);
    }
  };
  auto report = model::train(weights, sets.train, sets.validation, options, hooks);
  BECKON_TRY_STATUS(logged);
  return report;
}

base::Json training_json(const model::TrainReport& report) {
  base::Json epochs = base::Json::array();
  double seconds = 0;
  double rate = 0;
  for (const auto& epoch : report.epochs) {
    seconds += epoch.seconds;
    rate = std::max(rate, epoch.positions_per_second);
    epochs.push_back({{"epoch", epoch.epoch}, {"loss", epoch.train_loss}, {"validation_ndcg10", epoch.validation_ndcg10},
                      {"seconds", epoch.seconds}});
  }
  return {{"epochs", epochs}, {"best_epoch", report.best_epoch}, {"stopped_early", report.stopped_early},
          {"seconds", seconds}, {"positions_per_second", rate}};
}

}  // namespace

base::Result<base::Json> train(Context& context, const TrainRequest& request) {
  const catalog::TrainConfig& config = context.config.shop.train;
  BECKON_TRY(const auto items, store::Shelf(*context.rows).items());
  features::DatasetOptions options;
  options.as_of = context.clock->now();
  options.items_max = config.items_max;
  options.services = context.config.shop.services;
  const features::ItemFacts facts = facts_of(context.config, items);
  ItemTextSteps texts(context.config, items, facts);
  options.new_items = texts.wants_new_items();
  BECKON_TRY(const auto data, features::build_dataset(*context.rows, facts, options));
  if (data.steps < kStepsMin) {
    return base::failed_precondition("there are only " + std::to_string(data.steps) + " views, carts and purchases up to " +
                                     base::format_date(options.as_of) + ", training needs " + std::to_string(kStepsMin) +
                                     ": plans use popularity and own history until then");
  }
  const Split split{features::time_quantile(data, 0.8), features::time_quantile(data, 0.9), options.as_of};
  const std::int64_t horizon_ms = config.horizon_days * base::kDayMs;
  const Sets sets = make_sets(data, split, horizon_ms);
  model::ModelOptions shape = context.config.model;
  shape.tokens = data.vocabulary.warm_size();
  shape.side_sizes = features::side_sizes(data.words);
  shape.heads = features::kHeads;
  // The full softmax costs tokens × positions: exact where that is cheap, sampled where it would take the afternoon.
  const double cost = static_cast<double>(shape.tokens) * static_cast<double>(data.steps);
  if (shape.loss == model::LossKind::kAuto) {
    shape.loss = cost > 2e9 ? model::LossKind::kSampledSoftmax : model::LossKind::kFullSoftmax;
  }
  BECKON_TRY(auto weights, model::Model::make(shape, context.config.training.seed));
  texts.start(data.vocabulary, weights);
  if (!request.onnx.empty()) {
    BECKON_TRY([[maybe_unused]] const std::string writable, model::to_onnx(weights));  // refused now, not after an hour of training
  }
  BECKON_TRY_STATUS(context.files->make_dirs(context.path("model")));
  const auto how = train_options(context, request, static_cast<std::size_t>(data.steps));
  BECKON_TRY(const auto report, run_training(context, weights, sets, {&how, request.tensorboard}));
  if (report.cancelled) {
    return base::unavailable("training was interrupted: beckon train --resume goes on from the last epoch");
  }
  BECKON_TRY(const base::Json text_map, texts.finish(sets.train, weights));
  TrainedModel trained;
  // On the validation period: the network has not seen it, the test period stays untouched.
  BECKON_TRY(trained.item_response, response::fit_item_response(data, weights, {split.validation_from, horizon_ms}, *context.executor));
  const auto bytes = std::as_bytes(weights.weights());
  trained.version = base::to_hex(privacy::sha256({reinterpret_cast<const char*>(bytes.data()), bytes.size()}).substr(0, 8));
  trained.figures = {{"as_of", base::format_time(options.as_of)},
                     {"customers", static_cast<std::int64_t>(data.histories.size())},
                     {"steps", data.steps},
                     {"items", shape.tokens - 1},
                     {"new_items", data.vocabulary.size() - shape.tokens},
                     {"text_map", text_map},
                     {"flagged_customers_left_out", data.flagged},
                     {"returned_purchases_left_out", data.refunded},
                     {"loss", shape.loss == model::LossKind::kFullSoftmax ? "full softmax" : "sampled softmax"},
                     {"training", training_json(report)},
                     {"test", measure_on_test(context, {&data, &weights, &trained.item_response, split, horizon_ms})}};
  trained.vocabulary = data.vocabulary;
  trained.words = data.words;
  trained.weights.emplace(std::move(weights));
  BECKON_TRY_STATUS(save_model(context, trained));
  if (!request.onnx.empty()) {
    BECKON_TRY(const std::string onnx, model::to_onnx(*trained.weights));
    BECKON_TRY_STATUS(context.files->write_atomic(request.onnx, onnx));
  }
  base::Json answer = trained.figures;
  answer["model"] = trained.version;
  answer["exit"] = 0;
  return answer;
}

}  // namespace beckon::engine
