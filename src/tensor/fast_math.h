#pragma once
// Arithmetic that must be inlined into the kernels' clones.

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "clones.h"

namespace beckon::tensor::inner {

// Reductions keep this many partial sums: without them the compiler may not reorder additions and writes scalar code.
constexpr std::size_t kLanes = 16;

// Cephes' expf: x = n·ln 2 + r, a polynomial for e^r, and n goes into the exponent. Adding 1.5 · 2^23 rounds to nearest.
BECKON_INLINE float exp_inline(float x) {
  constexpr float kRound = 12582912.0F;
  x = x < -87.0F ? -87.0F : x;
  x = x > 88.0F ? 88.0F : x;
  const float shifted = x * 1.44269504088896341F + kRound;
  const float n = shifted - kRound;
  const float r = (x - n * 0.693359375F) + n * 2.12194440e-4F;
  float p = 1.9875691500e-4F;
  p = p * r + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  p = (p * r) * r + r + 1.0F;
  const std::int32_t exponent = std::bit_cast<std::int32_t>(shifted) - std::bit_cast<std::int32_t>(kRound);
  return p * std::bit_cast<float>((exponent + 127) << 23);
}

BECKON_INLINE float sigmoid_inline(float x) {
  return 1.0F / (1.0F + exp_inline(-x));
}

// Half of the last kept bit is added, less one when that bit is 0: ties go to even. The usual NaNs stay NaNs.
BECKON_INLINE std::uint16_t bf16_inline(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  return static_cast<std::uint16_t>((bits + 0x7FFFU + ((bits >> 16U) & 1U)) >> 16U);
}

// Absolute error below 2e-7; relative error grows for tiny x, where the gates multiply it away.
BECKON_INLINE float tanh_inline(float x) {
  return 2.0F * sigmoid_inline(2.0F * x) - 1.0F;
}

// Wellons' lowbias32 over counter and key.
BECKON_INLINE std::uint32_t hash_inline(std::uint32_t key, std::uint32_t counter) {
  std::uint32_t x = counter * 0x9E3779B9U + key;
  x ^= x >> 16U;
  x *= 0x7FEB352DU;
  x ^= x >> 15U;
  x *= 0x846CA68BU;
  x ^= x >> 16U;
  return x;
}

// The threshold compares 31 bits: signed comparisons exist in every vector instruction set.
struct Mask {
  std::uint32_t key = 0;
  std::uint32_t first = 0;
  std::int32_t threshold = 0;
  float scale = 1;
};
BECKON_INLINE Mask make_mask(float rate, std::uint32_t key, std::uint32_t first) {
  return {key, first, static_cast<std::int32_t>(rate * 2147483648.0F), 1.0F / (1.0F - rate)};
}
BECKON_INLINE float mask_at(const Mask& mask, std::size_t i) {
  const auto bits = hash_inline(mask.key, mask.first + static_cast<std::uint32_t>(i)) >> 1U;
  return static_cast<std::int32_t>(bits) >= mask.threshold ? mask.scale : 0.0F;
}

BECKON_INLINE float fold_lanes(float* lane) {
  for (std::size_t step = kLanes / 2; step > 0; step /= 2) {
    for (std::size_t l = 0; l < step; ++l) {
      lane[l] += lane[l + step];
    }
  }
  return lane[0];
}

BECKON_INLINE float dot_inline(const float* a, const float* b, std::size_t count) {
  float lane[kLanes] = {};
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (std::size_t l = 0; l < kLanes; ++l) {
      lane[l] += a[i + l] * b[i + l];
    }
  }
  for (std::size_t l = 0; i + l < count; ++l) {
    lane[l] += a[i + l] * b[i + l];
  }
  return fold_lanes(lane);
}

BECKON_INLINE float sum_inline(const float* a, std::size_t count) {
  float lane[kLanes] = {};
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (std::size_t l = 0; l < kLanes; ++l) {
      lane[l] += a[i + l];
    }
  }
  for (std::size_t l = 0; i + l < count; ++l) {
    lane[l] += a[i + l];
  }
  return fold_lanes(lane);
}

BECKON_INLINE float max_inline(const float* a, std::size_t count) {
  float lane[kLanes];
  for (std::size_t l = 0; l < kLanes; ++l) {
    lane[l] = a[0];
  }
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (std::size_t l = 0; l < kLanes; ++l) {
      lane[l] = lane[l] > a[i + l] ? lane[l] : a[i + l];
    }
  }
  for (std::size_t l = 0; i + l < count; ++l) {
    lane[l] = lane[l] > a[i + l] ? lane[l] : a[i + l];
  }
  float best = lane[0];
  for (std::size_t l = 1; l < kLanes; ++l) {
    best = best > lane[l] ? best : lane[l];
  }
  return best;
}

BECKON_INLINE void axpy_inline(float a, const float* x, float* y, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    y[i] += a * x[i];
  }
}

}  // namespace beckon::tensor::inner
