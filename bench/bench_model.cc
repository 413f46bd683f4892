// Quality and speed of the next-token model on a file of sequences: one user a line, "user item item …", oldest first.
// Leave one out: the last item is the test, the last but one the validation, training sees what is before. The whole
// catalogue is ranked, items of the history are left out, ties count against us.
//
//   zcat Beauty.txt.gz > beauty.txt && bench_model --data beauty.txt --threads 2
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <sstream>

#include "beckon/evaluate/machine.h"
#include "beckon/model/cost.h"
#include "beckon/model/ranking.h"
#include "beckon/model/train.h"
#include "beckon/tensor/tensor.h"

namespace {

using namespace beckon;

struct Data {
  std::int32_t tokens = 1;
  std::vector<model::Sequence> train, validation, test;
};

model::Sequence history(const std::vector<std::int32_t>& items, std::size_t length, bool every_target) {
  model::Sequence out;
  out.token.assign(items.begin(), items.begin() + static_cast<std::ptrdiff_t>(length));
  out.target.assign(length, 0);
  for (std::size_t i = 0; i < length; ++i) {
    out.target[i] = every_target || i + 1 == length ? items[i + 1] : 0;
  }
  return out;
}

Data read(const std::string& path) {
  Data data;
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::int32_t item = 0;
    words >> item;  // the user
    std::vector<std::int32_t> items;
    while (words >> item) {
      items.push_back(item);
      data.tokens = std::max(data.tokens, item + 1);
    }
    if (items.size() < 3) {
      continue;
    }
    if (items.size() > 3) {
      data.train.push_back(history(items, items.size() - 3, true));
    }
    data.validation.push_back(history(items, items.size() - 2, false));
    data.test.push_back(history(items, items.size() - 1, false));
  }
  return data;
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Of all threads: on a shared machine steadier than the wall clock.
double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec); };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void print_quality(const char* what, const model::Evaluation& e) {
  std::printf("%s: HR@10 %.4f  NDCG@10 %.4f  MRR@10 %.4f  (%zu users)\n", what, e.hit, e.ndcg, e.mrr, e.count);
}

struct Words {
  std::string path, arch = "ligr", loss = "auto", precision = "auto", save;
  bool opponents_block = false;
  double stop_at = 0;
};

int run(const Words& words, const model::ModelOptions& asked, const model::TrainOptions& training) {
  const Data data = read(words.path);
  if (data.train.empty()) {
    std::cerr << "bench_model: no sequence of four items or more in " << words.path << "\n";
    return 3;
  }
  base::ThreadExecutor executor(training.worker_count);
  const base::SystemClock clock;
  model::ModelOptions options = asked;
  options.tokens = data.tokens;
  auto made = model::Model::make(options, training.seed);
  if (!made.ok()) {
    std::cerr << made.error().message << "\n";
    return 2;
  }
  auto& net = *made;
  const auto width = static_cast<std::size_t>(options.width);
  const double square = evaluate::gemm_gflops(executor, {512, 512, 512, tensor::Precision::kFp32});
  std::printf("%zu users, %d tokens, %zu weights; %zu threads: %.0f GFLOP/s fp32, %.0f bf16 (512 x 512 x 512), %.0f, %.0f (128 x 1024 x %zu)\n",
              data.test.size(), data.tokens, net.weights().size(), training.worker_count, square,
              evaluate::gemm_gflops(executor, {512, 512, 512, tensor::Precision::kBf16}),
              evaluate::gemm_gflops(executor, {128, 1024, width, tensor::Precision::kFp32}),
              evaluate::gemm_gflops(executor, {128, 1024, width, tensor::Precision::kBf16}), width);
  model::TrainHooks hooks;
  hooks.executor = &executor;
  hooks.clock = &clock;
  double spent = 0;
  double cpu_start = 0;
  double cpu_end = 0;
  hooks.on_step = [&](const model::TrainProgress& p) { (p.step == 1 ? cpu_start : cpu_end) = cpu_seconds(); };
  bool reached = false;
  hooks.should_stop = [&] { return reached; };
  hooks.on_epoch = [&](const model::EpochReport& e) {
    reached = words.stop_at > 0 && e.validation_ndcg10 >= words.stop_at;
    const double rate = model::flops_per_position(options) * e.positions_per_second / 1e9;
    spent += static_cast<double>(e.positions) / e.positions_per_second;
    std::printf("epoch %3d  loss %.4f  validation %.4f/%.4f  %.0f tokens/s (%.0f a core-second) = %.0f GFLOP/s, %.0f %% of sgemm  "
                "training %.2f s\n",
                e.epoch, e.train_loss, e.validation_hit10, e.validation_ndcg10, e.positions_per_second,
                static_cast<double>(e.positions) / (cpu_end - cpu_start), rate,
                100 * rate / square, spent);
    std::fflush(stdout);
  };
  const auto start = std::chrono::steady_clock::now();
  const auto report = model::train(net, data.train, data.validation, training, hooks);
  if (!report.ok()) {
    std::cerr << report.error().message << "\n";
    return 1;
  }
  std::printf("trained %.1f s with validation, best epoch %d, peak memory %.0f MB\n", seconds_since(start), report->best_epoch,
              evaluate::peak_rss_mb());
  print_quality("validation", model::evaluate(net, data.validation, {10, true, 0}, executor));
  const auto encode_start = std::chrono::steady_clock::now();
  const auto vectors = net.encode(data.test, executor);
  std::printf("encode: %.0f histories/s\n", static_cast<double>(vectors.size() / width) / seconds_since(encode_start));
  print_quality("test", model::evaluate(net, data.test, {10, true, 0}, executor));
  base::PosixFileSystem files;
  if (const auto saved = words.save.empty() ? base::ok_status() : net.save(files, words.save); !saved.ok()) {
    std::cerr << saved.error().message << "\n";
    return 1;
  }
  return 0;
}

