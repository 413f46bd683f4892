// Writes for each of a list of networks FOLDER/NAME/network.onnx and FOLDER/NAME/sample.json: inputs, and what beckon answers to them.
// tools/onnx_check.py runs it and compares with onnxruntime.
#include <algorithm>
#include <cstdio>
#include <iostream>

#include "beckon/base/json.h"
#include "beckon/base/rng.h"
#include "beckon/model/onnx.h"
#include "beckon/model/train.h"

using namespace beckon;

namespace {

using model::Arch;

constexpr std::int64_t kMinuteMs = 60'000;

struct Case {
  std::string name;
  model::ModelOptions options;
  bool timed = false;    // the histories have times
  bool trained = false;  // an epoch, so that there is a memory
};

model::ModelOptions bare(Arch arch) {
  model::ModelOptions options;
  options.arch = arch;
  options.tokens = 37;
  options.width = 32;
  options.length_max = 12;
  options.memory = false;
  return options;
}

model::ModelOptions full(Arch arch) {
  model::ModelOptions options = bare(arch);
  options.side_sizes = {5, 1, 3};  // a column with one value has no table
  options.heads = 2;
  options.memory = true;
  return options;
}

std::vector<Case> cases() {
  std::vector<Case> out;
  for (const auto& [name, arch] : {std::pair{"ligr", Arch::kLigr}, {"sasrec", Arch::kSasrec}, {"rnn", Arch::kRnn}, {"gru", Arch::kGru}, {"lstm", Arch::kLstm}}) {
    out.push_back({name, bare(arch)});
    out.push_back({std::string(name) + "_full", full(arch), true, true});
    out.push_back({std::string(name) + "_deep", full(arch)});
    out.back().options.layers = 3;
    out.back().options.final_norm = false;
    out.back().options.feed_forward_bias = true;
  }
  out.push_back({"ligr_timed", bare(Arch::kLigr), true});
  out.push_back({"ligr_without_time_bias", full(Arch::kLigr), true});
  out.back().options.time_bias = false;
  out.push_back({"ligr_absolute", full(Arch::kLigr), true});
  out.back().options.positions = model::Positions::kAbsolute;
  out.push_back({"sasrec_distance", full(Arch::kSasrec)});
  out.back().options.positions = model::Positions::kDistance;
  out.back().options.attention_heads = 1;
  out.push_back({"ligr_one_head", full(Arch::kLigr), true, true});
  out.back().options.attention_heads = 1;
  return out;
}

model::Sequence history(const model::ModelOptions& options, std::size_t length, bool timed) {
  base::Rng rng(5, length);
  model::Sequence one;
  std::int64_t at = 1'700'000'000'000;
  for (std::size_t i = 0; i < length; ++i) {
    one.token.push_back(static_cast<std::int32_t>(rng.below(static_cast<std::uint64_t>(options.tokens))));
    for (const std::int32_t size : options.side_sizes) {
      one.side.push_back(static_cast<std::int32_t>(rng.below(static_cast<std::uint64_t>(size))));
    }
    if (timed) {
      one.at_ms.push_back(at);
      at += kMinuteMs << rng.below(22);  // from minutes to years, on the edges of buckets
      one.request_ms.push_back(at - static_cast<std::int64_t>(rng.below(2)));
    }
  }
  return one;
}

// Rows of different lengths; two are longer than what the network sees, one longer than what the memory looks at.
std::vector<model::Sequence> histories(const Case& one) {
  std::vector<model::Sequence> out;
  for (const std::size_t length : {1U, 2U, 7U, 12U, 30U, 230U}) {
    out.push_back(history(one.options, length, one.timed));
  }
  return out;
}

base::Result<model::Model> network(const Case& one) {
  BECKON_TRY(auto net, model::Model::make(one.options, 3));
  if (one.trained) {
    base::SeededExecutor executor(1);
    std::vector<model::Sequence> sequences;
    for (std::size_t length = 20; length < 40; ++length) {
      sequences.push_back(history(one.options, length, one.timed));
      auto& target = sequences.back().target;
      target.assign(sequences.back().token.begin() + 1, sequences.back().token.end());
      target.push_back(0);
    }
    model::TrainOptions training;
    training.epochs_max = 1;
    training.precision = model::Precision::kFp32;
    model::TrainHooks hooks;
    hooks.executor = &executor;
    BECKON_TRY_STATUS(model::train(net, sequences, {}, training, hooks));
  }
  base::Rng rng(4);
  for (float& weight : net.weights()) {
    weight += static_cast<float>(.2 * rng.normal());  // biases start at 0: move them, too
  }
  return net;
}

// The last `positions` entries of a vector with `width` numbers a position.
template <class T>
std::vector<T> last(const std::vector<T>& values, std::size_t positions, std::size_t width) {
  return {values.end() - static_cast<std::ptrdiff_t>(std::min(values.size(), positions * width)), values.end()};
}

base::Status write_case(const std::string& folder, const Case& one) {
  BECKON_TRY(auto net, network(one));
  const auto inputs = histories(one);
  base::SeededExecutor executor(1);
  const auto e = net.encode(inputs, executor);
  std::vector<float> logits(inputs.size() * net.tokens());
  std::vector<float> heads(inputs.size() * net.heads());
  net.score_histories(inputs, e, logits);
  net.head_logits(e, heads);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    logits[i * net.tokens()] = 0;  // column 0 means nothing
  }
  base::Json sample = {{"e", e}, {"logits", logits}, {"head_logits", heads}, {"columns", one.options.side_sizes.size()}};
  for (const char* name : {"tokens", "side", "at_ms", "request_ms", "memory_tokens"}) {
    sample[name] = base::Json::array();
  }
  const auto seen = static_cast<std::size_t>(one.options.length_max);
  for (const auto& history : inputs) {
    sample["tokens"].push_back(last(history.token, seen, 1));
    sample["side"].push_back(last(history.side, seen, one.options.side_sizes.size()));
    sample["at_ms"].push_back(last(history.at_ms, seen, 1));
    sample["request_ms"].push_back(last(history.request_ms, seen, 1));
    sample["memory_tokens"].push_back(history.token);
  }
  BECKON_TRY(const std::string onnx, model::to_onnx(net));
  base::PosixFileSystem files;
  BECKON_TRY_STATUS(files.make_dirs(folder));
  BECKON_TRY_STATUS(files.write_atomic(folder + "/network.onnx", onnx));
  return files.write_atomic(folder + "/sample.json", base::to_line(sample));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: onnx_sample FOLDER\n";
    return 2;
  }
  for (const auto& one : cases()) {
    const auto status = write_case(std::string(argv[1]) + "/" + one.name, one);
    if (!status.ok()) {
      std::cerr << "onnx_sample: " << one.name << ": " << status.error().message << "\n";
      return 1;
    }
  }
  return 0;
}
