#pragma once
// What the kernels written for AVX-512 with bfloat16 share. They run only where has_bf16() says so.

#if defined(__x86_64__)
#include <immintrin.h>

#define BECKON_BF16 __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")))

namespace beckon::tensor::inner {

/// Order of 32 halves that interleaves the low sixteen with the high sixteen.
BECKON_BF16 inline __m512i interleaving() {
  const __m512i low = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
  return _mm512_or_si512(low, _mm512_slli_epi32(_mm512_add_epi32(low, _mm512_set1_epi32(16)), 16));
}

/// First `count` lanes of sixteen, all when there are more.
BECKON_BF16 inline __mmask16 lanes(std::size_t count) {
  return static_cast<__mmask16>(count >= 16 ? 0xFFFFU : (1U << count) - 1U);
}

/// Pairs (low lane i, high lane i).
BECKON_BF16 inline __m512i interleaved(__m512i low_and_high, __m512i order) {
  return _mm512_permutexvar_epi16(order, low_and_high);
}

}  // namespace beckon::tensor::inner
#endif
