#include <algorithm>
#include <cstring>
#include <vector>

#include "beckon/tensor/packed.h"
#include "vectors512.h"

namespace beckon::tensor {

#if defined(__x86_64__)
namespace {

constexpr std::size_t kLanes = 16;

BECKON_BF16 void round_row(const float* from, std::size_t count, std::uint16_t* to) {
  for (std::size_t i = 0; i < count; i += kLanes) {
    const __mmask16 some = inner::lanes(count - i);
    const __m256bh rounded = _mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(some, from + i));
    _mm256_mask_storeu_epi16(to + i, some, reinterpret_cast<__m256i>(rounded));
  }
}

// Two rows, interleaved, then zeros up to a whole vector. odd == nullptr: a row of zeros.
BECKON_BF16 void interleave(const float* even_row, const float* odd_row, std::size_t count, std::uint16_t* to) {
  const __m512i order = inner::interleaving();
  for (std::size_t i = 0; i < count; i += kLanes) {
    const __mmask16 some = inner::lanes(count - i);
    const __m512 low = _mm512_maskz_loadu_ps(some, even_row + i);
    const __m512 high = odd_row == nullptr ? _mm512_setzero_ps() : _mm512_maskz_loadu_ps(some, odd_row + i);
    const __m512bh both = _mm512_cvtne2ps_pbh(high, low);
    _mm512_store_si512(to + 2 * i, inner::interleaved(reinterpret_cast<__m512i>(both), order));
  }
}

const float* odd_row_of(const MatrixView& from, std::size_t pair) {
  return 2 * pair + 1 < from.rows ? from.data + (2 * pair + 1) * from.stride : nullptr;
}

std::size_t panel_width(std::size_t columns, std::size_t first) {
  return std::min(kPanelColumns, packed_columns(columns) - first);
}

void pack_interleaved(const MatrixView& from, std::uint16_t* into) {
  for (std::size_t first = 0; first < from.columns; first += kPanelColumns) {
    const std::size_t columns = std::min(kPanelColumns, from.columns - first);
    for (std::size_t p = 0; 2 * p < from.rows; ++p, into += 2 * panel_width(from.columns, first)) {
      const float* odd = odd_row_of(from, p);
      interleave(from.data + 2 * p * from.stride + first, odd == nullptr ? nullptr : odd + first, columns, into);
    }
  }
}

// Rows of `from` become columns of the panels: pairs are words that change places.
void pack_turned(const MatrixView& from, std::uint16_t* into) {
  const std::size_t pairs = even(from.columns) / 2;
  std::vector<std::uint16_t> row(2 * pairs, 0);
  for (std::size_t first = 0; first < from.rows; first += kPanelColumns) {
    const std::size_t width = panel_width(from.rows, first);
    if (first + width > from.rows) {
      std::fill_n(into, 2 * pairs * width, std::uint16_t{0});
    }
    for (std::size_t c = 0; c < std::min(width, from.rows - first); ++c) {
      round_row(from.data + (first + c) * from.stride, from.columns, row.data());
      std::uint16_t* to = into + 2 * c;
      for (std::size_t p = 0; p < pairs; ++p, to += 2 * width) {
        std::memcpy(to, row.data() + 2 * p, 2 * sizeof(std::uint16_t));
      }
    }
    into += 2 * pairs * width;
  }
}

}  // namespace

PackedLeft pack_left(const MatrixView& from, Bf16Storage& into) {
  BECKON_CHECK(has_bf16());
  if (from.transposed) {
    const std::size_t stride = packed_columns(from.columns);
    into.resize(even(from.rows) * stride);
    for (std::size_t p = 0; 2 * p < from.rows; ++p) {
      interleave(from.data + 2 * p * from.stride, odd_row_of(from, p), from.columns, into.data() + 2 * p * stride);
    }
    return interleaved_rows(into.data(), from.columns, from.rows, stride);
  }
  const std::size_t stride = even(from.columns);
  into.resize(from.rows * stride);
  for (std::size_t r = 0; r < from.rows; ++r) {
    into.data()[(r + 1) * stride - 1] = 0;
    round_row(from.data + r * from.stride, from.columns, into.data() + r * stride);
  }
  return pairs_in_rows(into.data(), from.rows, from.columns, stride);
}

PackedRight pack_right(const MatrixView& from, std::span<std::uint16_t> into) {
  const std::size_t depth = from.transposed ? from.columns : from.rows;
  const std::size_t columns = from.transposed ? from.rows : from.columns;
  BECKON_CHECK(has_bf16() && into.size() == packed_right_size(depth, columns));
  if (from.transposed) {
    pack_turned(from, into.data());
  } else {
    pack_interleaved(from, into.data());
  }
  return {into.data(), depth, columns};
}

#else

PackedLeft pack_left(const MatrixView&, Bf16Storage&) {
  BECKON_CHECK(has_bf16());
  return {};
}

PackedRight pack_right(const MatrixView&, std::span<std::uint16_t>) {
  BECKON_CHECK(has_bf16());
  return {};
}

#endif

PackedRight pack_right(const MatrixView& from, Bf16Storage& into) {
  into.resize(packed_right_size(from.transposed ? from.columns : from.rows, from.transposed ? from.rows : from.columns));
  return pack_right(from, into.span());
}

}  // namespace beckon::tensor
