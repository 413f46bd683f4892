#include "beckon/model/onnx.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <span>

#include "beckon/base/proto.h"
#include "layout.h"

namespace beckon::model {
namespace {

using base::ProtoWriter;
using Names = std::vector<std::string>;

// Field and enum numbers of onnx/onnx.proto, IR version 8.
constexpr std::int64_t kFloat = 1;
constexpr std::int64_t kInt64 = 7;
constexpr std::int64_t kAttributeFloat = 1;
constexpr std::int64_t kAttributeInt = 2;
constexpr std::int64_t kAttributeInts = 7;
constexpr std::size_t kBytesMax = 2'000'000'000;

std::string tensor(const std::string& name, const std::vector<std::int64_t>& dims, std::pair<std::int64_t, std::string_view> type_and_bytes) {
  ProtoWriter out;
  for (const std::int64_t dim : dims) {
    out.integer(1, dim);
  }
  out.integer(2, type_and_bytes.first);
  out.bytes(8, name);
  out.bytes(9, type_and_bytes.second);
  return out.view();
}

// A dimension is a number, or a name when it starts with a letter.
std::string value_info(const std::string& name, std::int64_t type, const Names& dims) {
  ProtoWriter shape;
  for (const auto& dim : dims) {
    ProtoWriter one;
    if (dim[0] >= '0' && dim[0] <= '9') {
      one.integer(1, std::stoll(dim));
    } else {
      one.bytes(2, dim);
    }
    shape.bytes(1, one.view());
  }
  ProtoWriter tensor_type;
  tensor_type.integer(1, type);
  tensor_type.bytes(2, shape.view());
  ProtoWriter type_proto;
  type_proto.bytes(1, tensor_type.view());
  ProtoWriter out;
  out.bytes(1, name);
  out.bytes(2, type_proto.view());
  return out.view();
}

class Graph {
 public:
  explicit Graph(const Model& model) : model_(model) {
    for (const auto& [name, part] : model.layout().named) {
      if (part.size() > 0) {
        parts_.emplace_back(name, part);
        weight(name, part);
      }
    }
  }

  bool has(const std::string& name) const {
    return std::any_of(parts_.begin(), parts_.end(), [&](const auto& p) { return p.first == name; });
  }
  const inner::Part& part(const std::string& name) const {
    const auto found = std::find_if(parts_.begin(), parts_.end(), [&](const auto& p) { return p.first == name; });
    BECKON_CHECK(found != parts_.end());
    return found->second;
  }

  // Adds a node and answers the name of its one output.
  std::string node(const std::string& type, const Names& inputs, const std::vector<std::string>& attributes = {}) {
    return nodes(type, inputs, 1, attributes).front();
  }
  Names nodes(const std::string& type, const Names& inputs, int outputs, const std::vector<std::string>& attributes = {}) {
    ProtoWriter out;
    for (const auto& input : inputs) {
      out.bytes(1, input);
    }
    Names names;
    for (int i = 0; i < outputs; ++i) {
      names.push_back(type + "_" + std::to_string(++count_));
      out.bytes(2, names.back());
    }
    out.bytes(4, type);
    for (const auto& attribute : attributes) {
      out.bytes(5, attribute);
    }
    graph_.bytes(1, out.view());
    return names;
  }
  void output(const std::string& value, const std::string& name, const Names& dims) {
    ProtoWriter out;
    out.bytes(1, value);
    out.bytes(2, name);
    out.bytes(4, "Identity");
    graph_.bytes(1, out.view());
    outputs_.push_back(value_info(name, kFloat, dims));
  }
  void input(const std::string& name, const Names& dims) { inputs_.push_back(value_info(name, kInt64, dims)); }

  std::string integers(const std::vector<std::int64_t>& values) {
    const std::string name = "constant_" + std::to_string(++count_);
    std::string bytes;
    for (const std::int64_t value : values) {
      bytes += base::little_endian_bytes(static_cast<std::uint64_t>(value), 8);
    }
    initializers_.push_back(tensor(name, {static_cast<std::int64_t>(values.size())}, {kInt64, bytes}));
    return name;
  }
  std::string scalar(std::int64_t value) {
    const std::string name = "constant_" + std::to_string(++count_);
    initializers_.push_back(tensor(name, {}, {kInt64, base::little_endian_bytes(static_cast<std::uint64_t>(value), 8)}));
    return name;
  }
  std::string number(float value) {
    const std::string name = "constant_" + std::to_string(++count_);
    std::uint32_t bits = 0;
    std::memcpy(&bits, &value, sizeof bits);
    initializers_.push_back(tensor(name, {}, {kFloat, base::little_endian_bytes(bits, 4)}));
    return name;
  }
  // x·W, plus the bias when there is one.
  std::string linear(const std::string& x, const std::string& name) {
    const std::string product = node("MatMul", {x, name + ".weight"});
    return has(name + ".bias") ? node("Add", {product, name + ".bias"}) : product;
  }
  std::string norm(const std::string& x, const std::string& name);

