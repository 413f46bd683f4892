#include "linear.h"

namespace beckon::model::inner {

LinearParts add_linear(Layout& layout, const std::string& name, const Part& shape, bool with_bias) {
  LinearParts parts;
  parts.weight = layout.add(name + ".weight", shape.rows, shape.columns);
  if (with_bias) {
    parts.bias = layout.add(name + ".bias", 1, shape.columns);
  }
  return parts;
}

void linear_forward(const Network& net, const LinearParts& parts, std::span<const float> x, tensor::Buffer& y) {
  const Part& w = parts.weight;
  const std::size_t rows = x.size() / w.rows;
  y.resize(rows * w.columns);
  tensor::gemm(tensor::view(x, rows, w.rows), tensor::view(net.at(w), w.rows, w.columns),
               tensor::mutable_view(y.span(), rows, w.columns), {tensor::Into::kOverwrite, net.precision, net.at(parts.bias)});
}

void linear_backward(const Network& net, const LinearParts& parts, const LinearBackward& io) {
  const Part& w = parts.weight;
  const std::size_t rows = io.dy.size() / w.columns;
  const auto dy = tensor::view(io.dy, rows, w.columns);
  tensor::gemm(tensor::view(io.x, rows, w.rows).t(), dy,
               tensor::mutable_view(part_of(io.gradients, w), w.rows, w.columns), {tensor::Into::kAdd, net.precision});
  if (parts.bias.size() > 0) {
    tensor::add_column_sums(io.dy, part_of(io.gradients, parts.bias));
  }
  if (!io.dx.empty()) {
    tensor::gemm(dy, tensor::view(net.at(w), w.rows, w.columns).t(), tensor::mutable_view(io.dx, rows, w.rows),
                 {io.into, net.precision});
  }
}

}  // namespace beckon::model::inner
