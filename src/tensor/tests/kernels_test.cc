// The model would learn from wrong numbers if a fused kernel differed from its scalar twin.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
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

// Widths around the 16 lanes, so that every tail loop runs.
const std::vector<std::size_t> kWidths{1, 7, 16, 33, 64, 96};

TEST(FastExp, StaysWithinTheStatedErrorOverTheWholeRange) {
  double worst = 0;
  for (double x = -87; x <= 88; x += 0.00137) {
    const double exact = std::exp(static_cast<double>(static_cast<float>(x)));
    worst = std::max(worst, std::abs(static_cast<double>(fast_exp(static_cast<float>(x))) / exact - 1));
  }
  EXPECT_LT(worst, 3e-7);
  EXPECT_GT(fast_exp(-1e30F), 0.0F);
  EXPECT_TRUE(std::isfinite(fast_exp(1e30F)));
  EXPECT_EQ(fast_exp(0), 1.0F);
}

TEST(Gemm, AgreesWithTheTripleLoopInEveryTranspositionAndStride) {
  for (const std::size_t m : {1U, 5U, 33U}) {
    for (const std::size_t n : {1U, 48U, 130U}) {
      for (int mode = 0; mode < 8; ++mode) {
        const std::size_t k = 19;
        const bool a_turned = (mode & 1) != 0;
        const bool b_turned = (mode & 2) != 0;
        const Into into = (mode & 4) != 0 ? Into::kAdd : Into::kOverwrite;
        const auto a = noise(m * k * 2, 1);
        const auto b = noise(k * n * 2, 2);
        auto got = noise(m * (n + 3), 3);
        auto expected = got;
        const MatrixView left =
            a_turned ? MatrixView{a.data(), k, m, m + 1, false}.t() : MatrixView{a.data(), m, k, k + 1, false};
        const MatrixView right = b_turned ? MatrixView{b.data(), n, k, k, false}.t() : MatrixView{b.data(), k, n, n, false};
        gemm(left, right, {got.data(), m, n, n + 3}, into);
        reference::gemm(left, right, {expected.data(), m, n, n + 3}, into);
        expect_near(got, expected, "gemm");
      }
    }
  }
}

float rounded(float x) {
  std::uint16_t bits = 0;
  round_to_bf16({&x, 1}, {&bits, 1});
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16U);
}

TEST(Bf16, RoundsToNearestTiesToEvenAndKeepsWhatIsNoNumber) {
  EXPECT_EQ(rounded(1.0F), 1.0F);
  EXPECT_EQ(rounded(1.0F + 1.0F / 256), 1.0F);               // halfway, the even one is below
  EXPECT_EQ(rounded(1.0F + 3.0F / 256), 1.0F + 1.0F / 64);   // halfway, the even one is above
  EXPECT_EQ(rounded(1.0F + 1.1F / 256), 1.0F + 1.0F / 128);  // above halfway
  EXPECT_EQ(rounded(-3.0F), -3.0F);
  EXPECT_TRUE(std::isinf(rounded(INFINITY)));
  EXPECT_TRUE(std::isnan(rounded(NAN)));
}

// The twin multiplies the rounded numbers; sums differ only in order.
TEST(Bf16, GemmAgreesWithTheTripleLoopOverRoundedNumbersAndIsRepeatable) {
  for (const std::size_t m : {1U, 5U, 33U, 128U}) {
    for (const std::size_t n : {1U, 48U, 130U}) {
      for (int mode = 0; mode < 8; ++mode) {
        const std::size_t k = 19 + m;
        const bool a_turned = (mode & 1) != 0;
        const bool b_turned = (mode & 2) != 0;
        const Into into = (mode & 4) != 0 ? Into::kAdd : Into::kOverwrite;
        auto a = noise((m + 1) * (k + 1), 1);
        auto b = noise(k * n, 2);
        auto got = noise(m * (n + 3), 3);
        auto expected = got;
        auto again = got;
        const MatrixView left =
            a_turned ? MatrixView{a.data(), k, m, m + 1, false}.t() : MatrixView{a.data(), m, k, k + 1, false};
        const MatrixView right = b_turned ? MatrixView{b.data(), n, k, k, false}.t() : MatrixView{b.data(), k, n, n, false};
        gemm(left, right, {got.data(), m, n, n + 3}, {into, Precision::kBf16});
        gemm(left, right, {again.data(), m, n, n + 3}, {into, Precision::kBf16});
        EXPECT_EQ(got, again);
        if (has_bf16()) {
          std::ranges::transform(a, a.begin(), rounded);
          std::ranges::transform(b, b.begin(), rounded);
        }
        reference::gemm(left, right, {expected.data(), m, n, n + 3}, into);
        expect_near(got, expected, "bf16 gemm");
      }
    }
  }
}

