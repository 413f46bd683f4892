#pragma once
// Scores of table rows that are kept as small whole numbers: a quarter or an eighth of the memory of floats, hence of the time it
// takes to read them. The scalar twin of code_scores is in reference.h; both add the same whole numbers.

#include <cstddef>
#include <cstdint>
#include <span>

namespace beckon::tensor {

/// Rows come in blocks of this many, interleaved by fours of columns, so that one vector register holds the sums of different rows.
constexpr std::size_t kCodeRows = 64;

/// Bytes of a block of kCodeRows rows. bits: 4 or 8; width: a multiple of 8.
constexpr std::size_t code_block_bytes(std::size_t bits, std::size_t width) { return kCodeRows * width * bits / 8; }

/// codes: kCodeRows × width numbers below 2^bits → one block.
void pack_codes(std::size_t bits, std::span<const std::uint8_t> codes, std::span<std::uint8_t> block);

/// Some blocks of a table. scale and bias have one entry a row; rows = blocks · kCodeRows.
struct CodeTile {
  std::size_t bits = 8;
  std::size_t width = 0;                ///< 8 … 4,096, a multiple of 8
  std::span<const std::uint8_t> codes;  ///< blocks × code_block_bytes
  std::span<const float> scale;
  std::span<const float> bias;
};
struct CodeQuery {
  std::span<const std::int8_t> query;  ///< width entries, -127 … 127
  float factor = 1;
  float offset = 0;
};
/// out(r) = scale(r) · (factor · Σ_c code(r, c) · query(c) + offset) + bias(r). Uses VNNI or AVX2 where the processor has it.
void code_scores(const CodeTile& tile, const CodeQuery& query, std::span<float> out);

/// Indices of the entries of `x` that are >= threshold, ascending, into `index` (as long as x); returns how many. NaN is none.
std::size_t find_at_least(std::span<const float> x, float threshold, std::span<std::uint32_t> index);

}  // namespace beckon::tensor
