#include "pretrain.h"

#include <algorithm>
#include <numeric>

#include "beckon/engine/holder.h"
#include "beckon/evaluate/evaluate.h"
#include "beckon/evaluate/tensorboard.h"
#include "beckon/model/cost.h"

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
    if (!held_out.target.empty() && held_out.target.back() > 0) {  // none when the two cuts are the same day
      sets.validation.push_back(std::move(held_out));
    }
  }
  features::forget_new_items(data.vocabulary.warm_size(), sets.train);
  features::forget_new_items(data.vocabulary.warm_size(), sets.validation);
  return sets;
}

model::TrainOptions train_options(const Context& context, const TrainRequest& request, std::size_t steps) {
  model::TrainOptions options = context.config.training;
  options.worker_count = context.executor->worker_count();
  options.checkpoint_path = checkpoint_path(context);
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
  BECKON_TRY_STATUS(evaluate::enough_memory(weights.options(), options, model::training_bytes(weights.options(), options)));
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
  shape.tokens = data.vocabulary.warm_size();
  shape.side_sizes = features::side_sizes(data.words);
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

model::Model fresh_network(const Context& context, const features::Dataset& data) {
  auto made = model::Model::make(shape_of(context, data), context.config.training.seed);
  BECKON_CHECK(made.ok());  // load_config and the vocabulary's limits have seen to it
  return std::move(made).value();
}

// Customers and items of another shop behind our own. Its people have other pseudonyms, its items names of their own; rare and new
// items of both stay out.
base::Status add_shop(const std::string& folder, base::Instant as_of, features::Dataset& all) {
  OpenOptions open;
  open.folder = folder;
  open.command = "beckon train --with-shop";
  open.quiet = true;
  BECKON_TRY(const auto other, open_shop(open));
  BECKON_TRY(const Material material, material_of(*other, as_of, &all.words, NewWords::kUnknown));
  const features::Vocabulary& theirs = material.data.vocabulary;
  std::vector<std::string> items(all.vocabulary.items().begin() + 1, all.vocabulary.items().begin() + all.vocabulary.warm_size());
  const auto offset = static_cast<std::int32_t>(items.size());
  for (std::int32_t t = 1; t < theirs.warm_size(); ++t) {
    items.push_back(foreign_item(other->config.shop.name, theirs.item(t)));
  }
  all.vocabulary = features::Vocabulary(std::move(items));
  for (auto history : material.data.histories) {
    for (auto& step : history.steps) {
      step.token = step.token == 0 || step.token >= theirs.warm_size() ? 0 : step.token + offset;
    }
    all.histories.push_back(std::move(history));
  }
  all.steps += material.data.steps;
  return base::ok_status();
}

features::Dataset without_new_items(features::Dataset data) {
  const std::int32_t warm = data.vocabulary.warm_size();
  for (auto& history : data.histories) {
    for (auto& step : history.steps) {
      step.token = step.token >= warm ? 0 : step.token;
    }
  }
  const auto& items = data.vocabulary.items();
  data.vocabulary = features::Vocabulary({items.begin() + 1, items.begin() + warm});
  return data;
}

// `weights` in the tokens of `all`, not trained yet.
base::Result<Start> pretrain_on(Context& context, const StartInput& in, const features::Dataset& all, model::Model weights) {
  const Sets sets = make_sets(all, in.split, in.horizon_ms);
  BECKON_TRY_STATUS(context.files->make_dirs(context.path("model")));
  Start start{std::move(weights), in.split.validation_from, 0, true, {}, {}};
  BECKON_TRY(start.report, run_training(context, start.weights, sets, *in.request));
  if (start.report.cancelled) {
    return base::unavailable("training was interrupted: beckon train --resume goes on from the last epoch");
  }
  for (const auto& epoch : start.report.epochs) {
    start.pretraining_seconds += epoch.seconds;
  }
  const auto& items = all.vocabulary.items();
  BECKON_TRY_STATUS(save_pretrained(context, {start.weights, {items.begin(), items.begin() + all.vocabulary.warm_size()}, all.words,
                                              context.config.shop.name, start.learned_until, start.pretraining_seconds}));
  for (const std::string& path : {checkpoint_path(context) + ".state", checkpoint_path(context)}) {
    if (context.files->exists(path)) {
      BECKON_TRY_STATUS(context.files->remove(path));  // kept above; --resume is for what was interrupted
    }
  }
  return start;
}

}  // namespace

