// Serving speed: exact top-K for one customer, whole populations from stored vectors, one more event, and what the codes alone would
// lose; beside it the parts of a training step. Made-up tables and histories: speed does not depend on what was learned, the recall
// of codes hardly does. Each line is measured for about --seconds; `best` is what the machine can do, `median` what it did.
//
//   bench_predictor                          everything
//   bench_predictor --only top-k,step        some sections: top-k, population, step, codes, kernels
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <sstream>

#include "beckon/base/progress.h"
#include "beckon/model/population.h"
#include "beckon/model/predictor.h"
#include "beckon/model/train.h"
#include "step.h"

namespace {

using namespace beckon;

struct Settings {
  std::vector<std::string> only;
  std::string model, data;
  std::int32_t tokens = 1'000'000, width = 128, items = 50'000, population_width = 64;
  std::size_t k = 50, customers = 20'000, threads = 2;
  double seconds = 2;
};

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double cpu_of(clockid_t clock) {
  timespec t{};
  clock_gettime(clock, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

// Of all our threads: on a shared machine steadier than the wall clock.
double own_cpu() { return cpu_of(CLOCK_PROCESS_CPUTIME_ID); }

struct Timing {
  double best = 0, median = 0, cpu = 0;  // seconds a call; cpu: median of the time of all our threads
};

template <class Work>
Timing measure(double seconds, const Work& work) {
  std::vector<double> wall, cpu;
  work();
  for (const double until = now() + seconds; wall.size() < 5 || now() < until;) {
    const double cpu_before = own_cpu();
    const double before = now();
    work();
    wall.push_back(now() - before);
    cpu.push_back(own_cpu() - cpu_before);
  }
  std::ranges::sort(wall);
  std::ranges::sort(cpu);
  return {wall[0], wall[wall.size() / 2], cpu[cpu.size() / 2]};
}

void head(const char* section) { std::printf("\n%-62s %10s %10s %10s  %s\n", section, "best", "median", "own CPU", "wanted"); }

void line(const std::string& what, const Timing& t, const char* wanted = "") {
  std::printf("%-62s %7.3f ms %7.3f ms %7.3f ms  %s\n", what.c_str(), 1e3 * t.best, 1e3 * t.median, 1e3 * t.cpu, wanted);
  std::fflush(stdout);
}

void rate_line(const std::string& what, const Timing& t, double per_call, const char* unit, const char* wanted = "") {
  std::printf("%-62s %10.0f %10.0f %10.0f  %s, %s\n", what.c_str(), per_call / t.best, per_call / t.median, per_call / t.cpu, unit, wanted);
  std::fflush(stdout);
}

std::string thousands(std::int64_t value) { return base::with_thousands(value); }

// Rows of different lengths, as after training.
model::Model made_up_model(std::int32_t tokens, std::int32_t width) {
  model::ModelOptions options;
  options.tokens = tokens;
  options.width = width;
  options.memory = false;
  auto net = model::Model::make(options, 1).value();
  base::Rng rng(2);
  const auto table = net.weights().subspan(net.layout().token.offset, net.layout().token.size());
  const auto bias = net.weights().subspan(net.layout().token_bias.offset, net.tokens());
  for (std::size_t t = 0; t < net.tokens(); ++t) {
    const auto size = static_cast<float>(5 * std::exp(.3 * rng.normal()));
    for (float& value : table.subspan(t * net.width(), net.width())) {
      value *= size;
    }
    bias[t] = static_cast<float>(.3 * rng.normal());
  }
  return net;
}

std::vector<float> noise(std::size_t count, std::uint64_t seed) {
  base::Rng rng(seed);
  std::vector<float> out(count);
  for (float& value : out) {
    value = static_cast<float>(rng.normal());
  }
  return out;
}

void bench_top_k(const Settings& s) {
  head("exact top-K for one customer, one thread");
  const auto net = made_up_model(s.tokens, s.width);
  const auto vectors = noise(16 * net.width(), 3);
  const std::string what = "top " + std::to_string(s.k) + " of " + thousands(s.tokens) + " x " + std::to_string(s.width);
  std::vector<model::TopK> first;
  for (const auto& [codes, name] : {std::pair{model::Codes::kFourBits, ", screened by 4 bits"}, std::pair{model::Codes::kEightBits, ", screened by 8 bits"},
                                    std::pair{model::Codes::kBf16, ", bf16 products"}, std::pair{model::Codes::kNone, ", fp32 products"}}) {
    const model::TokenTable table(net, codes);
    std::size_t call = 0;
    const auto query = [&](std::size_t i) { return model::TopKQuery{std::span(vectors).subspan(i * net.width(), net.width()), s.k}; };
    line(what + name, measure(s.seconds, [&] { table.top_k(query(call++ % 16)); }), codes == model::Codes::kFourBits ? "<= 10 ms, better 5" : "");
    std::size_t same = 0;
    for (std::size_t i = 0; i < 16; ++i) {
      const auto found = table.top_k(query(i));
      same += first.size() == 16 && found == first[i] ? 1 : 0;
      if (first.size() < 16) {
        first.push_back(found);
      }
    }
    if (codes != model::Codes::kFourBits) {
      std::printf("  the same bits as with 4 bits: %zu of 16 customers\n", same);
    }
  }
}

void bench_population(const Settings& s) {
  head("whole population from stored bf16 vectors (own CPU: a core)");
  const auto net = made_up_model(s.items + 1, s.population_width);
  const auto packed = model::pack_vectors(noise(s.customers * net.width(), 4));
  base::ThreadExecutor executor(s.threads);
  const std::string with = ", " + std::to_string(s.threads) + " threads";
  const auto customers = static_cast<double>(s.customers);
  const model::TokenTable table(net, model::Codes::kBf16);
  rate_line("top " + std::to_string(s.k) + " of " + thousands(s.items) + " x " + std::to_string(s.population_width) + with,
            measure(s.seconds, [&] { score_population(table, packed, {s.k, {}}, executor, [](std::size_t, const model::TopK&) {}); }), customers,
            "customers/s", ">= 5,000");
  std::vector<std::int32_t> tokens(std::min<std::size_t>(1000, net.tokens() - 1));
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    tokens[i] = static_cast<std::int32_t>(1 + i);
  }
  const model::ActionBank bank(net, tokens);
  rate_line("all logits of a bank of 1,000" + with,
            measure(s.seconds, [&] { bank.score(packed, executor, [](std::size_t, std::span<const float>) {}); }), customers, "customers/s", ">= 40,000");
  rate_line("top " + std::to_string(s.k) + " of a bank of 1,000" + with,
            measure(s.seconds, [&] { bank.top_k(packed, s.k, executor, [](std::size_t, const model::TopK&) {}); }), customers, "customers/s", ">= 40,000");
}

// Of the first customers of a file "user item item ..." that the network knows all items of.
std::vector<float> encoded(const model::Model& net, const std::string& path, std::size_t count) {
  std::vector<model::Sequence> histories;
  std::ifstream file(path);
  for (std::string line; histories.size() < count && std::getline(file, line);) {
    std::istringstream words(line);
    std::int32_t token = 0;
    words >> token;  // the user
    model::Sequence history;
    while (words >> token) {
      history.token.push_back(token);
    }
    if (net.check(history, histories.size()).ok()) {
      histories.push_back(std::move(history));
    }
  }
  base::SeededExecutor executor(1);
  return net.encode(histories, executor);
}

void bench_codes(const Settings& s) {
  base::PosixFileSystem files;
  const auto loaded = s.model.empty() ? base::Result<model::Model>(made_up_model(s.items + 1, s.population_width)) : model::Model::load(files, s.model);
  if (!loaded.ok()) {
    std::printf("%s\n", loaded.error().message.c_str());
    return;
  }
  const auto& net = *loaded;
  const auto vectors = s.data.empty() ? noise(200 * net.width(), 5) : encoded(net, s.data, 200);
  const std::size_t customers = vectors.size() / net.width();
  std::printf("\nwhat codes alone would lose of lists from %zu x %zu, %zu customers: share of the exact list that they find\n", net.tokens(), net.width(),
              customers);
  for (const auto& [codes, name] : {std::pair{model::Codes::kEightBits, "8 bits"}, std::pair{model::Codes::kFourBits, "4 bits"}}) {
    const model::TokenTable table(net, codes);
    for (const std::size_t k : {std::size_t{10}, std::size_t{50}}) {
      std::array<double, 2> found{};
      for (std::size_t i = 0; i < customers; ++i) {
        const model::TopKQuery query{std::span(vectors).subspan(i * net.width(), net.width()), k};
        const auto exact = table.top_k(query);
        for (std::size_t way = 0; way < 2; ++way) {
          for (const auto& entry : table.approximate_top_k(query, way == 0 ? 1 : 4)) {
            found[way] += std::ranges::find(exact, entry.token, &model::TokenLogit::token) != exact.end() ? 1 : 0;
          }
        }
      }
      const auto of = static_cast<double>(customers * k);
      std::printf("%s, recall@%-3zu %.4f   with the 4 x %zu best ranked again in fp32 %.4f\n", name, k, found[0] / of, k, found[1] / of);
    }
  }
}

// One event an hour; each question at the time of the next event.
model::Sequence made_up_history(const model::ModelOptions& options, std::size_t length) {
  base::Rng rng(6);
  model::Sequence out;
  for (std::size_t i = 0; i < length; ++i) {
    out.token.push_back(static_cast<std::int32_t>(1 + rng.below(static_cast<std::uint64_t>(options.tokens - 1))));
    out.at_ms.push_back(1'700'000'000'000 + static_cast<std::int64_t>(i) * base::kHourMs);
    out.request_ms.push_back(out.at_ms.back() + base::kHourMs);
  }
  return out;
}

void bench_step(const Settings& s) {
  head("one more event of one customer, default network, 50 positions");
  for (const auto& [arch, name] : {std::pair{model::Arch::kLigr, "ligr"}, std::pair{model::Arch::kSasrec, "sasrec"}, std::pair{model::Arch::kRnn, "rnn"},
                                   std::pair{model::Arch::kGru, "gru"}, std::pair{model::Arch::kLstm, "lstm"}}) {
    model::ModelOptions options;
    options.arch = arch;
    options.tokens = 10'000;
    const auto net = model::Model::make(options, 1).value();
    const auto full = made_up_history(options, 50);
    model::Predictor predictor(net);
    // The event is the 50th: forgotten and told again, the 49 before it stay.
    auto before = full;
    before.token.pop_back();
    before.at_ms.pop_back();
    before.request_ms.pop_back();
    Timing step{1e9, 0, 0};
    std::vector<double> wall, cpu;
    for (const double until = now() + s.seconds; now() < until;) {
      predictor.forget("c");
      predictor.advance("c", before);
      const double cpu_start = own_cpu();
      const double start = now();
      predictor.append("c", std::vector<model::NewEvent>{{full.token[49], {}, full.at_ms[49]}}, full.request_ms[49]);
      wall.push_back(now() - start);
      cpu.push_back(own_cpu() - cpu_start);
    }
    std::ranges::sort(wall);
    std::ranges::sort(cpu);
    step = {wall[0], wall[wall.size() / 2], cpu[cpu.size() / 2]};
    line(std::string(name) + (arch == model::Arch::kSasrec ? ": one more event (a rebuild)" : ": one more event"), step, "<= 1 ms");
    line(std::string(name) + ": the whole window again", measure(s.seconds / 2, [&] {
           predictor.forget("c");
           predictor.advance("c", full);
         }), "<= 1 ms");
  }
}

void bench_gemm(const Settings& s) {
  for (const auto& [m, n, k] : {std::array<std::size_t, 3>{512, 512, 512}, std::array<std::size_t, 3>{128, 2048, 64}}) {
    const auto a = noise(m * k, 7);
    const auto b = noise(k * n, 8);
    tensor::Buffer c(m * n);
    for (const auto precision : {tensor::Precision::kFp32, tensor::Precision::kBf16}) {
      const auto t = measure(s.seconds / 4, [&] {
        tensor::gemm(tensor::view(a, m, k), tensor::view(b, k, n), tensor::mutable_view(c.span(), m, n), {tensor::Into::kOverwrite, precision});
      });
      char what[80];
      std::snprintf(what, sizeof what, "GEMM %zu x %zu x %zu, %s: %.0f GFLOP/s", m, n, k, precision == tensor::Precision::kFp32 ? "fp32" : "bf16",
                    2e-9 * static_cast<double>(m * n * k) / t.best);
      line(what, t);
    }
  }
}

void bench_attention(const Settings& s) {
  const tensor::AttentionShape shape{50, 64, 2, 50, 0};
  const auto qkv = noise(50 * 192, 9);
  const auto bias = noise(100, 10);
  tensor::Buffer probabilities(2 * 50 * 50), out(50 * 64), scratch(tensor::attention_scratch_size(shape)), dqkv(50 * 192), dbias(100);
  line("attention, 50 positions, width 64, 2 heads: forward", measure(s.seconds / 4, [&] {
         tensor::attention_forward({shape, qkv, bias, probabilities.span(), out.span(), scratch.span(), 0, {}, {}});
       }));
  line("the same: backward", measure(s.seconds / 4, [&] {
         tensor::attention_backward({shape, qkv, probabilities.span(), out.span(), dqkv.span(), dbias.span(), scratch.span(), {}, {}});
       }));
}

void bench_training(const Settings& s) {
  model::ModelOptions options;
  options.tokens = 12'000;
  options.memory = false;
  options.loss = model::LossKind::kFullSoftmax;
  auto net = model::Model::make(options, 1).value();
  std::vector<float> gradients(net.weights().size());
  model::inner::PackedBatch batch;
  for (std::size_t i = 0; i < 20; ++i) {
    auto history = made_up_history(options, 50);
    std::ranges::rotate(history.token, history.token.begin() + static_cast<std::ptrdiff_t>(i));
    history.target = history.token;
    model::inner::append(options, history, {i, 0, 50}, batch);
  }
  const auto plan = model::inner::plan_loss(options, {&batch, 1});
  const auto vectors = noise(1000 * net.width(), 11);
  std::vector<float> dvectors(vectors.size());
  for (const auto precision : {tensor::Precision::kFp32, tensor::Precision::kBf16}) {
    const std::string how = precision == tensor::Precision::kFp32 ? ", fp32" : ", bf16";
    auto network = model::inner::network_of(net);
    network.precision = precision;
    model::inner::LossScratch scratch;
    line("fused cross-entropy, 1,000 positions, 12,000 tokens" + how, measure(s.seconds / 2, [&] {
           softmax_loss({network, vectors, batch.target, 1e-3F, nullptr, {}}, scratch, {dvectors, gradients});
         }));
    model::inner::StepWork work;
    line("loss and gradient of a step, 1,000 positions, default network" + how, measure(s.seconds / 2, [&] {
           loss_and_gradient({network, &batch, &plan, nullptr}, work, gradients);
         }));
  }
}

void bench_kernels(const Settings& s) {
  head("parts of a training step, one thread");
  bench_gemm(s);
  bench_attention(s);
  bench_training(s);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("serving: speed of answers, and of the parts of training");
  Settings s;
  app.add_option("--only", s.only, "sections: top-k, population, step, codes, kernels")->delimiter(',')->check(CLI::IsMember({"top-k", "population", "step", "codes", "kernels"}));
  app.add_option("--model", s.model, "a trained network for codes, instead of a made-up one");
  app.add_option("--data", s.data, "histories for it: a file of lines user item item ...");
  app.add_option("--tokens", s.tokens, "rows of the table of top-k");
  app.add_option("--width", s.width, "its width");
  app.add_option("--items", s.items, "catalogue of population and codes");
  app.add_option("--population-width", s.population_width);
  app.add_option("-k", s.k);
  app.add_option("--customers", s.customers, "population of a measured round");
  app.add_option("--threads", s.threads, "of population; all else runs in one");
  app.add_option("--seconds", s.seconds, "for each line");
  CLI11_PARSE(app, argc, argv);
  const auto wanted = [&](const char* section) { return s.only.empty() || std::ranges::find(s.only, section) != s.only.end(); };
  const std::vector<std::pair<const char*, void (*)(const Settings&)>> sections{
      {"step", bench_step}, {"population", bench_population}, {"codes", bench_codes}, {"kernels", bench_kernels}, {"top-k", bench_top_k}};
  for (const auto& [name, run] : sections) {
    if (wanted(name)) {
      run(s);
    }
  }
  return 0;
}
