// The best items would be missed if sums over codes differed from the sums they stand for.
#include "beckon/tensor/codes.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "beckon/base/rng.h"
#include "beckon/tensor/matrix.h"
#include "beckon/tensor/reference.h"

namespace beckon::tensor {
namespace {

struct Table {
  std::size_t bits = 8, width = 8;
  std::vector<std::uint8_t> plain, packed;
  std::vector<float> scale, bias;
  std::vector<std::int8_t> query;

  CodeTile tile() const { return {bits, width, packed, scale, bias}; }
};

// `extreme`: the largest codes and queries everywhere, where sums of 16 bits would be cut off.
Table some_table(std::size_t bits, std::size_t width, bool extreme) {
  constexpr std::size_t kBlocks = 3;
  base::Rng rng(bits * 1000 + width);
  Table t{bits, width, {}, {}, {}, {}, {}};
  t.plain.resize(kBlocks * kCodeRows * width);
  for (auto& code : t.plain) {
    code = static_cast<std::uint8_t>(extreme ? (1U << bits) - 1 : rng.below(1U << bits));
  }
  t.packed.resize(kBlocks * code_block_bytes(bits, width));
  for (std::size_t b = 0; b < kBlocks; ++b) {
    pack_codes(bits, std::span(t.plain).subspan(b * kCodeRows * width, kCodeRows * width),
               std::span(t.packed).subspan(b * code_block_bytes(bits, width), code_block_bytes(bits, width)));
  }
  t.scale.assign(kBlocks * kCodeRows, 1);
  t.bias.assign(kBlocks * kCodeRows, 0);
  for (std::size_t c = 0; c < width; ++c) {
    t.query.push_back(static_cast<std::int8_t>(extreme ? (width % 16 == 0 ? 127 : -127) : static_cast<int>(rng.below(255)) - 127));
  }
  return t;
}

TEST(CodeScores, AddUpTheSameWholeNumbersOnEveryInstructionSet) {
  for (const std::size_t bits : {4U, 8U}) {
    for (const std::size_t width : {8U, 16U, 40U, 128U, 256U}) {
      for (const bool extreme : {false, true}) {
        const Table t = some_table(bits, width, extreme);
        std::vector<float> best(t.scale.size()), plain(best), avx2(best);
        code_scores(t.tile(), {t.query}, best);
        reference::code_scores(t.tile(), {t.query}, plain);
        EXPECT_EQ(best, plain);
        if (reference::code_scores_avx2(t.tile(), {t.query}, avx2)) {
          EXPECT_EQ(avx2, plain);
        }
        for (std::size_t r = 0; r < plain.size(); ++r) {
          std::int64_t sum = 0;
          for (std::size_t c = 0; c < width; ++c) {
            sum += std::int64_t{t.plain[r * width + c]} * t.query[c];
          }
          ASSERT_EQ(static_cast<double>(plain[r]), static_cast<double>(sum)) << bits << " bits, width " << width << ", row " << r;
        }
      }
    }
  }
}

TEST(CodeScores, ScaleOffsetAndBiasAreTheRows) {
  Table t = some_table(4, 16, false);
  std::vector<float> sums(t.scale.size()), got(sums);
  code_scores(t.tile(), {t.query}, sums);
  for (std::size_t r = 0; r < sums.size(); ++r) {
    t.scale[r] = .25F * static_cast<float>(r % 7);
    t.bias[r] = static_cast<float>(r) - 50;
  }
  code_scores(t.tile(), {t.query, .5F, 8}, got);
  for (std::size_t r = 0; r < sums.size(); ++r) {
    EXPECT_FLOAT_EQ(got[r], t.scale[r] * (.5F * sums[r] + 8) + t.bias[r]);
  }
}

TEST(FindAtLeast, NamesEveryEntryOnceInOrderAndNoNan) {
  base::Rng rng(4);
  for (const std::size_t count : {0U, 1U, 15U, 16U, 17U, 250U}) {
    std::vector<float> x(count);
    for (float& value : x) {
      value = rng.chance(.1) ? std::numeric_limits<float>::quiet_NaN() : static_cast<float>(rng.normal());
    }
    for (const float threshold : {-std::numeric_limits<float>::infinity(), 0.0F, 2.0F, x.empty() ? 0.0F : x[0]}) {
      std::vector<std::uint32_t> expected, got(count);
      for (std::size_t i = 0; i < count; ++i) {
        if (x[i] >= threshold) {
          expected.push_back(static_cast<std::uint32_t>(i));
        }
      }
      got.resize(find_at_least(x, threshold, got));
      EXPECT_EQ(got, expected);
    }
  }
}

TEST(Bf16, UnpackingGivesTheRoundedNumber) {
  const std::vector<float> from{0, 1, -1, 3.14159F, 1e30F, -2.5e-30F};
  std::vector<std::uint16_t> bits(from.size());
  std::vector<float> to(from.size());
  round_to_bf16(from, bits);
  unpack_bf16(bits, to);
  for (std::size_t i = 0; i < from.size(); ++i) {
    EXPECT_EQ(to[i], from_bf16(bits[i]));
    EXPECT_NEAR(to[i], from[i], std::abs(from[i]) / 256);
  }
}

}  // namespace
}  // namespace beckon::tensor
