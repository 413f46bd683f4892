#include "pretrain.h"

#include <algorithm>
#include <numeric>

#include "beckon/engine/holder.h"
#include "beckon/evaluate/tensorboard.h"

namespace beckon::engine {
namespace {

// With more than this share of the steps unseen by the pre-training, starting afresh costs little more and forgets nothing.
constexpr double kNewStepsMax = .4;

struct Sets {
  std::vector<model::Sequence> train;
  std::vector<model::Sequence> validation;
  std::size_t steps() const {
    std::size_t sum = 0;
    for (const auto& sequence : train) {
      sum += sequence.length();
    }
    return sum;
  }
};

Sets make_sets(const features::Dataset& data, const TimeSplit& split, std::int64_t horizon_ms) {
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
  return sets;
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

base::Result<model::TrainReport> run_training(Context& context, model::Model& weights, const Sets& sets, const TrainRequest& request) {
  const model::TrainOptions options = train_options(context, request, sets.steps());
  std::vector<evaluate::TensorBoardLog> log;  // none or one
  base::Progress progress({"pre-train", "epochs", options.epochs_max, context.progress()}, *context.clock);
  const base::SystemClock stopwatch;
  base::Status logged = base::ok_status();
  if (!request.tensorboard.empty()) {
    BECKON_TRY(auto opened, evaluate::TensorBoardLog::open(*context.files, request.tensorboard, stopwatch));
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

model::ModelOptions shape_of(const Context& context, const features::Dataset& data) {
  model::ModelOptions shape = context.config.model;
  shape.tokens = data.vocabulary.size();
  shape.side_sizes = features::side_sizes();
  shape.heads = features::kHeads;
  // The full softmax costs tokens × positions: exact where that is cheap, sampled where it would take the afternoon.
  const double cost = static_cast<double>(shape.tokens) * static_cast<double>(data.steps);
  if (shape.loss == model::LossKind::kAuto) {
    shape.loss = cost > 2e9 ? model::LossKind::kSampledSoftmax : model::LossKind::kFullSoftmax;
  }
  return shape;
}

double share_after(const features::Dataset& data, base::Instant moment) {
  std::int64_t after = 0;
  for (const auto& history : data.histories) {
    after += static_cast<std::int64_t>(history.steps.size() - features::seen(history, moment).size());
  }
  return static_cast<double>(after) / static_cast<double>(std::max<std::int64_t>(data.steps, 1));
}

// Customers and items of another shop behind our own. Its people have other pseudonyms, its items names of their own.
base::Status add_shop(const std::string& folder, base::Instant as_of, features::Dataset& data) {
  OpenOptions open;
  open.folder = folder;
  open.command = "beckon train --with-shop";
  open.quiet = true;
  BECKON_TRY(const auto other, open_shop(open));
  BECKON_TRY(const auto other_data, shop_data(*other, as_of));
  std::vector<std::string> items(data.vocabulary.items().begin() + 1, data.vocabulary.items().end());
  const std::int32_t offset = data.vocabulary.size() - 1;
  for (std::int32_t t = 1; t < other_data.vocabulary.size(); ++t) {
    items.push_back(foreign_item(other->config.shop.name, other_data.vocabulary.item(t)));
  }
  data.vocabulary = features::Vocabulary(std::move(items));
  for (auto history : other_data.histories) {
    for (auto& step : history.steps) {
      step.token = step.token == 0 ? 0 : step.token + offset;
    }
    data.histories.push_back(std::move(history));
  }
  data.steps += other_data.steps;
  return base::ok_status();
}

// Trains on everything up to validation_from and keeps it; answers the weights in the tokens of `all`.
base::Result<Start> pretrain_on(Context& context, const StartInput& in, const features::Dataset& all) {
  const Sets sets = make_sets(all, in.split, in.horizon_ms);
  BECKON_TRY(auto weights, model::Model::make(shape_of(context, all), context.config.training.seed));
  BECKON_TRY_STATUS(context.files->make_dirs(context.path("model")));
  Start start{std::move(weights), in.split.validation_from, 0, true, {}, {}};
  BECKON_TRY(start.report, run_training(context, start.weights, sets, *in.request));
  if (start.report.cancelled) {
    return base::unavailable("training was interrupted: beckon train --resume goes on from the last epoch");
  }
  for (const auto& epoch : start.report.epochs) {
    start.pretraining_seconds += epoch.seconds;
  }
  BECKON_TRY_STATUS(save_pretrained(
      context, {start.weights, all.vocabulary.items(), context.config.shop.name, start.learned_until, start.pretraining_seconds}));
  return start;
}

base::Result<Start> pretrain(Context& context, const StartInput& in) {
  if (in.request->with_shops.empty()) {
    return pretrain_on(context, in, *in.data);
  }
  features::Dataset all = *in.data;
  for (const auto& folder : in.request->with_shops) {
    BECKON_TRY_STATUS(add_shop(folder, in.split.as_of, all));
  }
  BECKON_TRY(Start start, pretrain_on(context, in, all));
  BECKON_TRY(auto own, model::Model::make(shape_of(context, *in.data), context.config.training.seed));
  // Own items come first in the common vocabulary.
  std::vector<std::int32_t> rows(own.tokens());
  std::iota(rows.begin(), rows.end(), 0);
  BECKON_TRY_STATUS(own.adopt(start.weights, rows));
  start.weights = std::move(own);
  return start;
}

// The pre-trained weights in our tokens. failed_precondition: of no use here, pre-train again.
base::Result<Start> go_on_from(Context& context, const StartInput& in, const std::string& path) {
  BECKON_TRY(const Pretrained pretrained, load_pretrained(*context.files, path));
  BECKON_TRY(auto weights, model::Model::make(shape_of(context, *in.data), context.config.training.seed));
  const auto rows = continued_rows(in.data->vocabulary, context.config.shop.name, pretrained);
  const auto adopted = weights.adopt(pretrained.weights, rows);
  if (!adopted.ok()) {
    return adopted.error().at(path);
  }
  const std::int64_t known = std::count_if(rows.begin() + 1, rows.end(), [](std::int32_t row) { return row > 0; });
  return Start{std::move(weights), pretrained.learned_until, pretrained.seconds, false, {},
               path.substr(path.rfind('/') + 1) + ", which has learned up to " + base::format_time(pretrained.learned_until) + " and knows " +
                   std::to_string(known) + " of " + std::to_string(rows.size() - 1) + " items"};
}

// Why the shop's own pre-training is not gone on from; empty when it is.
std::string unfit(const Start& start, const StartInput& in) {
  if (start.learned_until >= in.split.test_from) {
    return "the last pre-training has learned from steps that are the test today";
  }
  if (share_after(*in.data, start.learned_until) > kNewStepsMax) {
    return "more than 40 % of the steps are newer than the last pre-training";
  }
  return {};
}

}  // namespace

base::Result<Start> start_of(Context& context, const StartInput& in) {
  const TrainRequest& request = *in.request;
  if (!request.from.empty()) {
    return go_on_from(context, in, request.from);
  }
  std::string why = request.pretrain ? "asked for" : "the first training";
  if (!request.pretrain && !request.resume && context.files->exists(pretrained_path(context))) {
    auto start = go_on_from(context, in, pretrained_path(context));
    why = start.ok() ? unfit(*start, in) : start.error().message;
    if (why.empty()) {
      return start;
    }
  }
  BECKON_TRY(Start fresh, pretrain(context, in));
  fresh.why = why;
  return fresh;
}

base::Result<double> fine_tune(Context& context, const StartInput& in, model::Model& weights, const std::pair<base::Instant, base::Instant>& newer) {
  std::vector<model::Sequence> lessons;
  for (const auto& history : in.data->histories) {
    auto one = features::make_sequence(history, {newer.second, newer.second, in.horizon_ms, true});
    features::learn_after(newer.first, one);
    if (one.length() > one.learn_from) {
      lessons.push_back(std::move(one));
    }
  }
  model::TrainOptions options = model::fine_tune_options(context.config.training);
  options.worker_count = context.executor->worker_count();
  options.update = in.request->heads_only ? model::Update::kHeads : model::Update::kEverything;
  if (lessons.empty() || context.config.training.fine_tune_epochs == 0) {
    return 0.0;
  }
  base::Progress progress({"fine-tune", "epochs", options.epochs_max, context.progress()}, *context.clock);
  const base::SystemClock stopwatch;
  model::TrainHooks hooks;
  hooks.executor = context.executor.get();
  hooks.clock = &stopwatch;
  hooks.should_stop = [&] { return context.stop.load(); };
  hooks.on_epoch = [&](const model::EpochReport& epoch) { progress.update(epoch.epoch, "newest steps"); };
  BECKON_TRY(const auto report, model::train(weights, lessons, {}, options, hooks));
  if (report.cancelled) {
    return base::unavailable("interrupted while the newest steps were learned: beckon train starts from the pre-training again");
  }
  double seconds = 0;
  for (const auto& epoch : report.epochs) {
    seconds += epoch.seconds;
  }
  return seconds;
}

}  // namespace beckon::engine