TEST(Dropout, DropsTheStatedShareKeepsTheMeanAndDoesNotDependOnTheCut) {
  const Dropout dropout{.2F, 77, 1000};
  std::vector<float> x(200'000, 1.0F);
  apply_dropout(dropout, x);
  double mean = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    ASSERT_EQ(x[i], reference::dropout_factor(dropout, static_cast<std::uint32_t>(i)));
    mean += static_cast<double>(x[i]) / 200'000.0;
  }
  EXPECT_NEAR(mean, 1.0, 0.006);  // five standard errors
  std::vector<float> tail(1000, 1.0F);
  apply_dropout({.2F, 77, 1000 + 5000}, tail);
  EXPECT_TRUE(std::equal(tail.begin(), tail.end(), x.begin() + 5000));
  std::vector<float> other(1000, 1.0F);
  apply_dropout({.2F, 78, 1000 + 5000}, other);
  EXPECT_NE(tail, other);
}

TEST(LayerNorm, ForwardAndBackwardAgreeWithTheTwin) {
  for (const std::size_t width : kWidths) {
    const std::size_t rows = 5;
    const auto x = noise(rows * width, 1, 3);
    const auto gain = noise(width, 2);
    const auto shift = noise(width, 3);
    const auto dy = noise(rows * width, 4);
    std::vector<std::vector<float>> got;
    std::vector<std::vector<float>> expected;
    for (auto* results : {&got, &expected}) {
      std::vector<float> y(rows * width);
      std::vector<float> mean(rows);
      std::vector<float> inverse(rows);
      auto dx = noise(rows * width, 5);
      auto dgain = noise(width, 6);
      auto dshift = noise(width, 7);
      const LayerNormForward forward{x, gain, shift, y, mean, inverse};
      const LayerNormBackward backward{x, gain, mean, inverse, dy, dx, dgain, dshift};
      if (results == &got) {
        layer_norm_forward(forward);
        layer_norm_backward(backward);
      } else {
        reference::layer_norm_forward(forward);
        reference::layer_norm_backward(backward);
      }
      *results = {y, mean, dgain, dshift};
      if (width > 1) {  // with one column dx is 0 × 1/sqrt(epsilon): pure rounding
        results->push_back(dx);
      }
    }
    for (std::size_t i = 0; i < got.size(); ++i) {
      expect_near(got[i], expected[i], "layer norm");
    }
  }
}

TEST(Swiglu, ForwardAndBackwardAgreeWithTheTwinUnderDropout) {
  for (const std::size_t width : kWidths) {
    const Dropout dropout{.3F, 5, 11};
    const auto up = noise(4 * 2 * width, 1, 3);
    const auto dy = noise(4 * width, 2);
    std::vector<float> y(4 * width);
    std::vector<float> expected_y(4 * width);
    swiglu_forward(up, width, dropout, y);
    reference::swiglu_forward(up, width, dropout, expected_y);
    expect_near(y, expected_y, "swiglu");
    std::vector<float> dup(up.size());
    std::vector<float> expected_dup(up.size());
    swiglu_backward({up, width, dropout, dy, dup});
    reference::swiglu_backward({up, width, dropout, dy, expected_dup});
    expect_near(dup, expected_dup, "swiglu backward");
  }
}

TEST(GatedResidual, ForwardAndBackwardAgreeWithTheTwin) {
  for (const std::size_t count : kWidths) {
    const Dropout dropout{.4F, 9, 3};
    const auto x = noise(count, 1);
    const auto branch = noise(count, 2);
    const auto dy = noise(count, 3);
    auto gate = noise(count, 4);
    auto expected_gate = gate;
    std::vector<float> y(count);
    std::vector<float> expected_y(count);
    gated_residual_forward({x, branch, gate, dropout, y});
    reference::gated_residual_forward({x, branch, expected_gate, dropout, expected_y});
    expect_near(y, expected_y, "gate");
    std::vector<float> dbranch(count);
    std::vector<float> dgate(count);
    std::vector<float> expected_dbranch(count);
    std::vector<float> expected_dgate(count);
    gated_residual_backward({branch, gate, dropout, dy, dbranch, dgate});
    reference::gated_residual_backward({branch, gate, dropout, dy, expected_dbranch, expected_dgate});
    expect_near(dbranch, expected_dbranch, "gate backward, branch");
    expect_near(dgate, expected_dgate, "gate backward, gate");
  }
}

