#include "beckon/tensor/codes.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "beckon/base/check.h"
#include "clones.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

// A block of 8 bits holds, for every four columns, four bytes of each row. A block of 4 bits holds, for every eight columns, four bytes
// of each row: the first four columns in the low halves, the next four in the high ones.
namespace beckon::tensor {
namespace {

using Sums = std::int32_t[kCodeRows];

void block_sums_plain(const CodeTile& tile, const std::uint8_t* block, const std::int8_t* query, std::int32_t* __restrict sums) {
  const bool halves = tile.bits == 4;
  std::fill_n(sums, kCodeRows, 0);
  for (std::size_t c = 0; c < tile.width; c += halves ? 8 : 4, block += 4 * kCodeRows) {
    for (std::size_t r = 0; r < kCodeRows; ++r) {
      for (std::size_t j = 0; j < 4; ++j) {
        const int byte = block[4 * r + j];
        sums[r] += halves ? (byte & 15) * query[c + j] + (byte >> 4) * query[c + 4 + j] : byte * query[c + j];
      }
    }
  }
}

#if defined(__x86_64__)

std::int32_t four_of(const std::int8_t* query) {
  std::int32_t four = 0;
  std::memcpy(&four, query, sizeof four);
  return four;
}

#define BECKON_VNNI __attribute__((target("avx512f,avx512bw,avx512vnni")))

// bytes: 16 rows. Whole bytes: the first four columns only.
BECKON_VNNI inline __m512i add_products(__m512i sum, const std::uint8_t* bytes, bool halves, __m512i first, __m512i second) {
  const __m512i low = _mm512_set1_epi8(15);
  const __m512i codes = _mm512_loadu_si512(bytes);
  if (!halves) {
    return _mm512_dpbusd_epi32(sum, codes, first);
  }
  sum = _mm512_dpbusd_epi32(sum, _mm512_and_si512(codes, low), first);
  return _mm512_dpbusd_epi32(sum, _mm512_and_si512(_mm512_srli_epi16(codes, 4), low), second);
}

// Four variables, no array: GCC 12's address sanitizer puts arrays of such vectors where they are not aligned (its bug 110027).
BECKON_VNNI void block_sums_vnni(const CodeTile& tile, const std::uint8_t* block, const std::int8_t* query, std::int32_t* sums) {
  static_assert(kCodeRows == 64);
  const bool halves = tile.bits == 4;
  __m512i a = _mm512_setzero_si512();
  __m512i b = a;
  __m512i c = a;
  __m512i d = a;
  for (std::size_t column = 0; column < tile.width; column += halves ? 8 : 4, block += 4 * kCodeRows) {
    const __m512i first = _mm512_set1_epi32(four_of(query + column));
    const __m512i second = halves ? _mm512_set1_epi32(four_of(query + column + 4)) : first;
    a = add_products(a, block, halves, first, second);
    b = add_products(b, block + 64, halves, first, second);
    c = add_products(c, block + 128, halves, first, second);
    d = add_products(d, block + 192, halves, first, second);
  }
  _mm512_storeu_si512(sums, a);
  _mm512_storeu_si512(sums + 16, b);
  _mm512_storeu_si512(sums + 32, c);
  _mm512_storeu_si512(sums + 48, d);
}

// Bytes of 0 … 15: sums of two products fit into 16 bits, where those of whole bytes would be cut off.
__attribute__((target("avx2"))) __m256i dot_of_halves(__m256i halves, __m256i query) {
  return _mm256_madd_epi16(_mm256_maddubs_epi16(halves, query), _mm256_set1_epi16(1));
}

__attribute__((target("avx2"))) void block_sums_avx2(const CodeTile& tile, const std::uint8_t* block, const std::int8_t* query,
                                                     std::int32_t* sums) {
  const __m256i low = _mm256_set1_epi8(15);
  __m256i sum[kCodeRows / 8] = {};
  for (std::size_t c = 0; c < tile.width; c += tile.bits == 4 ? 8 : 4, block += 4 * kCodeRows) {
    const __m256i first = _mm256_set1_epi32(four_of(query + c));
    const __m256i second = tile.bits == 4 ? _mm256_set1_epi32(four_of(query + c + 4)) : first;
    for (std::size_t v = 0; v < kCodeRows / 8; ++v) {
      const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(block + 32 * v));
      const __m256i of_low = dot_of_halves(_mm256_and_si256(bytes, low), first);
      const __m256i of_high = dot_of_halves(_mm256_and_si256(_mm256_srli_epi16(bytes, 4), low), second);
      sum[v] = _mm256_add_epi32(sum[v], _mm256_add_epi32(of_low, tile.bits == 4 ? of_high : _mm256_slli_epi32(of_high, 4)));
    }
  }
  for (std::size_t v = 0; v < kCodeRows / 8; ++v) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(sums + 8 * v), sum[v]);
  }
}

