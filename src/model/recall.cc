#include "recall.h"

#include <algorithm>

namespace beckon::model::inner {

void gates_forward(const GateBlock& block, std::span<float> gate) {
  const Layout& layout = *block.network.layout;
  tensor::gemm(tensor::view(block.vectors, block.rows, block.network.width()),
               tensor::view(block.network.at(layout.gate), block.network.width(), kMemoryFeatures),
               tensor::mutable_view(gate, block.rows, kMemoryFeatures));
  tensor::add_bias(block.network.at(layout.gate_bias), gate);
}

void gates_backward(const GateBlock& block, std::span<const float> dgate, std::span<float> dvectors, std::span<float> gradients) {
  const Layout& layout = *block.network.layout;
  const std::size_t width = block.network.width();
  const auto d = tensor::view(dgate, block.rows, kMemoryFeatures);
  tensor::gemm(d, tensor::view(block.network.at(layout.gate), width, kMemoryFeatures).t(), tensor::mutable_view(dvectors, block.rows, width),
               tensor::Into::kAdd);
  tensor::gemm(tensor::view(block.vectors, block.rows, width).t(), d,
               tensor::mutable_view(part_of(gradients, layout.gate), width, kMemoryFeatures), tensor::Into::kAdd);
  tensor::add_column_sums(dgate, part_of(gradients, layout.gate_bias));
}

std::span<const Recalled> tokens_between(std::span<const Recalled> row, std::int32_t first, std::int32_t end) {
  const auto from = std::ranges::lower_bound(row, first, {}, &Recalled::token);
  const auto to = std::ranges::lower_bound(from, row.end(), end, {}, &Recalled::token);
  return {from, to};
}

const Recalled* find_token(std::span<const Recalled> row, std::int32_t token) {
  const auto found = std::ranges::lower_bound(row, token, {}, &Recalled::token);
  return found != row.end() && found->token == token ? &*found : nullptr;
}

void ColumnIndex::assign(std::span<const std::int32_t> column_tokens, std::size_t tokens) {
  for (const std::int32_t token : marked_) {
    first_[static_cast<std::size_t>(token)] = -1;
  }
  first_.resize(tokens, -1);
  marked_.assign(column_tokens.begin(), column_tokens.end());
  next_.assign(column_tokens.size(), -1);
  for (std::size_t c = column_tokens.size(); c-- > 0;) {
    std::int32_t& head = first_[static_cast<std::size_t>(column_tokens[c])];
    next_[c] = head;
    head = static_cast<std::int32_t>(c);
  }
}

}  // namespace beckon::model::inner