TEST(Rows, GatherScatterBiasSumsAndDotsAgreeWithPlainLoops) {
  const std::size_t width = 19;
  const auto table = noise(7 * width, 1);
  const std::vector<std::int32_t> index{3, -9, 0, -9, 3, -9, 6, -9};  // stride 2: the -9 are another column
  auto out = noise(4 * width, 2);
  auto expected = out;
  gather_add({index, 2, width, 1.5F}, table, out);
  reference::gather_add({index, 2, width, 1.5F}, table, expected);
  expect_near(out, expected, "gather");
  auto into = table;
  auto expected_into = table;
  scatter_add({index, 2, width, .5F}, out, into);
  reference::scatter_add({index, 2, width, .5F}, out, expected_into);
  expect_near(into, expected_into, "scatter");

  auto sums = noise(width, 3);
  auto expected_sums = sums;
  double squares = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    expected_sums[i % width] += out[i];
    squares += static_cast<double>(out[i]) * static_cast<double>(out[i]);
  }
  add_column_sums(out, sums);
  expect_near(sums, expected_sums, "column sums");
  EXPECT_NEAR(sum_of_squares(out), squares, 1e-4);
  EXPECT_NEAR(static_cast<double>(dot(out, out)), squares, 1e-4);
  const auto many = noise(1000, 4);
  EXPECT_NEAR(sum_of_squares(many), static_cast<double>(dot(many, many)), 1e-2);

  auto biased = out;
  add_bias(sums, biased);
  auto scaled = out;
  add_scaled(out, 2, scaled);
  for (std::size_t i = 0; i < out.size(); ++i) {
    EXPECT_EQ(biased[i], out[i] + sums[i % width]);
    EXPECT_NEAR(scaled[i], 3 * out[i], 1e-5);
  }
}

TEST(SoftmaxTile, AgreesWithTheTwinAndCountsTies) {
  for (const std::size_t columns : kWidths) {
    auto logits = noise(3 * columns, 1, 10);
    auto expected = logits;
    const auto bias = noise(columns, 2);
    std::vector<float> top(3);
    std::vector<float> sum(3);
    std::vector<float> expected_top(3);
    std::vector<float> expected_sum(3);
    softmax_tile({logits, columns, bias}, top, sum);
    reference::softmax_tile({expected, columns, bias}, expected_top, expected_sum);
    expect_near(logits, expected, "softmax tile");
    expect_near(top, expected_top, "row maximum");
    expect_near(sum, expected_sum, "row sum");
    const std::vector<float> factor{2, 0, -1};
    auto scaled = logits;
    scale_rows(factor, scaled);
    for (std::size_t i = 0; i < scaled.size(); ++i) {
      ASSERT_EQ(scaled[i], logits[i] * factor[i / columns]);
    }
  }
  const std::vector<float> x{1, 2, 2, 3};
  EXPECT_EQ(count_at_least(x, 2), 3U);
}

TEST(SoftmaxTile, WeightedSumsAgreeWithPlainLoops) {
  for (const std::size_t columns : kWidths) {
    constexpr std::size_t kRows = 11;  // eight and a rest
    const auto x = noise(kRows * columns, 1);
    const auto weight = noise(kRows, 2);
    auto sums = noise(columns, 3);
    auto expected = sums;
    auto y = noise(x.size(), 4);
    auto expected_y = y;
    for (std::size_t i = 0; i < x.size(); ++i) {
      expected[i % columns] += weight[i / columns] * x[i];
      expected_y[i] += weight[i / columns] * x[i];
    }
    add_weighted_column_sums(x, weight, sums);
    add_scaled_rows(weight, x, y);
    expect_near(sums, expected, "weighted sums");
    expect_near(y, expected_y, "scaled rows");
  }
}

TEST(Relu, ForwardAndBackwardAgreeWithTheTwinUnderDropout) {
  for (const std::size_t count : kWidths) {
    const Dropout dropout{.3F, 5, 11};
    const auto up = noise(count, 1);
    const auto dy = noise(count, 2);
    std::vector<std::vector<float>> results[2];
    for (int twin = 0; twin < 2; ++twin) {
      std::vector<float> y(count);
      std::vector<float> dup(count);
      twin == 0 ? relu_forward(up, dropout, y) : reference::relu_forward(up, dropout, y);
      twin == 0 ? relu_backward(up, dropout, dy, dup) : reference::relu_backward(up, dropout, dy, dup);
      results[twin] = {y, dup};
    }
    expect_near(results[0][0], results[1][0], "relu");
    expect_near(results[0][1], results[1][1], "relu backward");
  }
}

