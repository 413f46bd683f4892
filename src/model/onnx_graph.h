#pragma once
// A graph in ONNX's wire format while it grows: nodes, constants, and the weights of a network under their own names.

#include <string>
#include <utility>
#include <vector>

#include "beckon/base/proto.h"
#include "layout.h"

namespace beckon::model::inner {

// Field and enum numbers of onnx/onnx.proto, IR version 8.
constexpr std::int64_t kOnnxFloat = 1;
constexpr std::int64_t kOnnxInt32 = 6;
constexpr std::int64_t kOnnxInt64 = 7;
constexpr std::int64_t kOnnxBool = 9;

std::string onnx_attribute(const std::string& name, std::int64_t value);
std::string onnx_attribute(const std::string& name, float value);
std::string onnx_attribute(const std::string& name, const std::vector<std::int64_t>& values);

class OnnxGraph {
 public:
  using Names = std::vector<std::string>;

  /// Every weight becomes a constant with the name that it has in safetensors; the memory's gate only where there is a memory.
  explicit OnnxGraph(const Model& model);

  bool has(const std::string& weight) const { return find(weight) != nullptr; }
  const Part& part(const std::string& weight) const;

  /// Adds a node and answers the name of its one output.
  std::string node(const std::string& type, const Names& inputs, const Names& attributes = {});
  Names nodes(const std::string& type, const Names& inputs, int outputs, const Names& attributes = {});
  /// Dimensions are numbers, or names when they start with a letter.
  void input(const std::string& name, const Names& dims);
  void output(const std::string& value, const std::string& name, const Names& dims);

  std::string integers(const std::vector<std::int64_t>& values);
  std::string small_integers(const std::vector<std::int32_t>& values);
  std::string numbers(const std::vector<float>& values);
  std::string scalar(std::int64_t value);
  std::string number(float value);

  std::string gather(const std::string& table, const std::string& index, std::int64_t axis = 0);
  std::string transpose(const std::string& x, const std::vector<std::int64_t>& order);
  std::string cast(const std::string& x, std::int64_t type);
  /// x·W, plus the bias when there is one.
  std::string linear(const std::string& x, const std::string& name);
  std::string norm(const std::string& x, const std::string& name);

  /// The whole ModelProto; the graph is used up.
  std::string take();

 private:
  const NamedPart* find(const std::string& weight) const;
  void weight(const Model& model, const NamedPart& named);
  std::string constant(const std::vector<std::int64_t>& dims, std::int64_t type, std::string_view bytes);

  std::vector<NamedPart> parts_;
  base::ProtoWriter graph_;
  Names initializers_, inputs_, outputs_;
  int count_ = 0;
};

}  // namespace beckon::model::inner