__attribute__((target("avx512f"))) std::size_t find_avx512(const float* x, float threshold, std::size_t whole, std::uint32_t* index) {
  const __m512 limit = _mm512_set1_ps(threshold);
  std::size_t found = 0;
  for (std::size_t i = 0; i < whole; i += 16) {
    for (unsigned mask = _mm512_cmp_ps_mask(_mm512_loadu_ps(x + i), limit, _CMP_GE_OQ); mask != 0; mask &= mask - 1) {
      index[found++] = static_cast<std::uint32_t>(i) + static_cast<std::uint32_t>(std::countr_zero(mask));
    }
  }
  return found;
}

#endif

using BlockSums = void (*)(const CodeTile&, const std::uint8_t*, const std::int8_t*, std::int32_t*);

BlockSums best_block_sums() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512vnni") != 0 && __builtin_cpu_supports("avx512bw") != 0) {
    return block_sums_vnni;
  }
  if (__builtin_cpu_supports("avx2") != 0) {
    return block_sums_avx2;
  }
#endif
  return block_sums_plain;
}

BECKON_CLONES void finish_block(const std::int32_t* __restrict sums, const float* __restrict scale, const float* __restrict bias,
                                const CodeQuery& query, float* __restrict out) {
  const float factor = query.factor;
  const float offset = query.offset;
  for (std::size_t r = 0; r < kCodeRows; ++r) {
    out[r] = scale[r] * (factor * static_cast<float>(sums[r]) + offset) + bias[r];
  }
}

void run_blocks(BlockSums block_sums, const CodeTile& tile, const CodeQuery& query, std::span<float> out) {
  const std::size_t rows = tile.scale.size();
  const std::size_t bytes = code_block_bytes(tile.bits, tile.width);
  BECKON_CHECK((tile.bits == 4 || tile.bits == 8) && tile.width % 8 == 0 && tile.width <= 4096 && rows % kCodeRows == 0);
  BECKON_CHECK(tile.codes.size() == rows / kCodeRows * bytes && tile.bias.size() == rows && out.size() == rows);
  BECKON_CHECK(query.query.size() == tile.width);
  Sums sums;
  for (std::size_t r = 0; r < rows; r += kCodeRows) {
    block_sums(tile, tile.codes.data() + r / kCodeRows * bytes, query.query.data(), sums);
    finish_block(sums, tile.scale.data() + r, tile.bias.data() + r, query, out.data() + r);
  }
}

}  // namespace

void pack_codes(std::size_t bits, std::span<const std::uint8_t> codes, std::span<std::uint8_t> block) {
  const std::size_t width = codes.size() / kCodeRows;
  BECKON_CHECK((bits == 4 || bits == 8) && width % 8 == 0 && codes.size() == width * kCodeRows);
  BECKON_CHECK(block.size() == code_block_bytes(bits, width));
  std::size_t to = 0;
  for (std::size_t c = 0; c < width; c += bits == 4 ? 8 : 4) {
    for (std::size_t r = 0; r < kCodeRows; ++r) {
      for (std::size_t j = 0; j < 4; ++j, ++to) {
        const std::uint8_t* code = &codes[r * width + c + j];
        block[to] = bits == 4 ? static_cast<std::uint8_t>(code[0] | (code[4] << 4)) : code[0];
      }
    }
  }
}

void code_scores(const CodeTile& tile, const CodeQuery& query, std::span<float> out) {
  static const BlockSums kBest = best_block_sums();
  run_blocks(kBest, tile, query, out);
}

namespace reference {
void code_scores(const CodeTile& tile, const CodeQuery& query, std::span<float> out) {
  run_blocks(block_sums_plain, tile, query, out);
}
#if defined(__x86_64__)
bool code_scores_avx2(const CodeTile& tile, const CodeQuery& query, std::span<float> out) {
  if (__builtin_cpu_supports("avx2") == 0) {
    return false;
  }
  run_blocks(block_sums_avx2, tile, query, out);
  return true;
}
#else
bool code_scores_avx2(const CodeTile&, const CodeQuery&, std::span<float>) { return false; }
#endif
}  // namespace reference

std::size_t find_at_least(std::span<const float> x, float threshold, std::span<std::uint32_t> index) {
  BECKON_CHECK(index.size() >= x.size());
  std::size_t i = 0;
  std::size_t found = 0;
#if defined(__x86_64__)
  static const bool kWide = __builtin_cpu_supports("avx512f") != 0;
  if (kWide) {
    i = x.size() / 16 * 16;
    found = find_avx512(x.data(), threshold, i, index.data());
  }
#endif
  for (; i < x.size(); ++i) {
    index[found] = static_cast<std::uint32_t>(i);
    found += x[i] >= threshold ? 1U : 0U;
  }
  return found;
}

}  // namespace beckon::tensor
