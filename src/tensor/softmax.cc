#include "beckon/base/check.h"
#include "beckon/tensor/kernels.h"
#include "fast_math.h"

namespace beckon::tensor {
namespace {

BECKON_CLONES void tile_loop(const SoftmaxTile& tile, float* row_max, float* row_sum, std::size_t rows) {
  const std::size_t columns = tile.columns;
  const float* __restrict bias = tile.bias.data();
  for (std::size_t r = 0; r < rows; ++r) {
    float* __restrict row = tile.logits.data() + r * columns;
    for (std::size_t i = 0; i < columns; ++i) {
      row[i] += bias[i];
    }
    const float top = inner::max_inline(row, columns);
    for (std::size_t i = 0; i < columns; ++i) {
      row[i] = inner::exp_inline(row[i] - top);
    }
    row_max[r] = top;
    row_sum[r] = inner::sum_inline(row, columns);
  }
}

BECKON_CLONES void scale_loop(const float* factor, float* x, std::size_t rows, std::size_t columns) {
  for (std::size_t r = 0; r < rows; ++r) {
    const float by = factor[r];
    float* __restrict row = x + r * columns;
    for (std::size_t i = 0; i < columns; ++i) {
      row[i] *= by;
    }
  }
}

BECKON_CLONES std::int32_t count_loop(const float* __restrict x, float threshold, std::size_t count) {
  std::int32_t found = 0;
  for (std::size_t i = 0; i < count; ++i) {
    found += x[i] >= threshold ? 1 : 0;
  }
  return found;
}

}  // namespace

void softmax_tile(const SoftmaxTile& tile, std::span<float> row_max, std::span<float> row_sum) {
  const std::size_t rows = row_max.size();
  BECKON_CHECK(tile.columns > 0 && tile.bias.size() == tile.columns && row_sum.size() == rows);
  BECKON_CHECK(tile.logits.size() == rows * tile.columns);
  tile_loop(tile, row_max.data(), row_sum.data(), rows);
}

void scale_rows(std::span<const float> factor, std::span<float> x) {
  BECKON_CHECK(!factor.empty() && x.size() % factor.size() == 0);
  scale_loop(factor.data(), x.data(), factor.size(), x.size() / factor.size());
}

std::size_t count_at_least(std::span<const float> x, float threshold) {
  BECKON_CHECK(x.size() < 2'000'000'000U);
  return static_cast<std::size_t>(count_loop(x.data(), threshold, x.size()));
}

}  // namespace beckon::tensor
