#include <algorithm>
#include <cmath>

#include "beckon/tensor/reference.h"

namespace beckon::tensor::reference {
namespace {

double number(std::uint16_t bits) {
  return static_cast<double>(from_bf16(bits));
}

std::uint16_t rounded(float x) {
  std::uint16_t bits = 0;
  round_to_bf16({&x, 1}, {&bits, 1});
  return bits;
}

}  // namespace

double number_of(const PackedLeft& a, std::size_t row, std::size_t inner) {
  return number(a.bits[row * a.row_stride + inner / 2 * a.pair_stride + inner % 2]);
}

double number_of(const PackedRight& b, std::size_t inner, std::size_t column) {
  const std::size_t first = column / kPanelColumns * kPanelColumns;
  const std::size_t panel_width = std::min(kPanelColumns, packed_columns(b.columns) - first);
  return number(b.bits[first * even(b.inner) + inner / 2 * 2 * panel_width + 2 * (column - first) + inner % 2]);
}

void gemm(const PackedLeft& a, const PackedRight& b, const MutableMatrix& c, const PackedMode& mode) {
  for (std::size_t i = 0; i < c.rows; ++i) {
    for (std::size_t j = 0; j < c.columns; ++j) {
      float& out = c.data[i * c.stride + j];
      double sum = mode.into == Into::kAdd ? static_cast<double>(out) : 0;
      sum += mode.bias.empty() ? 0 : static_cast<double>(mode.bias[j]);
      for (std::size_t k = 0; k < a.inner; ++k) {
        sum += number_of(a, i, k) * number_of(b, k, j);
      }
      out = static_cast<float>(sum);
    }
  }
}

void packed_softmax_tile(const PackedSoftmaxTile& tile, std::span<float> top, std::span<float> row_sum) {
  const std::size_t stride = packed_columns(tile.columns);
  std::ranges::fill(tile.by_row, std::uint16_t{0});
  std::ranges::fill(tile.by_column, std::uint16_t{0});
  for (std::size_t r = 0; r < top.size(); ++r) {
    const auto logit = [&](std::size_t c) { return tile.logits[r * tile.columns + c]; };
    for (std::size_t c = 0; c < tile.columns; ++c) {
      top[r] = std::max(top[r], logit(c));
    }
    double sum = 0;
    for (std::size_t c = 0; c < tile.columns; ++c) {
      const double e = std::exp(static_cast<double>(logit(c) - top[r]));
      sum += e;
      tile.by_row[r * stride + c] = rounded(static_cast<float>(e));
      tile.by_column[r / 2 * 2 * stride + 2 * c + r % 2] = rounded(static_cast<float>(e));
    }
    row_sum[r] = static_cast<float>(sum);
  }
}

void add_interleaved_column_sums(std::span<const std::uint16_t> x, std::span<const float> weight, std::span<float> sums) {
  const std::size_t stride = packed_columns(sums.size());
  for (std::size_t c = 0; c < sums.size(); ++c) {
    double sum = static_cast<double>(sums[c]);
    for (std::size_t r = 0; r < weight.size(); ++r) {
      sum += static_cast<double>(weight[r]) * number(x[r / 2 * 2 * stride + 2 * c + r % 2]);
    }
    sums[c] = static_cast<float>(sum);
  }
}

}  // namespace beckon::tensor::reference