int start(const Words& words, model::ModelOptions options, model::TrainOptions training) {
  const auto arch = model::arch_from(words.arch);
  const auto loss = model::loss_from(words.loss);
  const auto precision = model::precision_from(words.precision);
  if (!arch.ok() || !loss.ok() || !precision.ok()) {
    std::cerr << (!arch.ok() ? arch.error() : !loss.ok() ? loss.error() : precision.error()).message << "\n";
    return 2;
  }
  options.arch = *arch;
  options.loss = *loss;
  training.precision = *precision;
  if (words.opponents_block) {
    options.feed_forward_width = options.arch == model::Arch::kLigr ? 4 * options.width : 0;
    options.feed_forward_bias = true;
    options.positions = options.arch == model::Arch::kLigr ? model::Positions::kAbsolute : model::Positions::kAuto;
    options.time_bias = false;
    options.token_bias = false;
    options.memory = false;
  }
  return run(words, options, training);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("next-token model: quality and speed");
  Words words;
  model::ModelOptions options;
  model::TrainOptions training;
  training.validation_exclude_seen = true;
  training.worker_count = 2;
  app.add_option("--data", words.path, "text file of sequences")->required();
  app.add_option("--arch", words.arch, "ligr, sasrec, rnn, gru, lstm");
  app.add_option("--loss", words.loss, "auto, full, sampled, gbce, bce");
  app.add_option("--precision", words.precision, "auto, fp32, bf16");
  app.add_flag("--opponents-block", words.opponents_block, "the PyTorch opponent's shape: absolute positions, biases, 4 x width inside");
  app.add_option("--stop-at", words.stop_at, "stop when validation NDCG@10 has reached this");
  app.add_option("--save", words.save, "write the model to this file");
  app.add_option("--width", options.width);
  app.add_option("--layers", options.layers);
  app.add_option("--attention-heads", options.attention_heads);
  app.add_option("--feed-forward", options.feed_forward_width);
  app.add_option("--length-max", options.length_max);
  app.add_option("--dropout", options.dropout);
  app.add_option("--negatives", options.negatives);
  app.add_option("--memory-dropout", options.memory_dropout);
  app.add_flag("--memory,!--no-memory", options.memory, "counts of what followed inside the logits");
  app.add_option("--epochs", training.epochs_max);
  app.add_option("--patience", training.patience);
  app.add_option("--batch", training.batch_positions);
  app.add_option("--rate", training.learning_rate);
  app.add_option("--averaging", training.averaging, "exponential average of the weights; 0: none");
  app.add_option("--negative-power", training.negative_power);
  app.add_option("--seed", training.seed);
  app.add_option("--threads", training.worker_count);
  CLI11_PARSE(app, argc, argv);
  return start(words, options, training);
}
