// Speed of training steps and of scoring, beside what the machine's matrix products reach. Quality: beckon evaluate sequences.
//
//   bench_model --tokens 12101 --width 64 --layers 2 --threads 2
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <iostream>

#include "beckon/base/rng.h"
#include "beckon/evaluate/machine.h"
#include "beckon/model/cost.h"
#include "beckon/model/train.h"

namespace {

using namespace beckon;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Histories of the lengths that shops have: most are short, a few are long.
std::vector<model::Sequence> histories(std::int32_t tokens, std::size_t count) {
  std::vector<model::Sequence> out(count);
  for (std::size_t i = 0; i < count; ++i) {
    base::Rng rng(1, i);
    const auto length = 3 + static_cast<std::size_t>(5 * rng.exponential());
    for (std::size_t k = 0; k < length; ++k) {
      out[i].token.push_back(1 + static_cast<std::int32_t>(rng.below(static_cast<std::uint64_t>(tokens) - 1)));
      out[i].target.push_back(1 + static_cast<std::int32_t>(rng.below(static_cast<std::uint64_t>(tokens) - 1)));
    }
  }
  return out;
}

int run(const model::ModelOptions& options, const model::TrainOptions& training, std::size_t count) {
  base::ThreadExecutor executor(training.worker_count);
  const base::SystemClock clock;
  auto made = model::Model::make(options, training.seed);
  if (!made.ok()) {
    std::cerr << "bench_model: " << made.error().message << "\n";
    return 2;
  }
  const auto width = static_cast<std::size_t>(options.width);
  const double square = evaluate::sgemm_gflops(executor, 512, 512, 512);
  std::printf("%zu weights; sgemm on %zu threads: %.0f GFLOP/s (512 x 512 x 512), %.0f (128 x 1024 x %zu)\n", made->weights().size(),
              training.worker_count, square, evaluate::sgemm_gflops(executor, 128, 1024, width), width);
  model::TrainHooks hooks;
  hooks.executor = &executor;
  hooks.clock = &clock;
  hooks.on_epoch = [&](const model::EpochReport& e) {
    const double gflops = model::flops_per_position(options) * e.positions_per_second / 1e9;
    std::printf("epoch %d  loss %.4f  %.0f positions/s = %.0f GFLOP/s, %.0f %% of sgemm  %.2f ms a step\n", e.epoch, e.train_loss,
                e.positions_per_second, gflops, 100 * gflops / square,
                1e3 * static_cast<double>(e.positions) / e.positions_per_second / static_cast<double>(e.steps));
    std::fflush(stdout);
  };
  const auto data = histories(options.tokens, count);
  const auto report = model::train(*made, data, {}, training, hooks);
  if (!report.ok()) {
    std::cerr << "bench_model: " << report.error().message << "\n";
    return 1;
  }
  const auto start = std::chrono::steady_clock::now();
  const auto vectors = made->encode(data, executor);
  std::printf("encode: %.0f histories/s; peak memory %.0f MiB\n", static_cast<double>(vectors.size() / width) / seconds_since(start),
              evaluate::peak_rss_mb());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("next-token model: speed");
  model::ModelOptions options;
  options.tokens = 12'101;
  model::TrainOptions training;
  training.worker_count = 2;
  training.epochs_max = 3;
  std::size_t count = 20'000;
  bool sampled = false;
  app.add_option("--tokens", options.tokens);
  app.add_option("--histories", count);
  app.add_option("--width", options.width);
  app.add_option("--layers", options.layers);
  app.add_option("--attention-heads", options.attention_heads);
  app.add_option("--feed-forward", options.feed_forward_width);
  app.add_option("--length-max", options.length_max);
  app.add_option("--dropout", options.dropout);
  app.add_option("--negatives", options.negatives);
  app.add_flag("--sampled", sampled, "sampled softmax, whatever the number of tokens");
  app.add_option("--epochs", training.epochs_max);
  app.add_option("--batch", training.batch_positions);
  app.add_option("--threads", training.worker_count);
  CLI11_PARSE(app, argc, argv);
  options.loss = sampled ? model::LossKind::kSampledSoftmax : model::LossKind::kAuto;
  return run(options, training, count);
}
