#include "beckon/base/check.h"
#include "beckon/tensor/kernels.h"
#include "fast_math.h"

namespace beckon::tensor {
namespace {

struct RowResults {
  float* __restrict max;
  float* __restrict sum;
};

// x += bias; returns the largest. Lanes as in fast_math.h.
BECKON_INLINE float add_bias_and_max(const float* __restrict bias, float* __restrict x, std::size_t count) {
  float lane[inner::kLanes];
  for (std::size_t l = 0; l < inner::kLanes; ++l) {
    lane[l] = x[0] + bias[0];
  }
  const auto visit = [&](std::size_t i, std::size_t l) __attribute__((always_inline)) {
    const float value = x[i] + bias[i];
    x[i] = value;
    lane[l] = lane[l] > value ? lane[l] : value;
  };
  std::size_t i = 0;
  for (; i + inner::kLanes <= count; i += inner::kLanes) {
    for (std::size_t l = 0; l < inner::kLanes; ++l) {
      visit(i + l, l);
    }
  }
  for (std::size_t l = 0; i + l < count; ++l) {
    visit(i + l, l);
  }
  return inner::max_inline(lane, inner::kLanes);
}

// Visits e^(x - top) of each entry and returns the sum of them.
template <class Keep>
BECKON_INLINE float exponentiate(const float* x, float top, std::size_t count, const Keep& keep) {
  float lane[inner::kLanes] = {};
  std::size_t i = 0;
  for (; i + inner::kLanes <= count; i += inner::kLanes) {
    for (std::size_t l = 0; l < inner::kLanes; ++l) {
      const float value = inner::exp_inline(x[i + l] - top);
      keep(i + l, value);
      lane[l] += value;
    }
  }
  for (std::size_t l = 0; i + l < count; ++l) {
    const float value = inner::exp_inline(x[i + l] - top);
    keep(i + l, value);
    lane[l] += value;
  }
  return inner::fold_lanes(lane);
}

BECKON_CLONES void tile_loop(const SoftmaxTile& tile, const RowResults& out, std::size_t rows) {
  for (std::size_t r = 0; r < rows; ++r) {
    float* __restrict row = tile.logits.data() + r * tile.columns;
    const float top = add_bias_and_max(tile.bias.data(), row, tile.columns);
    out.max[r] = top;
    out.sum[r] = exponentiate(row, top, tile.columns,
                              [&](std::size_t i, float value) __attribute__((always_inline)) { row[i] = value; });
  }
}

// Eight rows at a time: the sums are then read and written once for eight.
BECKON_CLONES void weighted_sums_loop(const float* __restrict x, std::span<const float> weight, std::span<float> sums) {
  constexpr std::size_t kRows = 8;
  const std::size_t columns = sums.size();
  float* __restrict out = sums.data();
  std::size_t r = 0;
  for (; r + kRows <= weight.size(); r += kRows) {
    const float* __restrict row = x + r * columns;
    const float* w = weight.data() + r;
    for (std::size_t i = 0; i < columns; ++i) {
      float sum = 0;
      for (std::size_t k = 0; k < kRows; ++k) {
        sum += w[k] * row[k * columns + i];
      }
      out[i] += sum;
    }
  }
  for (; r < weight.size(); ++r) {
    for (std::size_t i = 0; i < columns; ++i) {
      out[i] += weight[r] * x[r * columns + i];
    }
  }
}

BECKON_CLONES void scaled_rows_loop(std::span<const float> factor, const float* __restrict x, float* __restrict y,
                                    std::size_t columns) {
  for (std::size_t r = 0; r < factor.size(); ++r) {
    inner::axpy_inline(factor[r], x + r * columns, y + r * columns, columns);
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
  tile_loop(tile, {row_max.data(), row_sum.data()}, rows);
}

void add_weighted_column_sums(std::span<const float> x, std::span<const float> weight, std::span<float> sums) {
  BECKON_CHECK(x.size() == weight.size() * sums.size());
  weighted_sums_loop(x.data(), weight, sums);
}

void add_scaled_rows(std::span<const float> factor, std::span<const float> x, std::span<float> y) {
  BECKON_CHECK(!factor.empty() && x.size() == y.size() && x.size() % factor.size() == 0);
  scaled_rows_loop(factor, x.data(), y.data(), x.size() / factor.size());
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
