#include "beckon/base/check.h"
#include "beckon/tensor/kernels.h"
#include "fast_math.h"

namespace beckon::tensor {
namespace {

BECKON_CLONES void add_bias_loop(const float* __restrict bias, float* __restrict x, std::size_t rows, std::size_t width) {
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t i = 0; i < width; ++i) {
      x[r * width + i] += bias[i];
    }
  }
}

BECKON_CLONES void column_sum_loop(const float* __restrict x, float* __restrict sums, std::size_t rows, std::size_t width) {
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t i = 0; i < width; ++i) {
      sums[i] += x[r * width + i];
    }
  }
}

BECKON_CLONES void axpy_loop(float scale, const float* __restrict x, float* __restrict y, std::size_t count) {
  inner::axpy_inline(scale, x, y, count);
}

BECKON_CLONES float dot_loop(const float* a, const float* b, std::size_t count) {
  return inner::dot_inline(a, b, count);
}

BECKON_CLONES void gather_loop(const RowTable& rows, const float* table, float* out, std::size_t count) {
  for (std::size_t r = 0; r < count; ++r) {
    const auto from = static_cast<std::size_t>(rows.index[r * rows.index_stride]);
    inner::axpy_inline(rows.scale, table + from * rows.width, out + r * rows.width, rows.width);
  }
}

BECKON_CLONES void scatter_loop(const RowTable& rows, const float* x, float* table, std::size_t count) {
  for (std::size_t r = 0; r < count; ++r) {
    const auto into = static_cast<std::size_t>(rows.index[r * rows.index_stride]);
    inner::axpy_inline(rows.scale, x + r * rows.width, table + into * rows.width, rows.width);
  }
}

BECKON_CLONES void square_sums_loop(const float* x, std::size_t blocks, double* total) {
  for (std::size_t b = 0; b < blocks; ++b) {
    *total += static_cast<double>(inner::dot_inline(x + b * 256, x + b * 256, 256));
  }
}

std::size_t checked_rows(const RowTable& rows, std::size_t dense_size, std::size_t table_size) {
  BECKON_CHECK(rows.width > 0 && rows.index_stride > 0 && dense_size % rows.width == 0);
  const std::size_t count = dense_size / rows.width;
  BECKON_CHECK(count == 0 || rows.index.size() > (count - 1) * rows.index_stride);
  const std::size_t entries = table_size / rows.width;
  for (std::size_t r = 0; r < count; ++r) {
    const std::int32_t index = rows.index[r * rows.index_stride];
    BECKON_CHECK(index >= 0 && static_cast<std::size_t>(index) < entries);
  }
  return count;
}

}  // namespace

void add_bias(std::span<const float> bias, std::span<float> x) {
  BECKON_CHECK(!bias.empty() && x.size() % bias.size() == 0);
  add_bias_loop(bias.data(), x.data(), x.size() / bias.size(), bias.size());
}

void add_column_sums(std::span<const float> x, std::span<float> sums) {
  BECKON_CHECK(!sums.empty() && x.size() % sums.size() == 0);
  column_sum_loop(x.data(), sums.data(), x.size() / sums.size(), sums.size());
}

void add_scaled(std::span<const float> x, float scale, std::span<float> y) {
  BECKON_CHECK(x.size() == y.size());
  axpy_loop(scale, x.data(), y.data(), x.size());
}

float dot(std::span<const float> a, std::span<const float> b) {
  BECKON_CHECK(a.size() == b.size());
  return dot_loop(a.data(), b.data(), a.size());
}

double sum_of_squares(std::span<const float> x) {
  const std::size_t blocks = x.size() / 256;
  double total = 0;
  square_sums_loop(x.data(), blocks, &total);
  const auto rest = x.subspan(blocks * 256);
  return total + static_cast<double>(dot_loop(rest.data(), rest.data(), rest.size()));
}

void gather_add(const RowTable& rows, std::span<const float> table, std::span<float> out) {
  gather_loop(rows, table.data(), out.data(), checked_rows(rows, out.size(), table.size()));
}

void scatter_add(const RowTable& rows, std::span<const float> x, std::span<float> table) {
  scatter_loop(rows, x.data(), table.data(), checked_rows(rows, x.size(), table.size()));
}

}  // namespace beckon::tensor
