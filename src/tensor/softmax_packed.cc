#include <algorithm>
#include <bit>
#include <cstring>

#include "beckon/tensor/packed.h"
#include "fast_math.h"
#include "vectors512.h"

namespace beckon::tensor {
namespace {

// x holds pairs of rows: the even one in the low halves of the words. Four pairs at a time: the sums are then read and written once for eight
// rows.
BECKON_CLONES void interleaved_sums_loop(const std::uint16_t* x, const float* weight, std::span<float> sums, std::size_t pairs) {
  constexpr std::size_t kPairs = 4;
  const std::size_t stride = 2 * packed_columns(sums.size());
  float* __restrict out = sums.data();
  const auto pair_at = [&](std::size_t p, std::size_t i) __attribute__((always_inline)) {
    std::uint32_t pair = 0;
    std::memcpy(&pair, x + p * stride + 2 * i, sizeof pair);
    return weight[2 * p] * std::bit_cast<float>(pair << 16U) + weight[2 * p + 1] * std::bit_cast<float>(pair & 0xFFFF0000U);
  };
  std::size_t p = 0;
  for (; p + kPairs <= pairs; p += kPairs) {
    for (std::size_t i = 0; i < sums.size(); ++i) {
      out[i] += (pair_at(p, i) + pair_at(p + 1, i)) + (pair_at(p + 2, i) + pair_at(p + 3, i));
    }
  }
  for (; p < pairs; ++p) {
    for (std::size_t i = 0; i < sums.size(); ++i) {
      out[i] += pair_at(p, i);
    }
  }
}

#if defined(__x86_64__)

constexpr std::size_t kLanes = 16;

struct Row {
  const float* logits = nullptr;
  std::uint16_t* rounded = nullptr;
  float top = 0;
  float sum = 0;
};

BECKON_BF16 void raise_top(Row& row, std::size_t columns) {
  __m512 top = _mm512_set1_ps(row.top);
  __m512 other = top;
  std::size_t i = 0;
  for (; i + 2 * kLanes <= columns; i += 2 * kLanes) {
    top = _mm512_max_ps(top, _mm512_loadu_ps(row.logits + i));
    other = _mm512_max_ps(other, _mm512_loadu_ps(row.logits + i + kLanes));
  }
  for (; i < columns; i += kLanes) {
    const __mmask16 some = inner::lanes(columns - i);
    top = _mm512_mask_max_ps(top, some, top, _mm512_maskz_loadu_ps(some, row.logits + i));
  }
  row.top = _mm512_reduce_max_ps(_mm512_max_ps(top, other));
}

// 2^y = 2^floor(y) · 2^f; the polynomial meets 2^f in 0 … 1 at the Chebyshev nodes, relative error 5e-6: bfloat16 keeps 4e-3.
BECKON_BF16 inline __m512 exponential(__m512 x) {
  const __m512 y = _mm512_mul_ps(x, _mm512_set1_ps(1.44269504088896341F));
  const __m512 f = _mm512_reduce_ps(y, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
  __m512 p = _mm512_set1_ps(1.367030945e-02F);
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(5.174499776e-02F));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(2.416043573e-01F));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(6.929729222e-01F));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(1.000003493F));
  return _mm512_scalef_ps(p, y);
}

BECKON_BF16 inline __m512 exponential_of(const Row& row, std::size_t i, __mmask16 some) {
  const __m512 x = _mm512_sub_ps(_mm512_maskz_loadu_ps(some, row.logits + i), _mm512_set1_ps(row.top));
  return _mm512_maskz_mov_ps(some, exponential(x));
}

template <std::size_t kRows>
BECKON_BF16 inline void store_rounded(const Row* rows, std::size_t i, __m512 low, __m512 high, std::uint16_t* pairs) {
  const auto both = reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(high, low));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(rows[0].rounded + i), _mm512_castsi512_si256(both));
  if constexpr (kRows == 2) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(rows[1].rounded + i), _mm512_extracti64x4_epi64(both, 1));
  }
  _mm512_storeu_si512(pairs + 2 * i, inner::interleaved(both, inner::interleaving()));
}

