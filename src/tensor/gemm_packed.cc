#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <new>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

#include "beckon/tensor/packed.h"
#include "vectors512.h"

namespace beckon::tensor {
namespace {

constexpr std::align_val_t kAlignment{64};
constexpr std::size_t kLanes = 16;
constexpr std::size_t kStripRows = 6;     // 6 × 4 sums, 4 columns and a broadcast: 29 of the 32 registers
constexpr std::size_t kInnerMax = 512;    // a panel of so many rows is 64 kB: it stays in L2 while all strips go over it

}  // namespace

void Bf16Storage::Free::operator()(std::uint16_t* data) const {
  ::operator delete[](data, kAlignment);
}

void Bf16Storage::resize(std::size_t size) {
  if (size > capacity_) {
    capacity_ = std::max(size, capacity_ + capacity_ / 2);
    data_.reset(static_cast<std::uint16_t*>(::operator new[](capacity_ * sizeof(std::uint16_t), kAlignment)));
  }
  size_ = size;
}

#if defined(__x86_64__)
namespace {

// One strip of rows times one panel.
struct Strip {
  const std::uint16_t* a = nullptr;
  std::size_t row_stride = 0;
  std::size_t pair_stride = 0;
  const std::uint16_t* b = nullptr;
  std::size_t pairs = 0;
  float* c = nullptr;
  std::size_t stride = 0;
  const float* bias = nullptr;  // nullptr: none
  bool add = false;
  __mmask16 last = 0;  // lanes of the last vector of columns
};

#if defined(__SANITIZE_ADDRESS__)

// GCC 12's address sanitizer puts arrays of such vectors where they are not aligned (its bug 110027), so the kernel runs without it; every
// place that it will touch is asked for before, whole rows at a time.
#define BECKON_STRIP __attribute__((no_sanitize_address, no_sanitize_undefined)) BECKON_BF16

void check_place(const void* at, std::size_t bytes) {
  BECKON_CHECK(__asan_region_is_poisoned(const_cast<void*>(at), bytes) == nullptr);
}

void check_places(const Strip& s, std::size_t rows, std::size_t vectors) {
  const std::size_t columns = (vectors - 1) * kLanes + static_cast<std::size_t>(std::popcount(static_cast<std::uint32_t>(s.last)));
  BECKON_CHECK(s.pairs > 0 && reinterpret_cast<std::uintptr_t>(s.b) % static_cast<std::size_t>(kAlignment) == 0);
  check_place(s.b, s.pairs * vectors * 2 * kLanes * sizeof *s.b);
  for (std::size_t r = 0; r < rows; ++r) {
    check_place(s.c + r * s.stride, columns * sizeof *s.c);
    for (std::size_t p = 0; p < s.pairs; ++p) {
      check_place(s.a + r * s.row_stride + p * s.pair_stride, 2 * sizeof *s.a);
    }
  }
  if (s.bias != nullptr) {
    check_place(s.bias, columns * sizeof *s.bias);
  }
}

#else
#define BECKON_STRIP BECKON_BF16
void check_places(const Strip&, std::size_t, std::size_t) {}
#endif

BECKON_STRIP inline __m512bh pair_of(const std::uint16_t* at) {
  std::int32_t pair = 0;
  std::memcpy(&pair, at, sizeof pair);
  return reinterpret_cast<__m512bh>(_mm512_set1_epi32(pair));
}

template <std::size_t kRows, std::size_t kVectors>
BECKON_STRIP void multiply_strip(const Strip& s) {
  __m512 sum[kRows][kVectors];
  constexpr std::size_t kLast = kVectors - 1;
#pragma GCC unroll 8
  for (std::size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
    for (std::size_t v = 0; v < kVectors; ++v) {
      sum[r][v] = _mm512_setzero_ps();
      if (s.add) {  // they come from L3, and are wanted at the end
        _mm_prefetch(s.c + r * s.stride + v * kLanes, _MM_HINT_T0);
      }
    }
  }
  if (s.bias != nullptr) {
#pragma GCC unroll 8
    for (std::size_t v = 0; v < kVectors; ++v) {
      const __m512 bias = v < kLast ? _mm512_loadu_ps(s.bias + v * kLanes) : _mm512_maskz_loadu_ps(s.last, s.bias + v * kLanes);
#pragma GCC unroll 8
      for (std::size_t r = 0; r < kRows; ++r) {
        sum[r][v] = bias;
      }
    }
  }
  const std::uint16_t* a = s.a;
  const std::uint16_t* b = s.b;
  for (std::size_t p = 0; p < s.pairs; ++p, a += s.pair_stride, b += kVectors * 2 * kLanes) {
    __m512bh columns[kVectors];
#pragma GCC unroll 8
    for (std::size_t v = 0; v < kVectors; ++v) {
      columns[v] = reinterpret_cast<__m512bh>(_mm512_load_si512(b + v * 2 * kLanes));
    }
#pragma GCC unroll 8
    for (std::size_t r = 0; r < kRows; ++r) {
      const __m512bh left = pair_of(a + r * s.row_stride);
#pragma GCC unroll 8
      for (std::size_t v = 0; v < kVectors; ++v) {
        sum[r][v] = _mm512_dpbf16_ps(sum[r][v], columns[v], left);
      }
    }
  }
#pragma GCC unroll 8
  for (std::size_t r = 0; r < kRows; ++r) {
    float* row = s.c + r * s.stride;
#pragma GCC unroll 8
    for (std::size_t v = 0; v < kLast; ++v) {
      _mm512_storeu_ps(row + v * kLanes, s.add ? _mm512_add_ps(_mm512_loadu_ps(row + v * kLanes), sum[r][v]) : sum[r][v]);
    }
    const __m512 last = s.add ? _mm512_add_ps(_mm512_maskz_loadu_ps(s.last, row + kLast * kLanes), sum[r][kLast]) : sum[r][kLast];
    _mm512_mask_storeu_ps(row + kLast * kLanes, s.last, last);
  }
}

using StripKernel = void (*)(const Strip&);
template <std::size_t kRows>
constexpr std::array<StripKernel, 4> kOfRows{multiply_strip<kRows, 1>, multiply_strip<kRows, 2>, multiply_strip<kRows, 3>,
                                             multiply_strip<kRows, 4>};
constexpr std::array<std::array<StripKernel, 4>, kStripRows> kKernels{kOfRows<1>, kOfRows<2>, kOfRows<3>, kOfRows<4>, kOfRows<5>, kOfRows<6>};

// Columns `first` … of b, and rows begin … begin + count - 1 of it.
struct Part {
  std::size_t first = 0;
  std::size_t columns = 0;
  std::size_t begin = 0;
  std::size_t count = 0;
  const float* bias = nullptr;
  bool add = false;
};

// All rows of a times one part of b.
void multiply_part(const PackedLeft& a, const PackedRight& b, const MutableMatrix& c, const Part& part) {
  const std::size_t vectors = (part.columns + kLanes - 1) / kLanes;
  Strip strip;
  strip.row_stride = a.row_stride;
  strip.pair_stride = a.pair_stride;
  strip.b = b.bits + part.first * even(b.inner) + part.begin * vectors * kLanes;
  strip.pairs = (part.count + 1) / 2;
  strip.stride = c.stride;
  strip.bias = part.bias;
  strip.add = part.add;
  strip.last = inner::lanes(part.columns - (vectors - 1) * kLanes);
  for (std::size_t r = 0; r < a.rows; r += kStripRows) {
    strip.a = a.bits + r * a.row_stride + part.begin / 2 * a.pair_stride;
    strip.c = c.data + r * c.stride + part.first;
    const std::size_t rows = std::min(kStripRows, a.rows - r);
    check_places(strip, rows, vectors);
    kKernels[rows - 1][vectors - 1](strip);
  }
}

}  // namespace

void gemm(const PackedLeft& a, const PackedRight& b, const MutableMatrix& c, const PackedMode& mode) {
  BECKON_CHECK(mode.bias.empty() || mode.bias.size() == c.columns);
  BECKON_CHECK(has_bf16() && a.inner == b.inner && a.inner > 0 && c.rows == a.rows && c.columns == b.columns && c.stride >= c.columns);
  for (std::size_t begin = 0; begin < a.inner; begin += kInnerMax) {
    const std::size_t count = std::min(kInnerMax, a.inner - begin);
    for (std::size_t first = 0; first < b.columns; first += kPanelColumns) {
      const std::size_t columns = std::min(kPanelColumns, b.columns - first);
      const float* bias = begin > 0 || mode.bias.empty() ? nullptr : mode.bias.data() + first;
      multiply_part(a, b, c, {first, columns, begin, count, bias, begin > 0 || mode.into == Into::kAdd});
    }
  }
}

#else

void gemm(const PackedLeft&, const PackedRight&, const MutableMatrix&, const PackedMode&) {
  BECKON_CHECK(has_bf16());
}

#endif

}  // namespace beckon::tensor
