// Training in bfloat16 would learn from wrong numbers if a packed product or the softmax between two of them differed from its scalar twin.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "beckon/base/rng.h"
#include "beckon/tensor/reference.h"
#include "beckon/tensor/tensor.h"

namespace beckon::tensor {
namespace {

std::vector<float> noise(std::size_t count, std::uint64_t seed, double deviation = 1) {
  base::Rng rng(seed);
  std::vector<float> out(count);
  for (float& value : out) {
    value = static_cast<float>(deviation * rng.normal());
  }
  return out;
}

void expect_near(std::span<const float> got, std::span<const float> expected, const char* what) {
  ASSERT_EQ(got.size(), expected.size()) << what;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double error = std::abs(static_cast<double>(got[i]) - static_cast<double>(expected[i]));
    ASSERT_LE(error, 2e-5 * (1 + std::abs(static_cast<double>(expected[i])))) << what << " at " << i;
  }
}

double rounded(float x) {
  std::uint16_t bits = 0;
  round_to_bf16({&x, 1}, {&bits, 1});
  return static_cast<double>(from_bf16(bits));
}

// Strips of six rows, vectors of 16 columns and panels of 64, pairs: with every kind of rest.
const std::vector<std::size_t> kSizes{1, 2, 3, 5, 6, 7, 15, 16, 17, 33, 64, 65, 130};

TEST(Packed, PackingKeepsEveryRoundedNumberInItsPlaceAndFillsOddEndsWithZeros) {
  if (!has_bf16()) {
    GTEST_SKIP() << "no bfloat16 instructions here";
  }
  for (const std::size_t rows : kSizes) {
    for (const std::size_t columns : kSizes) {
      const auto x = noise(rows * (columns + 1), rows + columns);
      const MatrixView plain{x.data(), rows, columns, columns + 1, false};
      Bf16Storage storage[4];
      const auto left = pack_left(plain, storage[0]);
      const auto left_turned = pack_left(plain.t(), storage[1]);
      const auto right = pack_right(plain, storage[2]);
      const auto right_turned = pack_right(plain.t(), storage[3]);
      for (std::size_t r = 0; r < rows; ++r) {
        for (std::size_t c = 0; c < columns; ++c) {
          const double expected = rounded(x[r * (columns + 1) + c]);
          ASSERT_EQ(reference::number_of(left, r, c), expected);
          ASSERT_EQ(reference::number_of(left_turned, c, r), expected);
          ASSERT_EQ(reference::number_of(right, r, c), expected);
          ASSERT_EQ(reference::number_of(right_turned, c, r), expected);
        }
      }
      for (std::size_t r = 0; columns % 2 != 0 && r < rows; ++r) {
        ASSERT_EQ(reference::number_of(left, r, columns), 0.0);
        ASSERT_EQ(reference::number_of(right_turned, columns, r), 0.0);
      }
      for (std::size_t c = 0; rows % 2 != 0 && c < columns; ++c) {
        ASSERT_EQ(reference::number_of(left_turned, c, rows), 0.0);
        ASSERT_EQ(reference::number_of(right, rows, c), 0.0);
      }
    }
  }
}

TEST(Packed, GemmAgreesWithTheTwinWritesNothingElseAndIsRepeatable) {
  if (!has_bf16()) {
    GTEST_SKIP() << "no bfloat16 instructions here";
  }
  for (const std::size_t m : kSizes) {
    for (const std::size_t n : kSizes) {
      for (const std::size_t k : {1U, 2U, 63U, 1030U}) {  // the last one: three passes over the sums
        const auto a = noise(m * k, 1, .3);
        const auto b = noise(k * n, 2, .3);
        Bf16Storage left_bits;
        Bf16Storage right_bits;
        const auto left = pack_left(m % 2 == 0 ? view(a, m, k) : view(a, k, m).t(), left_bits);
        const auto right = pack_right(n % 2 == 0 ? view(b, k, n) : view(b, n, k).t(), right_bits);
        const auto bias = noise(n, 4);
        for (const PackedMode& mode : {PackedMode(Into::kOverwrite), PackedMode(Into::kAdd), PackedMode(Into::kOverwrite, bias), PackedMode(Into::kAdd, bias)}) {
          auto got = noise(m * (n + 3), 3);
          auto expected = got;
          auto again = got;
          gemm(left, right, {got.data(), m, n, n + 3}, mode);
          gemm(left, right, {again.data(), m, n, n + 3}, mode);
          ASSERT_EQ(got, again);
          reference::gemm(left, right, {expected.data(), m, n, n + 3}, mode);
          expect_near(got, expected, "packed gemm");
        }
      }
    }
  }
}

TEST(Packed, SomeRowsOfAPackedFactorGiveThoseRowsOfTheProduct) {
  if (!has_bf16()) {
    GTEST_SKIP() << "no bfloat16 instructions here";
  }
  const auto a = noise(9 * 70, 1);
  const auto b = noise(70 * 20, 2);
  Bf16Storage left_bits;
  Bf16Storage right_bits;
  const auto left = pack_left(view(a, 9, 70), left_bits);
  const auto right = pack_right(view(b, 70, 20), right_bits);
  std::vector<float> all(9 * 20);
  std::vector<float> some(5 * 20);
  gemm(left, right, {all.data(), 9, 20, 20});
  gemm(left.some_rows(2, 5), right, {some.data(), 5, 20, 20});
  EXPECT_TRUE(std::equal(some.begin(), some.end(), all.begin() + 2 * 20));
}

TEST(Packed, SoftmaxTileAgreesWithTheTwinForBothProductsAndKeepsTheLargestSoFar) {
  if (!has_bf16()) {
    GTEST_SKIP() << "no bfloat16 instructions here";
  }
  for (const std::size_t rows : {1U, 2U, 7U}) {
    for (const std::size_t columns : kSizes) {
      auto logits = noise(rows * columns, 1, 8);
      logits[0] = columns > 1 ? -1e30F : logits[0];
      const std::size_t stride = packed_columns(columns);
      std::vector<float> top[2];
      std::vector<float> sum[2];
      std::vector<std::uint16_t> by_row[2];
      std::vector<std::uint16_t> by_column[2];
      for (int twin = 0; twin < 2; ++twin) {
        top[twin].assign(rows, -std::numeric_limits<float>::infinity());
        top[twin].back() = 30;
        sum[twin].resize(rows);
        by_row[twin].assign(rows * stride, 1);
        by_column[twin].assign(even(rows) * stride, 1);
        const PackedSoftmaxTile tile{logits, columns, by_row[twin], by_column[twin]};
        twin == 0 ? packed_softmax_tile(tile, top[twin], sum[twin]) : reference::packed_softmax_tile(tile, top[twin], sum[twin]);
      }
      EXPECT_EQ(top[0], top[1]);
      expect_near(sum[0], sum[1], "row sums");
      for (std::size_t i = 0; i < by_column[0].size(); ++i) {
        // A rounding apart where the exponential is beside the middle of two numbers.
        ASSERT_NEAR(from_bf16(by_column[0][i]), from_bf16(by_column[1][i]), .0079F * from_bf16(by_column[1][i]) + 1e-37F) << i;
      }
      for (std::size_t i = 0; i < by_row[0].size(); ++i) {
        ASSERT_EQ(by_row[0][i], by_column[0][i / stride / 2 * 2 * stride + 2 * (i % stride) + i / stride % 2]) << i;
      }
    }
  }
}

TEST(Packed, ANumberThatIsNoneReachesTheSum) {
  if (!has_bf16()) {
    GTEST_SKIP() << "no bfloat16 instructions here";
  }
  std::vector<float> logits(20, 1.0F);
  logits[17] = std::numeric_limits<float>::quiet_NaN();
  std::vector<std::uint16_t> by_row(32);
  std::vector<std::uint16_t> by_column(64);
  std::vector<float> top{0};
  std::vector<float> sum{0};
  packed_softmax_tile({logits, 20, by_row, by_column}, top, sum);
  EXPECT_TRUE(std::isnan(sum[0]));
}

TEST(Packed, ColumnSumsAgreeWithTheTwin) {
  for (const std::size_t rows : {1U, 2U, 8U, 11U, 19U}) {
    for (const std::size_t columns : kSizes) {
      const auto x = noise(even(rows) * packed_columns(columns), 1);
      std::vector<std::uint16_t> bits(x.size());
      round_to_bf16(x, bits);
      const auto weight = noise(rows, 2);
      auto got = noise(columns, 3);
      auto expected = got;
      add_interleaved_column_sums(bits, weight, got);
      reference::add_interleaved_column_sums(bits, weight, expected);
      expect_near(got, expected, "column sums");
    }
  }
}

}  // namespace
}  // namespace beckon::tensor