struct AttentionCase {
  AttentionShape shape;
  std::vector<float> qkv, bias, bucket_bias;
  std::vector<std::uint8_t> bucket;
  std::vector<float> scratch;
};

AttentionCase attention_case(std::size_t length, bool by_distance, bool by_bucket) {
  AttentionCase c;
  c.shape = {length, 24, 2, by_distance ? std::size_t{45} : 0, by_bucket ? std::size_t{6} : 0};
  c.qkv = noise(length * 3 * c.shape.width, 1);
  c.bias = noise(c.shape.heads * c.shape.bias_stride, 2);
  c.bucket_bias = noise(c.shape.heads * c.shape.bucket_count, 5);
  base::Rng rng(6);
  for (std::size_t i = 0; by_bucket && i < length * length; ++i) {
    c.bucket.push_back(static_cast<std::uint8_t>(rng.below(6)));
  }
  c.scratch.resize(attention_scratch_size(c.shape));
  return c;
}

std::vector<std::vector<float>> attend(AttentionCase& c, bool twin) {
  const auto& shape = c.shape;
  const auto dout = noise(shape.length * shape.width, 3);
  std::vector<float> probabilities(shape.heads * shape.length * shape.length, 7);
  std::vector<float> out(shape.length * shape.width, 7);
  std::vector<float> dqkv(c.qkv.size(), 7);
  auto dbias = noise(c.bias.size(), 4);
  auto dbucket = noise(c.bucket_bias.size(), 8);
  const AttentionForward forward{shape, c.qkv, c.bias, probabilities, out, c.scratch, 0, c.bucket, c.bucket_bias};
  const AttentionBackward backward{shape, c.qkv, probabilities, dout, dqkv, dbias, c.scratch, c.bucket, dbucket};
  twin ? reference::attention_forward(forward) : attention_forward(forward);
  twin ? reference::attention_backward(backward) : attention_backward(backward);
  return {probabilities, out, dqkv, dbias, dbucket};
}

TEST(Attention, ForwardAndBackwardAgreeWithTheTwinWithEachKindOfBias) {
  for (const std::size_t length : {1U, 2U, 17U, 40U}) {
    for (int kind = 0; kind < 4; ++kind) {
      auto c = attention_case(length, (kind & 1) != 0, (kind & 2) != 0);
      const auto got = attend(c, false);
      const auto expected = attend(c, true);
      for (std::size_t i = 0; i < got.size(); ++i) {
        expect_near(got[i], expected[i], "attention");
      }
      const auto& shape = c.shape;
      std::vector<float> last(length * shape.width, 7);
      std::vector<float> probabilities(shape.heads * length * length);
      attention_forward({shape, c.qkv, c.bias, probabilities, last, c.scratch, length - 1, c.bucket, c.bucket_bias});
      const std::size_t before = (length - 1) * shape.width;
      EXPECT_TRUE(
          std::all_of(last.begin(), last.begin() + static_cast<std::ptrdiff_t>(before), [](float x) { return x == 7; }));
      expect_near(std::span(last).subspan(before), std::span(expected[1]).subspan(before), "attention of the last position");
    }
  }
}

TEST(Adam, TenStepsAgreeWithTheTwin) {
  for (const std::size_t count : kWidths) {
    std::vector<std::vector<float>> state[2];
    for (int twin = 0; twin < 2; ++twin) {
      auto weight = noise(count, 1);
      std::vector<float> first(count);
      std::vector<float> second(count);
      for (int t = 1; t <= 10; ++t) {
        const auto gradient = noise(count, 100 + static_cast<std::uint64_t>(t));
        AdamStep step;
        step.correction1 = static_cast<float>(1 - std::pow(.9, t));
        step.correction2 = static_cast<float>(1 - std::pow(.98, t));
        step.gradient_scale = .5F;
        const AdamState io{weight, gradient, first, second};
        twin == 0 ? adam(step, io) : reference::adam(step, io);
      }
      state[twin] = {weight, first, second};
    }
    for (std::size_t i = 0; i < 3; ++i) {
      expect_near(state[0][i], state[1][i], "adam");
    }
  }
}

TEST(Buffer, GrowsOnACacheLineAndZeroes) {
  Buffer buffer(3);
  for (const std::size_t size : {3U, 1000U, 10U}) {
    buffer.resize(size);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer.data()) % 64, 0U);
    EXPECT_EQ(buffer.size(), size);
    buffer.zero();
    EXPECT_EQ(buffer[size - 1], 0.0F);
  }
}

}  // namespace
}  // namespace beckon::tensor
