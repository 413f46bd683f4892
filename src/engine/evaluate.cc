#include "beckon/engine/evaluate.h"

#include <algorithm>
#include <thread>

#include "beckon/evaluate/tensorboard.h"
#include "beckon/model/config.h"
#include "beckon/model/onnx.h"
#include "pages.h"
#include "scoring.h"
#include "sequence_file.h"
#include "text_encoder.h"

namespace beckon::engine {
namespace {

constexpr std::size_t kRejectsListed = 20;

struct Setup {
  evaluate::RunOptions run;
  std::unique_ptr<base::Executor> executor;
};

// [model] and [train] of a file of their own.
base::Status read_config(const std::string& path, const base::FileSystem& files, evaluate::RunOptions& run) {
  BECKON_TRY(const std::string text, files.read(path));
  BECKON_TRY(base::TomlTable root, base::TomlTable::parse(text, path));
  run.model = model::read_model_options(root.table("model"), run.model);
  run.features = features::read_feature_options(root.table("model"), run.features);
  run.training = model::read_train_options(root.table("train"), run.training);
  return root.finish();
}

base::Result<Setup> set_up(const EvaluateRequest& request, const base::FileSystem& files, const Config* shop) {
  Setup setup;
  evaluate::RunOptions& run = setup.run;
  if (shop != nullptr) {
    run.model = shop->model;
    run.features = shop->features;
    run.training = shop->evaluation;
    run.horizon_ms = shop->shop.train.horizon_days * base::kDayMs;
  }
  if (!request.config_file.empty()) {
    BECKON_TRY_STATUS(read_config(request.config_file, files, run));
  }
  BECKON_TRY(run.split.protocol, evaluate::parse_protocol(request.protocol));
  const bool leave_one_out = run.split.protocol == evaluate::Protocol::kLeaveOneOut;
  run.split.filter_seen = request.repeats == "filter" || (request.repeats.empty() && leave_one_out);
  if (!request.split_time.empty()) {
    const base::Zone zone = shop == nullptr ? base::Zone::utc() : shop->shop.default_market().time_zone();
    BECKON_TRY(run.split.split_at, base::parse_time(request.split_time, zone));
  }
  if (request.epochs > 0) {
    run.training.epochs_max = static_cast<int>(request.epochs);
  }
  const auto cores = std::max(1U, std::thread::hardware_concurrency());
  run.training.worker_count = request.threads > 0 ? static_cast<std::size_t>(request.threads) : cores;
  run.training.resume = request.resume;
  run.seeds = request.seeds;
  run.folder = request.out;
  run.split_folder = request.split;
  setup.executor = std::make_unique<base::ThreadExecutor>(run.training.worker_count);
  return setup;
}

base::Result<base::Json> run(evaluate::Data& data, const EvaluateRequest& request, const std::atomic<bool>& stop, Setup& setup) {
  base::PosixFileSystem files;
  const base::SystemClock clock;
  evaluate::Environment environment;
  environment.executor = setup.executor.get();
  environment.clock = &clock;
  environment.files = &files;
  environment.progress = request.quiet ? base::ProgressMode::kQuiet : base::ProgressMode::kAuto;
  environment.stop = &stop;
  std::map<std::uint64_t, evaluate::TensorBoardLog> logs;  // a folder a seed, opened with its first epoch
  if (!request.tensorboard.empty()) {
    environment.on_epoch = [&](std::uint64_t seed, const model::EpochReport& epoch) -> base::Status {
      auto log = logs.find(seed);
      if (log == logs.end()) {
        BECKON_TRY(auto opened, evaluate::TensorBoardLog::open(files, request.tensorboard + "/seed-" + std::to_string(seed), clock));
        log = logs.emplace(seed, std::move(opened)).first;
      }
      return log->second.epoch(epoch);
    };
  }
  return evaluate::evaluate(data, setup.run, environment);
}

// The network of the first seed, from the checkpoint that its run left.
base::Status write_onnx(const EvaluateRequest& request, base::FileSystem& files) {
  BECKON_TRY(const auto network, model::Model::load(files, request.out + "/seed-" + std::to_string(request.seeds.front()) + ".safetensors"));
  BECKON_TRY(const std::string onnx, model::to_onnx(network));
  return files.write_atomic(request.onnx, onnx);
}

base::Result<base::Json> write_report(base::Json report, const EvaluateRequest& request) {
  base::PosixFileSystem files;
  BECKON_TRY_STATUS(files.make_dirs(request.out));
  const report::Page page = evaluation_page(report);
  BECKON_TRY_STATUS(files.write_atomic(request.out + "/report.json", base::to_pretty(report) + "\n"));
  BECKON_TRY_STATUS(files.write_atomic(request.out + "/report.html", report::to_html(page)));
  if (!request.onnx.empty()) {
    BECKON_TRY_STATUS(write_onnx(request, files));
  }
  report["files"] = {request.out + "/report.json", request.out + "/report.html"};
  report["text"] = report::to_terminal(page);
  if (!report.contains("exit")) {
    report["exit"] = 0;
  }
  return report;
}

}  // namespace

base::Result<base::Json> evaluate_file(const std::string& file, const EvaluateRequest& request, const std::atomic<bool>& stop) {
  const base::PosixFileSystem files;
  BECKON_TRY(auto setup, set_up(request, files, nullptr));
  if (setup.run.split.protocol != evaluate::Protocol::kLeaveOneOut) {
    return base::invalid_argument(file + " holds the order of the items and no times, which " + request.protocol +
                                  " needs: choose --protocol loo, or --shop with the events");
  }
  BECKON_TRY(auto sequences, read_sequences(file));
  BECKON_TRY(base::Json report, run(sequences.data, request, stop, setup));
  report["config"]["data"] = file.substr(file.rfind('/') + 1);
  base::Json listed = base::Json::array();
  for (std::size_t i = 0; i < sequences.rejected.size() && i < kRejectsListed; ++i) {
    listed.push_back({{"line", sequences.rejected[i].line}, {"reason", sequences.rejected[i].reason}});
  }
  report["rejected"] = {{"count", static_cast<std::int64_t>(sequences.rejected.size())}, {"lines", std::move(listed)}};
  BECKON_TRY(base::Json answer, write_report(std::move(report), request));
  answer["exit"] = sequences.rejected.empty() ? 0 : 5;
  return answer;
}

base::Result<base::Json> evaluate_shop(Context& context, const EvaluateRequest& request) {
  BECKON_TRY(auto setup, set_up(request, *context.files, &context.config));
  BECKON_TRY(const auto items, store::Shelf(*context.rows).items());
  features::DatasetOptions options;
  options.as_of = context.clock->now();
  options.items_max = std::numeric_limits<std::int32_t>::max() - 1;
  options.item_events_min = 1;
  options.services = context.config.shop.services;
  options.orders = true;
  options.as_recorded = true;
  evaluate::Data data;
  data.timed = true;
  Config config = context.config;
  config.features = setup.run.features;
  const features::ItemFacts facts = facts_of(config, items);
  BECKON_TRY(data.set, features::build_dataset(*context.rows, facts, options));
  data.texts = features::texts_of(items, facts, context.config.shop.default_market().language);
  BECKON_TRY(base::Json texts, encode_texts(context, config.features, data.texts));
  BECKON_TRY(base::Json report, run(data, request, context.stop, setup));
  report["config"]["data"] = context.config.shop.name;
  report["config"]["texts"] = std::move(texts);
  report["config"]["as_of"] = base::format_time(options.as_of);
  return write_report(std::move(report), request);
}

}  // namespace beckon::engine