  std::string take() {
    graph_.bytes(2, "beckon");
    for (const auto& bytes : initializers_) {
      graph_.bytes(5, bytes);
    }
    for (const auto& bytes : inputs_) {
      graph_.bytes(11, bytes);
    }
    for (const auto& bytes : outputs_) {
      graph_.bytes(12, bytes);
    }
    ProtoWriter opset;
    opset.bytes(1, "");
    opset.integer(2, 17);
    ProtoWriter out;
    out.integer(1, 8);
    out.bytes(2, "beckon");
    out.bytes(7, graph_.view());
    out.bytes(8, opset.view());
    return out.view();
  }

 private:
  void weight(const std::string& name, const inner::Part& part) {
    const auto values = inner::part_of(model_.weights(), part);
    std::string bytes;
    for (const float value : values) {
      std::uint32_t bits = 0;
      std::memcpy(&bits, &value, sizeof bits);
      bytes += base::little_endian_bytes(bits, 4);
    }
    std::vector<std::int64_t> dims{static_cast<std::int64_t>(part.rows), static_cast<std::int64_t>(part.columns)};
    if (part.rows == 1 && !name.ends_with(".weight") && !name.ends_with(".embedding") && !name.ends_with("distance_bias")) {
      dims.erase(dims.begin());  // a vector
    }
    initializers_.push_back(tensor(name, dims, {kFloat, bytes}));
  }

