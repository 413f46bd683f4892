// Writes FOLDER/network.onnx and FOLDER/sample.json: a network with side columns and heads, inputs, and what beckon answers to them.
// tools/onnx_check.py runs it and compares with onnxruntime.
#include <cstdio>
#include <iostream>

#include "beckon/base/json.h"
#include "beckon/base/rng.h"
#include "beckon/model/onnx.h"

using namespace beckon;

namespace {

// Rows of different lengths, the longest as long as the network can see.
std::vector<model::Sequence> histories(const model::ModelOptions& options) {
  std::vector<model::Sequence> out;
  for (const std::size_t length : {1U, 2U, 7U, 12U}) {
    base::Rng rng(5, length);
    model::Sequence one;
    for (std::size_t i = 0; i < length; ++i) {
      one.token.push_back(static_cast<std::int32_t>(rng.below(static_cast<std::uint64_t>(options.tokens))));
      for (const std::int32_t size : options.side_sizes) {
        one.side.push_back(static_cast<std::int32_t>(rng.below(static_cast<std::uint64_t>(size))));
      }
    }
    out.push_back(std::move(one));
  }
  return out;
}

base::Status write_sample(const std::string& folder) {
  model::ModelOptions options;
  options.tokens = 37;
  options.side_sizes = {5, 1, 3};  // a column with one value has no table
  options.heads = 2;
  options.width = 32;
  options.length_max = 12;
  BECKON_TRY(auto net, model::Model::make(options, 3));
  base::Rng rng(4);
  for (float& weight : net.weights()) {
    weight += static_cast<float>(.2 * rng.normal());  // biases start at 0: move them, too
  }
  const auto inputs = histories(options);
  base::SeededExecutor executor(1);
  const auto e = net.encode(inputs, executor);
  std::vector<float> logits(inputs.size() * net.tokens());
  std::vector<float> heads(inputs.size() * net.heads());
  net.score_tokens(e, logits);
  net.head_logits(e, heads);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    logits[i * net.tokens()] = 0;  // column 0 means nothing
  }
  base::Json sample = {{"e", e}, {"logits", logits}, {"head_logits", heads}, {"token", base::Json::array()}, {"side", base::Json::array()}};
  for (const auto& one : inputs) {
    sample["token"].push_back(one.token);
    sample["side"].push_back(one.side);
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
  const auto status = write_sample(argv[1]);
  if (!status.ok()) {
    std::cerr << "onnx_sample: " << status.error().message << "\n";
    return 1;
  }
  return 0;
}
