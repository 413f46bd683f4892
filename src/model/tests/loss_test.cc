// A loss that is not the published one would be compared with published figures all the same.
#include <gtest/gtest.h>

#include <cmath>

#include "binary_loss.h"
#include "head_loss.h"
#include "language_helper.h"
#include "softmax_loss.h"
#include "time_bucket.h"

namespace beckon::model::inner {
namespace {

ModelOptions options_with(LossKind loss) {
  ModelOptions options;
  options.tokens = 30;
  options.heads = 2;
  options.width = 16;
  options.layers = 1;
  options.length_max = 9;
  options.loss = loss;
  options.negatives = 7;
  return options;
}

double sigmoid(double z) {
  return 1 / (1 + std::exp(-z));
}

TEST(BinaryLoss, IsTheFormulaOfThePaper) {
  for (const auto kind : {LossKind::kBce, LossKind::kGbce}) {
    const auto options = options_with(kind);
    auto model = Model::make(options, 1).value();
    base::Rng rng(3);
    std::vector<float> vectors(3 * model.width());
    for (float& value : vectors) {
      value = static_cast<float>(20 * rng.normal());
    }
    model.weights()[model.layout().token_bias.offset + 4] = .5F;
    const std::vector<std::int32_t> target{4, 9, 4};
    const std::vector<std::int32_t> row{0, 2, 3};  // row 1 has no target
    const auto negatives = draw_row_negatives(options, 6, 1, 2);
    ASSERT_EQ(negatives.token.size(), 6U * 7U);
    std::vector<float> dvectors(vectors.size());
    std::vector<float> gradients(model.weights().size());
    const double got =
        binary_loss({network_of(model), vectors, target, row, .25F, 2, &negatives}, dvectors, gradients);
    const auto logit = [&](std::size_t r, std::int32_t token) {
      double sum = static_cast<double>(model.token_bias()[static_cast<std::size_t>(token)]);
      for (std::size_t c = 0; c < model.width(); ++c) {
        sum += static_cast<double>(vectors[r * model.width() + c]) *
               static_cast<double>(model.token_embeddings()[static_cast<std::size_t>(token) * model.width() + c]);
      }
      return sum;
    };
    // α = 7 negatives of the 28 other items, t = .75
    const double beta = kind == LossKind::kBce ? 1 : .25 * (.75 * (1 - 4) + 4);
    double expected = 0;
    for (std::size_t r = 0; r < 3; ++r) {
      expected -= beta * std::log(sigmoid(logit(r, target[r])));
      for (std::size_t k = 0; k < 7; ++k) {
        const std::int32_t token = negatives.token[(2 + static_cast<std::size_t>(row[r])) * 7 + k];
        expected -= token == target[r] ? 0 : std::log(1 - sigmoid(logit(r, token)));
      }
    }
    EXPECT_NEAR(got, .25 / 8 * expected, 1e-5);
  }
}

TEST(BinaryLoss, NegativesCoverEveryItemAndNeverTokenZero) {
  auto options = options_with(LossKind::kBce);
  std::vector<int> seen(30);
  for (const std::int32_t token : draw_row_negatives(options, 300, 1, 2).token) {
    ++seen[static_cast<std::size_t>(token)];
  }
  EXPECT_EQ(seen[0], 0);
  EXPECT_GT(*std::min_element(seen.begin() + 1, seen.end()), 30);  // 72 on average
  options.negatives = 0;
  EXPECT_EQ(draw_row_negatives(options, 300, 1, 2).per_row, 1U);
  options.loss = LossKind::kGbce;
  EXPECT_EQ(draw_row_negatives(options, 1, 1, 2).per_row, 256U);
  EXPECT_EQ(draw_row_negatives(options, 1, 1, 2).positive_power, 1.0F);  // more negatives than items: nothing to calibrate
}

struct Both {
  double loss[2] = {};
  std::vector<float> dvectors[2], gradients[2];
};

// fp32, then bfloat16, of the same vectors.
Both softmax_in_both(const Model& model, std::span<const float> vectors, const LossInput& rest) {
  Both out;
  for (const int i : {0, 1}) {
    LossInput input = rest;
    input.network = network_of(model);
    input.network.precision = i == 0 ? tensor::Precision::kFp32 : tensor::Precision::kBf16;
    input.vectors = vectors;
    out.dvectors[i].assign(vectors.size(), 9.0F);
    out.gradients[i].assign(model.weights().size(), 0.0F);
    LossScratch scratch;
    out.loss[i] = softmax_loss(input, scratch, {out.dvectors[i], out.gradients[i]});
  }
  return out;
}

void expect_near_in_norm(std::span<const float> got, std::span<const float> expected, double floor) {
  double difference = 0;
  double square = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const auto d = static_cast<double>(got[i]) - static_cast<double>(expected[i]);
    difference += d * d;
    square += static_cast<double>(expected[i]) * static_cast<double>(expected[i]);
  }
  EXPECT_LT(std::sqrt(difference), .01 * std::sqrt(square) + floor);
}

// Tiles of 192 tokens, panels of 64 columns, vectors of 16, strips of six rows, pairs: catalogues, widths and rows with every kind of rest, from
// one item on; with all tokens and with negatives among which the targets are, with memory and without.
TEST(SoftmaxLoss, Bf16IsNearFp32ForAnyCatalogueWidthAndNumberOfRows) {
  for (const std::int32_t tokens : {2, 3, 4, 65, 193, 194, 600}) {
    for (const auto& [width, rows] : {std::pair{8, 1U}, std::pair{24, 7U}, std::pair{72, 395U}}) {
      for (const int kind : {0, 1, 2, 3}) {
        SCOPED_TRACE(testing::Message() << tokens << " tokens, width " << width << ", rows " << rows << ", kind " << kind);
        auto options = options_with(LossKind::kFullSoftmax);
        options.tokens = tokens;
        options.width = width;
        options.attention_heads = 1;
        options.memory = kind >= 2;
        auto model = Model::make(options, 1).value();
        base::Rng rng(3);
        std::vector<float> vectors(rows * model.width());
        for (const std::span<float> part : {std::span(vectors), model.weights()}) {
          for (float& value : part) {
            value = static_cast<float>(rng.normal() * std::pow(static_cast<double>(width), -.25));
          }
        }
        NegativeSet negatives;
        RecalledBatch recalled;
        std::vector<std::int32_t> target, row;
        for (std::size_t r = 0; r < rows; ++r) {
          target.push_back(static_cast<std::int32_t>(1 + rng.below(static_cast<std::uint64_t>(tokens - 1))));
          row.push_back(static_cast<std::int32_t>(r));
          recalled.entry.push_back({target.back(), {.5F, .25F, 1}});
          recalled.start.push_back(recalled.entry.size());
        }
        for (int i = 0; i < 201; ++i) {
          negatives.token.push_back(static_cast<std::int32_t>(1 + rng.below(static_cast<std::uint64_t>(tokens - 1))));
          negatives.log_expected.push_back(static_cast<float>(std::log(201.0 / (tokens - 1))));
        }
        LossInput rest;
        rest.target = target;
        rest.scale = .5F;
        rest.negatives = kind % 2 == 0 ? nullptr : &negatives;
        rest.recall = {kind >= 2 ? &recalled : nullptr, row};
        const Both both = softmax_in_both(model, vectors, rest);
        // A rounded logit is off by thousandths, and the positive's own is not rounded: with one item the loss is not quite zero.
        const double floor = .006 * std::sqrt(static_cast<double>(rows));
        EXPECT_NEAR(both.loss[1], both.loss[0], floor + .002 * both.loss[0]);
        expect_near_in_norm(both.dvectors[1], both.dvectors[0], floor);
        expect_near_in_norm(both.gradients[1], both.gradients[0], floor);
      }
    }
  }
}

TEST(HeadLoss, IsCrossEntropyOrTheSquaredErrorOfTheProbability) {
  for (const auto kind : {HeadLoss::kBinaryCrossEntropy, HeadLoss::kSquaredError}) {
    auto options = options_with(LossKind::kFullSoftmax);
    options.head_loss = kind;
    auto model = Model::make(options, 1).value();
    base::Rng rng(3);
    for (float& weight : model.weights()) {
      weight = static_cast<float>(rng.normal());
    }
    std::vector<float> vectors(2 * model.width());
    for (float& value : vectors) {
      value = static_cast<float>(.5 * rng.normal());
    }
    const std::vector<std::int8_t> label{1, 0, -1, 1};
    const std::vector<double> scale{.5, 2};
    std::vector<float> logits(4);
    model.head_logits(vectors, logits);
    double expected = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      const double p = sigmoid(static_cast<double>(logits[i]));
      const double y = label[i];
      if (label[i] >= 0) {
        expected += scale[i % 2] * (kind == HeadLoss::kSquaredError ? (y - p) * (y - p)
                                                                    : -(y * std::log(p) + (1 - y) * std::log(1 - p)));
      }
    }
    HeadScratch scratch;
    std::vector<float> dvectors(vectors.size());
    std::vector<float> gradients(model.weights().size());
    EXPECT_NEAR(head_loss({network_of(model), vectors, label, scale}, scratch, dvectors, gradients), expected, 1e-5);
  }
}

TEST(TimeBucket, GrowsWithTheGapTwoAnOctaveAndStaysInRange) {
  constexpr std::int64_t kMinute = 60'000;
  EXPECT_EQ(time_bucket(-5), 0);
  EXPECT_EQ(time_bucket(kMinute - 1), 0);
  EXPECT_EQ(time_bucket(kMinute), 2);
  EXPECT_EQ(time_bucket(2 * kMinute), 3);
  EXPECT_EQ(time_bucket(3 * kMinute), 4);
  EXPECT_EQ(time_bucket(5 * kMinute), 5);
  EXPECT_EQ(time_bucket(std::int64_t{1} << 62U), kTimeBuckets - 1);
  std::uint8_t last = 0;
  for (std::int64_t minutes = 0; minutes < 5'000'000; minutes += 1 + minutes / 7) {
    EXPECT_GE(time_bucket(minutes * kMinute), last);
    last = time_bucket(minutes * kMinute);
  }
}

}  // namespace
}  // namespace beckon::model::inner