std::string checkpoint_path(const Context& context) { return context.path("model/checkpoint.safetensors"); }

base::Result<Material> material_of(const Context& context, base::Instant as_of, const features::ItemWords* words, NewWords new_words) {
  const catalog::Shop& shop = context.config.shop;
  BECKON_TRY(const auto items, store::Shelf(*context.rows).items());
  const features::ItemFacts facts = facts_of(context.config, items, words, new_words);
  BECKON_TRY(ItemTextSteps texts, ItemTextSteps::make(context, items, facts));
  Material out{{}, std::move(texts), {}, facts};
  features::DatasetOptions options;
  options.as_of = as_of;
  options.items_max = shop.train.items_max;
  options.services = shop.services;
  options.new_items = out.texts.wants_new_items();
  BECKON_TRY(out.data, features::build_dataset(*context.rows, facts, options));
  out.texts.see(out.data.vocabulary);
  BECKON_TRY(out.messages, sent_messages(context, out.data));
  return out;
}

base::Result<Start> pretrain(Context& context, const StartInput& in) {
  model::Model own = fresh_network(context, in.data());
  in.material->texts.start(own);
  if (in.request->with_shops.empty()) {
    return pretrain_on(context, in, in.data(), std::move(own));
  }
  features::Dataset all = without_new_items(in.data());
  for (const auto& folder : in.request->with_shops) {
    BECKON_TRY_STATUS(add_shop(folder, in.split.as_of, all));
  }
  // Own items come first in the common vocabulary.
  std::vector<std::int32_t> rows(own.tokens());
  std::iota(rows.begin(), rows.end(), 0);
  std::vector<std::int32_t> common(static_cast<std::size_t>(all.vocabulary.size()), 0);
  std::ranges::copy(rows, common.begin());
  model::Model together = fresh_network(context, all);
  BECKON_TRY_STATUS(together.adopt(own, common));
  BECKON_TRY(Start start, pretrain_on(context, in, all, std::move(together)));
  BECKON_TRY_STATUS(own.adopt(start.weights, rows));
  start.weights = std::move(own);
  return start;
}

base::Result<Start> go_on_from(const Context& context, const StartInput& in, const Pretrained& pretrained) {
  model::Model weights = fresh_network(context, in.data());
  in.material->texts.start(weights);
  auto rows = continued_rows(in.data().vocabulary, context.config.shop.name, pretrained);
  rows.resize(weights.tokens());
  BECKON_TRY_STATUS(weights.adopt(pretrained.weights, rows));
  const std::int64_t known = std::count_if(rows.begin() + 1, rows.end(), [](std::int32_t row) { return row > 0; });
  return Start{std::move(weights), pretrained.learned_until, pretrained.seconds, false, {},
               "the pre-training up to " + base::format_time(pretrained.learned_until) + ", which knows " + std::to_string(known) + " of " +
                   std::to_string(rows.size() - 1) + " items"};
}

std::string outdated(const Start& start, const StartInput& in) {
  if (start.learned_until >= in.split.test_from) {
    return "the last pre-training has learned from steps that are the test today";
  }
  if (share_after(in.data(), start.learned_until) > kNewStepsMax) {
    return "more than 40 % of the steps are newer than the last pre-training";
  }
  return {};
}

std::vector<model::Sequence> sequences_until(const StartInput& in, base::Instant until) {
  std::vector<model::Sequence> out;
  for (const auto& history : in.data().histories) {
    out.push_back(features::make_sequence(history, {until, until, in.horizon_ms, true}));
  }
  features::forget_new_items(in.data().vocabulary.warm_size(), out);
  return out;
}

base::Result<std::optional<double>> fine_tune(Context& context, const StartInput& in, model::Model& weights, const std::pair<base::Instant, base::Instant>& newer) {
  auto lessons = sequences_until(in, newer.second);
  for (auto& one : lessons) {
    features::learn_after(newer.first, one);
  }
  std::erase_if(lessons, [](const model::Sequence& one) { return !model::teaches(one); });
  model::TrainOptions options = model::fine_tune_options(context.config.training);
  options.worker_count = context.executor->worker_count();
  options.update = in.request->heads_only ? model::Update::kHeads : model::Update::kEverything;
  if (lessons.empty() || context.config.training.fine_tune_epochs == 0) {
    return std::optional<double>();
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
  return std::optional<double>(seconds);
}

}  // namespace beckon::engine