// Two rows at once, because the second product wants them interleaved; kRows 1: zeros instead of the second. No lambda for the two loops: GCC 12's
// address sanitizer misplaces captured vectors (its bug 110027).
template <std::size_t kRows>
BECKON_BF16 void exponentiate_rows(Row* rows, std::size_t columns, std::uint16_t* pairs) {
  __m512 low_sum = _mm512_setzero_ps();
  __m512 high_sum = low_sum;
  __m512 high = low_sum;
  std::size_t i = 0;
  for (; i + kLanes <= columns; i += kLanes) {
    const __m512 low = exponential_of(rows[0], i, 0xFFFF);
    if constexpr (kRows == 2) {
      high = exponential_of(rows[1], i, 0xFFFF);
    }
    low_sum = _mm512_add_ps(low_sum, low);
    high_sum = _mm512_add_ps(high_sum, high);
    store_rounded<kRows>(rows, i, low, high, pairs);
  }
  if (i < columns) {
    const __mmask16 some = inner::lanes(columns - i);
    const __m512 low = exponential_of(rows[0], i, some);
    if constexpr (kRows == 2) {
      high = exponential_of(rows[1], i, some);
    }
    low_sum = _mm512_add_ps(low_sum, low);
    high_sum = _mm512_add_ps(high_sum, high);
    store_rounded<kRows>(rows, i, low, high, pairs);
  }
  rows[0].sum = _mm512_reduce_add_ps(low_sum);
  if constexpr (kRows == 2) {
    rows[1].sum = _mm512_reduce_add_ps(high_sum);
  }
}

#endif

}  // namespace

#if defined(__x86_64__)

void packed_softmax_tile(const PackedSoftmaxTile& tile, std::span<float> top, std::span<float> row_sum) {
  const std::size_t rows = top.size();
  const std::size_t stride = packed_columns(tile.columns);
  BECKON_CHECK(has_bf16() && tile.columns > 0 && row_sum.size() == rows);
  BECKON_CHECK(tile.logits.size() == rows * tile.columns && tile.by_row.size() == rows * stride && tile.by_column.size() == even(rows) * stride);
  for (std::size_t r = 0; r < rows; r += 2) {
    Row pair[2];
    const std::size_t count = std::min<std::size_t>(2, rows - r);
    for (std::size_t i = 0; i < count; ++i) {
      pair[i] = {tile.logits.data() + (r + i) * tile.columns, tile.by_row.data() + (r + i) * stride, top[r + i], 0};
      raise_top(pair[i], tile.columns);
      top[r + i] = pair[i].top;
    }
    const auto exponentiate = count == 2 ? exponentiate_rows<2> : exponentiate_rows<1>;
    exponentiate(pair, tile.columns, tile.by_column.data() + r * stride);
    for (std::size_t i = 0; i < count; ++i) {
      row_sum[r + i] = pair[i].sum;
    }
  }
}

#else

void packed_softmax_tile(const PackedSoftmaxTile&, std::span<float>, std::span<float>) {
  BECKON_CHECK(has_bf16());
}

#endif

void add_interleaved_column_sums(std::span<const std::uint16_t> x, std::span<const float> weight, std::span<float> sums) {
  const std::size_t stride = packed_columns(sums.size());
  const std::size_t pairs = weight.size() / 2;
  BECKON_CHECK(x.size() == even(weight.size()) * stride);
  interleaved_sums_loop(x.data(), weight.data(), sums, pairs);
  if (weight.size() % 2 != 0) {
    const float last[2] = {weight.back(), 0};
    interleaved_sums_loop(x.data() + 2 * pairs * stride, last, sums, 1);
  }
}

}  // namespace beckon::tensor
