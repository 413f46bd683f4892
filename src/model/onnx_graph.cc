#include "onnx_graph.h"

#include <algorithm>
#include <bit>
#include <span>

namespace beckon::model::inner {
namespace {

using base::ProtoWriter;
using Names = OnnxGraph::Names;

constexpr std::int64_t kAttributeFloat = 1;
constexpr std::int64_t kAttributeInt = 2;
constexpr std::int64_t kAttributeInts = 7;
constexpr std::int64_t kOpset = 18;  // the first whose ScatterElements knows max

template <class T>
std::string bytes_of(std::span<const T> values) {
  std::string out;
  out.reserve(values.size() * sizeof(T));
  for (const T value : values) {
    if constexpr (sizeof(T) == 4) {
      out += base::little_endian_bytes(std::bit_cast<std::uint32_t>(value), 4);
    } else {
      out += base::little_endian_bytes(std::bit_cast<std::uint64_t>(value), 8);
    }
  }
  return out;
}

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

// Biases and norms are vectors; a matrix stays one with a single row, too.
bool is_vector(const NamedPart& named) {
  const auto ends = [&](const char* with) { return named.name.ends_with(with); };
  return named.part.rows == 1 && !ends(".weight") && !ends(".embedding") && !ends("distance_bias") && !ends("time_bias");
}

}  // namespace

std::string onnx_attribute(const std::string& name, std::int64_t value) {
  ProtoWriter out;
  out.bytes(1, name);
  out.integer(3, value);
  out.integer(20, kAttributeInt);
  return out.view();
}

std::string onnx_attribute(const std::string& name, float value) {
  ProtoWriter out;
  out.bytes(1, name);
  out.real(2, value);
  out.integer(20, kAttributeFloat);
  return out.view();
}

std::string onnx_attribute(const std::string& name, const std::vector<std::int64_t>& values) {
  ProtoWriter out;
  out.bytes(1, name);
  for (const std::int64_t value : values) {
    out.integer(8, value);
  }
  out.integer(20, kAttributeInts);
  return out.view();
}

OnnxGraph::OnnxGraph(const Model& model) {
  for (const auto& named : model.layout().named) {
    const bool unused = model.memory() == nullptr && named.name.starts_with("memory.");
    if (named.part.size() > 0 && !unused) {
      parts_.push_back(named);
      weight(model, named);
    }
  }
}

const NamedPart* OnnxGraph::find(const std::string& weight) const {
  const auto found = std::ranges::find(parts_, weight, &NamedPart::name);
  return found == parts_.end() ? nullptr : &*found;
}

const Part& OnnxGraph::part(const std::string& weight) const {
  const NamedPart* found = find(weight);
  BECKON_CHECK(found != nullptr);
  return found->part;
}

void OnnxGraph::weight(const Model& model, const NamedPart& named) {
  std::vector<std::int64_t> dims{static_cast<std::int64_t>(named.part.rows), static_cast<std::int64_t>(named.part.columns)};
  if (is_vector(named)) {
    dims.erase(dims.begin());
  }
  initializers_.push_back(tensor(named.name, dims, {kOnnxFloat, bytes_of(part_of(model.weights(), named.part))}));
}

std::string OnnxGraph::constant(const std::vector<std::int64_t>& dims, std::int64_t type, std::string_view bytes) {
  std::string name = "constant_" + std::to_string(++count_);
  initializers_.push_back(tensor(name, dims, {type, bytes}));
  return name;
}

std::string OnnxGraph::node(const std::string& type, const Names& inputs, const Names& attributes) {
  return nodes(type, inputs, 1, attributes).front();
}

Names OnnxGraph::nodes(const std::string& type, const Names& inputs, int outputs, const Names& attributes) {
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

void OnnxGraph::input(const std::string& name, const Names& dims) {
  inputs_.push_back(value_info(name, kOnnxInt64, dims));
}

void OnnxGraph::output(const std::string& value, const std::string& name, const Names& dims) {
  ProtoWriter out;
  out.bytes(1, value);
  out.bytes(2, name);
  out.bytes(4, "Identity");
  graph_.bytes(1, out.view());
  outputs_.push_back(value_info(name, kOnnxFloat, dims));
}

std::string OnnxGraph::integers(const std::vector<std::int64_t>& values) {
  return constant({static_cast<std::int64_t>(values.size())}, kOnnxInt64, bytes_of(std::span(values)));
}
std::string OnnxGraph::small_integers(const std::vector<std::int32_t>& values) {
  return constant({static_cast<std::int64_t>(values.size())}, kOnnxInt32, bytes_of(std::span(values)));
}
std::string OnnxGraph::numbers(const std::vector<float>& values) {
  return constant({static_cast<std::int64_t>(values.size())}, kOnnxFloat, bytes_of(std::span(values)));
}
std::string OnnxGraph::scalar(std::int64_t value) {
  return constant({}, kOnnxInt64, bytes_of(std::span<const std::int64_t>(&value, 1)));
}
std::string OnnxGraph::number(float value) {
  return constant({}, kOnnxFloat, bytes_of(std::span<const float>(&value, 1)));
}

std::string OnnxGraph::gather(const std::string& table, const std::string& index, std::int64_t axis) {
  return node("Gather", {table, index}, {onnx_attribute("axis", axis)});
}
std::string OnnxGraph::transpose(const std::string& x, const std::vector<std::int64_t>& order) {
  return node("Transpose", {x}, {onnx_attribute("perm", order)});
}
std::string OnnxGraph::cast(const std::string& x, std::int64_t type) {
  return node("Cast", {x}, {onnx_attribute("to", type)});
}

std::string OnnxGraph::linear(const std::string& x, const std::string& name) {
  const std::string product = node("MatMul", {x, name + ".weight"});
  return has(name + ".bias") ? node("Add", {product, name + ".bias"}) : product;
}

std::string OnnxGraph::norm(const std::string& x, const std::string& name) {
  return node("LayerNormalization", {x, name + ".gain", name + ".shift"},
              {onnx_attribute("axis", std::int64_t{-1}), onnx_attribute("epsilon", 1e-5F)});
}

std::string OnnxGraph::take() {
  graph_.bytes(2, "beckon");
  for (const auto& bytes : initializers_) {
    graph_.bytes(5, bytes);
  }
  initializers_.clear();
  for (const auto& bytes : inputs_) {
    graph_.bytes(11, bytes);
  }
  for (const auto& bytes : outputs_) {
    graph_.bytes(12, bytes);
  }
  ProtoWriter opset;
  opset.bytes(1, "");
  opset.integer(2, kOpset);
  ProtoWriter out;
  out.integer(1, 8);
  out.bytes(2, "beckon");
  out.bytes(7, graph_.view());
  out.bytes(8, opset.view());
  return out.view();
}

}  // namespace beckon::model::inner
