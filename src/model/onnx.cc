#include "beckon/model/onnx.h"

#include <cmath>

#include "onnx_parts.h"

namespace beckon::model {
namespace {

using inner::onnx_attribute;
using inner::OnnxGraph;
using Names = OnnxGraph::Names;

constexpr std::size_t kBytesMax = 2'000'000'000;

// Differences i - j of all pairs of positions, minus infinity where j lies ahead, and the buckets of their gaps.
struct Pairs {
  std::string mask;      // (length, length)
  std::string distance;  // (length, length), not below 0; empty without a bias by distance
  std::string buckets;   // (batch, length, length); empty without a bias by time
};

Pairs make_pairs(OnnxGraph& g, const std::string& positions) {
  Pairs out;
  const std::string rows = g.node("Unsqueeze", {positions, g.integers({1})});
  const std::string columns = g.node("Unsqueeze", {positions, g.integers({0})});
  const std::string difference = g.node("Sub", {rows, columns});
  out.mask = g.node("Where", {g.node("Less", {difference, g.scalar(0)}), g.number(-1e30F), g.number(0)});
  if (g.has("layers.0.attention.distance_bias")) {
    out.distance = g.node("Max", {difference, g.scalar(0)});
  }
  if (g.has("layers.0.attention.time_bias")) {
    out.buckets = inner::onnx_time_buckets(g);
  }
  return out;
}

// What is added to the scores (batch, heads, length, length) before the softmax.
std::string attention_bias(OnnxGraph& g, const std::string& at, const Pairs& pairs) {
  std::string bias = pairs.mask;
  if (!pairs.distance.empty()) {
    bias = g.node("Add", {bias, g.gather(at + "attention.distance_bias", pairs.distance, 1)});
  }
  if (!pairs.buckets.empty()) {
    bias = g.node("Add", {bias, g.transpose(g.gather(at + "attention.time_bias", pairs.buckets, 1), {1, 0, 2, 3})});
  }
  return bias;
}

std::string attention(OnnxGraph& g, const std::string& x, const std::string& at, const std::pair<const ModelOptions*, const Pairs*>& shape) {
  const ModelOptions& options = *shape.first;
  const std::int64_t width = options.width;
  const std::int64_t heads = options.attention_heads;
  const std::string qkv = g.linear(x, at + "attention.qkv");
  const Names parts = g.nodes("Split", {qkv, g.integers({width, width, width})}, 3, {onnx_attribute("axis", std::int64_t{-1})});
  const std::string split = g.integers({0, 0, heads, width / heads});
  const auto by_head = [&](const std::string& part, const std::vector<std::int64_t>& order) {
    return g.transpose(g.node("Reshape", {part, split}), order);
  };
  const std::string scores = g.node("MatMul", {by_head(parts[0], {0, 2, 1, 3}), by_head(parts[1], {0, 2, 3, 1})});
  const std::string scaled = g.node("Mul", {scores, g.number(1 / std::sqrt(static_cast<float>(width) / static_cast<float>(heads)))});
  const std::string biased = g.node("Add", {scaled, attention_bias(g, at, *shape.second)});
  const std::string shares = g.node("Softmax", {biased}, {onnx_attribute("axis", std::int64_t{-1})});
  const std::string mixed = g.node("MatMul", {shares, by_head(parts[2], {0, 2, 1, 3})});
  return g.linear(g.node("Reshape", {g.transpose(mixed, {0, 2, 1, 3}), g.integers({0, 0, width})}), at + "attention.mix");
}

std::string feed_forward(OnnxGraph& g, const std::string& x, const std::string& at, bool swiglu) {
  const std::string up = g.linear(x, at + "feed_forward.up");
  if (!swiglu) {
    return g.linear(g.node("Relu", {up}), at + "feed_forward.down");
  }
  const auto inside = static_cast<std::int64_t>(g.part(at + "feed_forward.down.weight").rows);
  const Names halves = g.nodes("Split", {up, g.integers({inside, inside})}, 2, {onnx_attribute("axis", std::int64_t{-1})});
  const std::string gate = g.node("Mul", {halves[0], g.node("Sigmoid", {halves[0]})});
  return g.linear(g.node("Mul", {gate, halves[1]}), at + "feed_forward.down");
}

// x + gate · branch, where there is a gate.
std::string join(OnnxGraph& g, const std::string& x, const std::string& gate, const std::string& branch) {
  const bool gated = g.has(gate + ".weight");
  return g.node("Add", {x, gated ? g.node("Mul", {g.node("Sigmoid", {g.linear(x, gate)}), branch}) : branch});
}

// Rows of the absolute positions (batch, length), counted from the end; behind a row's end any will do.
std::string places(OnnxGraph& g, const ModelOptions& options, const std::string& positions) {
  const std::string shift = g.node("Sub", {g.scalar(options.length_max), g.node("Unsqueeze", {"lengths", g.integers({1})})});
  return g.node("Min", {g.node("Add", {shift, positions}), g.scalar(options.length_max - 1)});
}

std::string embed(OnnxGraph& g, const ModelOptions& options, const std::string& positions) {
  std::string x = g.gather("token.embedding", "tokens");
  if (!inner::is_recurrent(options.arch)) {
    x = g.node("Mul", {x, g.number(std::sqrt(static_cast<float>(options.width)))});
  }
  for (std::size_t c = 0; c < options.side_sizes.size(); ++c) {
    const std::string table = "side." + std::to_string(c) + ".embedding";
    if (g.has(table)) {  // a column with one value has none
      x = g.node("Add", {x, g.gather(table, g.gather("side", g.scalar(static_cast<std::int64_t>(c)), 2))});
    }
  }
  return g.has("position.embedding") ? g.node("Add", {x, g.gather("position.embedding", places(g, options, positions))}) : x;
}

void declare_inputs(OnnxGraph& g, const ModelOptions& options, bool remembers) {
  g.input("tokens", {"batch", "length"});
  if (!options.side_sizes.empty()) {
    g.input("side", {"batch", "length", std::to_string(options.side_sizes.size())});
  }
  if (g.has("layers.0.attention.time_bias")) {
    g.input("at_ms", {"batch", "length"});
    g.input("request_ms", {"batch", "length"});
  }
  g.input("lengths", {"batch"});
  if (remembers) {
    g.input("memory_tokens", {"batch", "memory_length"});
  }
}

std::string trunk(OnnxGraph& g, const ModelOptions& options, const std::string& positions) {
  const bool recurrent = inner::is_recurrent(options.arch);
  const Pairs pairs = recurrent ? Pairs() : make_pairs(g, positions);
  std::string x = embed(g, options, positions);
  for (std::int32_t l = 0; l < options.layers; ++l) {
    const std::string at = "layers." + std::to_string(l) + ".";
    if (recurrent) {
      x = inner::onnx_recurrent(g, x, at, options.arch);
      continue;
    }
    x = join(g, x, at + "gate1", attention(g, g.norm(x, at + "norm1"), at, {&options, &pairs}));
    x = join(g, x, at + "gate2", feed_forward(g, g.norm(x, at + "norm2"), at, options.arch == Arch::kLigr));
  }
  return g.has("final_norm.gain") ? g.norm(x, "final_norm") : x;
}

// The row of each history's last position, as a product with a row that holds a single 1.
std::string last_rows(OnnxGraph& g, const std::string& x, const std::string& positions) {
  const std::string last = g.node("Sub", {g.node("Unsqueeze", {"lengths", g.integers({1})}), g.scalar(1)});
  const std::string is_last = g.cast(g.node("Equal", {g.node("Unsqueeze", {positions, g.integers({0})}), last}), inner::kOnnxFloat);
  return g.node("Squeeze", {g.node("MatMul", {g.node("Unsqueeze", {is_last, g.integers({1})}), x}), g.integers({1})});
}

}  // namespace

base::Result<std::string> to_onnx(const Model& model) {
  const ModelOptions& options = model.options();
  const bool remembers = model.memory() != nullptr;
  const std::size_t tables = remembers ? inner::onnx_memory_bytes(*model.memory()) : 0;
  if (model.weights().size() * sizeof(float) + tables > kBytesMax) {
    return base::failed_precondition("the network is larger than the 2 GiB an ONNX file may have: choose a smaller width or fewer items");
  }
  OnnxGraph g(model);
  declare_inputs(g, options, remembers);
  const std::string positions = g.node("Range", {g.scalar(0), g.gather(g.node("Shape", {"tokens"}), g.scalar(1)), g.scalar(1)});
  const std::string e = last_rows(g, trunk(g, options, positions), positions);
  g.output(e, "e", {"batch", std::to_string(options.width)});
  std::string logits = g.node("Add", {g.node("MatMul", {e, g.transpose("token.embedding", {1, 0})}), "token.bias"});
  if (remembers) {
    logits = inner::onnx_memory(g, *model.memory(), e, logits);
  }
  g.output(logits, "logits", {"batch", std::to_string(options.tokens)});
  if (options.heads > 0) {
    g.output(g.linear(e, "heads"), "head_logits", {"batch", std::to_string(options.heads)});
  }
  return g.take();
}

}  // namespace beckon::model