  const Model& model_;
  std::vector<std::pair<std::string, inner::Part>> parts_;
  ProtoWriter graph_;
  std::vector<std::string> initializers_, inputs_, outputs_;
  int count_ = 0;
};

std::string attribute(const std::string& name, std::int64_t value) {
  ProtoWriter out;
  out.bytes(1, name);
  out.integer(3, value);
  out.integer(20, kAttributeInt);
  return out.view();
}

std::string attribute(const std::string& name, float value) {
  ProtoWriter out;
  out.bytes(1, name);
  out.real(2, value);
  out.integer(20, kAttributeFloat);
  return out.view();
}

std::string attribute(const std::string& name, const std::vector<std::int64_t>& values) {
  ProtoWriter out;
  out.bytes(1, name);
  for (const std::int64_t value : values) {
    out.integer(8, value);
  }
  out.integer(20, kAttributeInts);
  return out.view();
}

std::string Graph::norm(const std::string& x, const std::string& name) {
  return node("LayerNormalization", {x, name + ".gain", name + ".shift"}, {attribute("axis", std::int64_t{-1}), attribute("epsilon", 1e-5F)});
}

// Differences i - j of all pairs of positions, and minus infinity where j lies ahead.
struct Pairs {
  std::string positions;  // (length)
  std::string distance;   // (length, length), not below 0
  std::string mask;
};

Pairs make_pairs(Graph& g) {
  Pairs out;
  const std::string length = g.node("Gather", {g.node("Shape", {"tokens"}), g.scalar(1)}, {attribute("axis", std::int64_t{0})});
  out.positions = g.node("Range", {g.scalar(0), length, g.scalar(1)});
  const std::string rows = g.node("Unsqueeze", {out.positions, g.integers({1})});
  const std::string columns = g.node("Unsqueeze", {out.positions, g.integers({0})});
  const std::string difference = g.node("Sub", {rows, columns});
  out.distance = g.node("Max", {difference, g.scalar(0)});
  out.mask = g.node("Where", {g.node("Less", {difference, g.scalar(0)}), g.number(-1e30F), g.number(0)});
  return out;
}

std::string attention(Graph& g, const std::string& x, const std::string& at, const std::pair<const ModelOptions*, const Pairs*>& shape) {
  const ModelOptions& options = *shape.first;
  const std::int64_t width = options.width;
  const std::int64_t heads = options.attention_heads;
  const std::string qkv = g.linear(x, at + "attention.qkv");
  const Names parts = g.nodes("Split", {qkv, g.integers({width, width, width})}, 3, {attribute("axis", std::int64_t{-1})});
  const std::string split = g.integers({0, 0, heads, width / heads});
  const auto by_head = [&](const std::string& part, const std::vector<std::int64_t>& order) {
    return g.node("Transpose", {g.node("Reshape", {part, split})}, {attribute("perm", order)});
  };
  const std::string scores = g.node("MatMul", {by_head(parts[0], {0, 2, 1, 3}), by_head(parts[1], {0, 2, 3, 1})});
  const std::string scaled = g.node("Mul", {scores, g.number(1 / std::sqrt(static_cast<float>(width) / static_cast<float>(heads)))});
  const std::string bias = g.node("Gather", {at + "attention.distance_bias", shape.second->distance}, {attribute("axis", std::int64_t{1})});
  const std::string masked = g.node("Add", {g.node("Add", {scaled, bias}), shape.second->mask});
  const std::string shares = g.node("Softmax", {masked}, {attribute("axis", std::int64_t{-1})});
  const std::string mixed = g.node("MatMul", {shares, by_head(parts[2], {0, 2, 1, 3})});
  const std::string joined = g.node("Transpose", {mixed}, {attribute("perm", std::vector<std::int64_t>{0, 2, 1, 3})});
  return g.linear(g.node("Reshape", {joined, g.integers({0, 0, width})}), at + "attention.mix");
}

std::string feed_forward(Graph& g, const std::string& x, const std::string& at) {
  const auto inside = static_cast<std::int64_t>(g.part(at + "feed_forward.down.weight").rows);
  const std::string up = g.linear(x, at + "feed_forward.up");
  const Names halves = g.nodes("Split", {up, g.integers({inside, inside})}, 2, {attribute("axis", std::int64_t{-1})});
  const std::string gate = g.node("Mul", {halves[0], g.node("Sigmoid", {halves[0]})});
  return g.linear(g.node("Mul", {gate, halves[1]}), at + "feed_forward.down");
}

std::string gated(Graph& g, const std::string& x, const std::string& gate, const std::string& branch) {
  return g.node("Add", {x, g.node("Mul", {g.node("Sigmoid", {g.linear(x, gate)}), branch})});
}

std::string embed(Graph& g, const ModelOptions& options) {
  const std::string rows = g.node("Gather", {"token.embedding", "tokens"}, {attribute("axis", std::int64_t{0})});
  std::string x = g.node("Mul", {rows, g.number(std::sqrt(static_cast<float>(options.width)))});
  for (std::size_t c = 0; c < options.side_sizes.size(); ++c) {
    if (options.side_sizes[c] == 1) {
      continue;  // has no table
    }
    const std::string column = g.node("Gather", {"side", g.scalar(static_cast<std::int64_t>(c))}, {attribute("axis", std::int64_t{2})});
    x = g.node("Add", {x, g.node("Gather", {"side." + std::to_string(c) + ".embedding", column}, {attribute("axis", std::int64_t{0})})});
  }
  return x;
}

}  // namespace

base::Result<std::string> to_onnx(const Model& model) {
  const ModelOptions& options = model.options();
  if (model.weights().size() * sizeof(float) > kBytesMax) {
    return base::failed_precondition("the network is larger than the 2 GiB an ONNX file may have: choose a smaller width or fewer items");
  }
  Graph g(model);
  for (std::int32_t l = 0; l < options.layers; ++l) {
    const std::string at = "layers." + std::to_string(l) + ".";
    if (!g.has(at + "gate1.weight") || !g.has(at + "attention.distance_bias") || g.has("position.embedding")) {
      return base::failed_precondition("only the ligr architecture with positions by distance can be written as ONNX so far");
    }
  }
  g.input("tokens", {"batch", "length"});
  if (!options.side_sizes.empty()) {
    g.input("side", {"batch", "length", std::to_string(options.side_sizes.size())});
  }
  g.input("lengths", {"batch"});
  const Pairs pairs = make_pairs(g);
  std::string x = embed(g, options);
  for (std::int32_t l = 0; l < options.layers; ++l) {
    const std::string at = "layers." + std::to_string(l) + ".";
    x = gated(g, x, at + "gate1", attention(g, g.norm(x, at + "norm1"), at, {&options, &pairs}));
    x = gated(g, x, at + "gate2", feed_forward(g, g.norm(x, at + "norm2"), at));
  }
  x = g.has("final_norm.gain") ? g.norm(x, "final_norm") : x;
  // The row of each history's last position, as a product with a row that holds a single 1.
  const std::string last = g.node("Sub", {g.node("Unsqueeze", {"lengths", g.integers({1})}), g.scalar(1)});
  const std::string is_last = g.node("Cast", {g.node("Equal", {g.node("Unsqueeze", {pairs.positions, g.integers({0})}), last})}, {attribute("to", kFloat)});
  const std::string row = g.node("MatMul", {g.node("Unsqueeze", {is_last, g.integers({1})}), x});
  const std::string e = g.node("Squeeze", {row, g.integers({1})});
  g.output(e, "e", {"batch", std::to_string(options.width)});
  const std::string transposed = g.node("Transpose", {"token.embedding"}, {attribute("perm", std::vector<std::int64_t>{1, 0})});
  const std::string product = g.node("MatMul", {e, transposed});
  g.output(g.has("token.bias") ? g.node("Add", {product, "token.bias"}) : product, "logits", {"batch", std::to_string(options.tokens)});
  if (options.heads > 0) {
    g.output(g.linear(e, "heads"), "head_logits", {"batch", std::to_string(options.heads)});
  }
  std::string bytes = g.take();
  return bytes;
}

}  // namespace beckon::model
