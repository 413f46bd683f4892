// Training would walk in a wrong direction if a hand-derived gradient differed from the finite difference of the loss.
#include <gtest/gtest.h>

#include <cmath>

#include "language_helper.h"
#include "step.h"

namespace beckon::model::inner {
namespace {

ModelOptions small_options() {
  ModelOptions options;
  options.tokens = 37;
  options.side_sizes = {3, 5};
  options.heads = 2;
  options.width = 16;
  options.layers = 2;
  options.attention_heads = 2;
  options.length_max = 9;
  options.dropout = .2F;
  options.head_weight = .7F;
  options.memory = false;
  return options;
}

struct Setting {
  Model model;
  PackedBatch batch;
  LossPlan plan;
  NegativeSet negatives;
  RowNegatives row_negatives;
  RecalledBatch recalled = {};
};

// Weights far from their start, so that gains are not 1, biases not 0 and every branch carries something.
Setting make_setting(const ModelOptions& options) {
  Setting s{Model::make(options, 3).value(), {}, {}, {}, {}};
  base::Rng rng(17);
  for (float& weight : s.model.weights()) {
    weight += static_cast<float>(.2 * rng.normal());
  }
  const auto sequences = random_sequences(options, 6, 5);
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    append(options, sequences[i], {i, 0, sequences[i].length()}, s.batch);
  }
  if (options.memory) {
    const auto memory = Memory::count(sequences, s.model.tokens());
    for (std::size_t i = 0; i < sequences.size(); ++i) {
      append_recalled(memory, sequences[i], {i, 0, sequences[i].length()}, {}, s.recalled);
    }
  }
  s.plan = plan_loss(options, {&s.batch, 1});
  s.plan.dropout = {options.dropout, 99, 0};
  const LossKind kind = resolved_loss(options);
  if (kind == LossKind::kGbce || kind == LossKind::kBce) {
    s.row_negatives = draw_row_negatives(options, s.batch.rows(), 5, 6);
  }
  if (kind == LossKind::kSampledSoftmax) {
    s.negatives = NegativeSampler(static_cast<std::size_t>(options.tokens), sequences, .5).draw(20, 1, 2);
  }
  return s;
}

double loss_of(Setting& s, std::span<float> gradients, tensor::Precision precision = tensor::Precision::kFp32) {
  StepWork work;
  s.plan.negatives = s.negatives.token.empty() ? nullptr : &s.negatives;
  s.plan.row_negatives = s.row_negatives.token.empty() ? nullptr : &s.row_negatives;
  Network net = network_of(s.model);
  net.precision = precision;
  return loss_and_gradient({net, &s.batch, &s.plan, s.model.options().memory ? &s.recalled : nullptr}, work, gradients);
}

// For every named part: derivative along three random directions, and along single coordinates.
void check_all_parts(Setting& s) {
  std::vector<float> gradients(s.model.weights().size());
  loss_of(s, gradients);
  std::vector<float> ignored(gradients.size());
  base::Rng rng(23);
  const std::vector<float> start(s.model.weights().begin(), s.model.weights().end());
  for (const auto& [name, part] : s.model.layout().named) {
    if (part.size() == 0) {
      continue;
    }
    double largest = 0;
    for (int trial = 0; trial < 6; ++trial) {
      std::vector<double> direction(part.size());
      if (trial < 3) {
        for (double& value : direction) {
          value = rng.normal() / std::sqrt(static_cast<double>(part.size()));
        }
      } else {
        direction[static_cast<std::size_t>(rng.below(part.size()))] = 1;
      }
      constexpr double kStep = 4e-3;
      double side[2] = {};
      for (int sign = 0; sign < 2; ++sign) {
        for (std::size_t i = 0; i < part.size(); ++i) {
          s.model.weights()[part.offset + i] =
              start[part.offset + i] + static_cast<float>((sign == 0 ? kStep : -kStep) * direction[i]);
        }
        side[sign] = loss_of(s, ignored);
      }
      std::copy(start.begin(), start.end(), s.model.weights().begin());
      double expected = 0;
      for (std::size_t i = 0; i < part.size(); ++i) {
        expected += direction[i] * static_cast<double>(gradients[part.offset + i]);
      }
      const double measured = (side[0] - side[1]) / (2 * kStep);
      EXPECT_NEAR(measured, expected, 2e-4 + 1e-2 * std::abs(expected)) << name << " trial " << trial;
      largest = std::max(largest, std::abs(expected));
    }
    EXPECT_GT(largest, 1e-4) << name << " has no gradient: the test would not see a missing one";
  }
}

TEST(Gradient, FullSoftmaxWithHeadsAndDropout) {
  auto s = make_setting(small_options());
  check_all_parts(s);
}

TEST(Gradient, GatesOfTheMemory) {
  for (const auto loss : {LossKind::kFullSoftmax, LossKind::kSampledSoftmax}) {
    SCOPED_TRACE(static_cast<int>(loss));
    auto options = small_options();
    options.memory = true;
    options.loss = loss;
    options.negatives = 20;
    auto s = make_setting(options);
    ASSERT_GT(s.recalled.entry.size(), 20U) << "the memory says nothing: the test would not see a missing gradient";
    check_all_parts(s);
  }
}

TEST(Gradient, EveryLossOfTokensAndHeads) {
  for (const auto loss : {LossKind::kSampledSoftmax, LossKind::kGbce, LossKind::kBce}) {
    SCOPED_TRACE(static_cast<int>(loss));
    auto options = small_options();
    options.loss = loss;
    options.negatives = loss == LossKind::kSampledSoftmax ? 20 : 5;
    options.head_loss = HeadLoss::kSquaredError;
    auto s = make_setting(options);
    check_all_parts(s);
  }
}

TEST(Gradient, OneHeadOneLayerWithoutSideColumns) {
  auto options = small_options();
  options.side_sizes = {};
  options.heads = 0;
  options.attention_heads = 1;
  options.layers = 1;
  auto s = make_setting(options);
  check_all_parts(s);
}

TEST(Gradient, EveryArchitecture) {
  for (const auto arch : {Arch::kSasrec, Arch::kRnn, Arch::kGru, Arch::kLstm}) {
    SCOPED_TRACE(static_cast<int>(arch));
    auto options = small_options();
    options.arch = arch;
    options.feed_forward_bias = true;
    auto s = make_setting(options);
    check_all_parts(s);
  }
}

TEST(Gradient, LigrWithAbsolutePositionsAndEveryBias) {
  auto options = small_options();
  options.positions = Positions::kAbsolute;
  options.feed_forward_bias = true;
  auto s = make_setting(options);
  check_all_parts(s);
}

TEST(Gradient, TheClassicLstmWithoutFinalNorm) {
  auto options = small_options();
  options.arch = Arch::kLstm;
  options.final_norm = false;
  options.side_sizes = {};
  auto s = make_setting(options);
  check_all_parts(s);
}

void expect_bf16_near_fp32(Setting& s) {
  std::vector<float> exact(s.model.weights().size());
  std::vector<float> rounded(exact.size());
  const double loss32 = loss_of(s, exact);
  const double loss16 = loss_of(s, rounded, tensor::Precision::kBf16);
  EXPECT_NEAR(loss16, loss32, .01 * loss32);
  double dot = 0;
  double square = 0;
  double square16 = 0;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    const auto a = static_cast<double>(exact[i]);
    const auto b = static_cast<double>(rounded[i]);
    dot += a * b;
    square += a * a;
    square16 += b * b;
  }
  EXPECT_GT(dot / std::sqrt(square * square16), .9995);
  EXPECT_NEAR(std::sqrt(square16 / square), 1, .01);
}

TEST(Gradient, Bf16PointsWhereFp32Does) {
  for (const auto arch : {Arch::kLigr, Arch::kLstm}) {
    for (const auto loss : {LossKind::kFullSoftmax, LossKind::kSampledSoftmax}) {
      SCOPED_TRACE(testing::Message() << static_cast<int>(arch) << " " << static_cast<int>(loss));
      auto options = small_options();
      options.arch = arch;
      options.loss = loss;
      options.negatives = 20;
      auto s = make_setting(options);
      expect_bf16_near_fp32(s);
    }
  }
}

TEST(Gradient, ATablePackedForAllWorkersGivesTheBitsOfOnePackedByTheLoss) {
  auto options = small_options();
  options.tokens = 600;
  auto s = make_setting(options);
  Network net = network_of(s.model);
  net.precision = tensor::Precision::kBf16;
  if (!uses_packed_table(net)) {
    GTEST_SKIP() << "no bfloat16 instructions here";
  }
  std::vector<float> own(s.model.weights().size());
  std::vector<float> shared(own.size());
  const double loss = loss_of(s, own, tensor::Precision::kBf16);
  PackedTable table;
  table.begin(table_of(net), net.width());
  for (std::size_t t = table.tiles(); t > 0; --t) {
    table.pack(t - 1);
  }
  s.plan.table = &table;
  EXPECT_EQ(loss_of(s, shared, tensor::Precision::kBf16), loss);
  EXPECT_EQ(own, shared);
}

TEST(Gradient, ATokenBiasThatIsNotWantedGetsNone) {
  auto options = small_options();
  options.token_bias = false;
  auto s = make_setting(options);
  std::vector<float> gradients(s.model.weights().size());
  loss_of(s, gradients);
  for (const float g : part_of(std::span(gradients), s.model.layout().token_bias)) {
    ASSERT_EQ(g, 0.0F);
  }
}

TEST(Gradient, ManyTilesOfTokensGiveTheSameLossAsOneSoftmaxPerRow) {
  ModelOptions options = small_options();
  options.tokens = 2500;  // three tiles
  options.dropout = 0;
  options.heads = 0;
  auto s = make_setting(options);
  std::vector<float> gradients(s.model.weights().size());
  const double loss = loss_of(s, gradients);
  double expected = 0;
  double count = 0;
  TrunkCache cache;
  trunk_forward({network_of(s.model), &s.batch, {}, false, false}, cache);
  std::vector<float> logits(s.batch.rows() * s.model.tokens());
  s.model.score_tokens(cache.result, logits);
  for (std::size_t r = 0; r < s.batch.rows(); ++r) {
    if (s.batch.target[r] > 0) {
      double sum = 0;
      for (std::size_t t = 1; t < s.model.tokens(); ++t) {
        sum += std::exp(static_cast<double>(logits[r * s.model.tokens() + t]));
      }
      expected +=
          std::log(sum) - static_cast<double>(logits[r * s.model.tokens() + static_cast<std::size_t>(s.batch.target[r])]);
      count += 1;
    }
  }
  EXPECT_NEAR(loss, expected / count, 1e-4);
}

TEST(Gradient, SampledLossEstimatesTheFullOneWithoutBias) {
  ModelOptions options = small_options();
  options.dropout = 0;
  options.heads = 0;
  auto s = make_setting(options);
  std::vector<float> gradients(s.model.weights().size());
  const double full = loss_of(s, gradients);
  const NegativeSampler sampler(s.model.tokens(), random_sequences(options, 6, 5), .5);
  double mean = 0;
  constexpr int kDraws = 50;
  for (int i = 0; i < kDraws; ++i) {
    s.negatives = sampler.draw(4000, 7, static_cast<std::uint64_t>(i));
    mean += loss_of(s, gradients) / kDraws;
  }
  // The logarithm bends: the bias is about -variance / 2, tiny at 4,000 draws from 36 tokens.
  EXPECT_NEAR(mean, full, .01);
}

TEST(Gradient, ShardsOfAStepAddUpToTheWhole) {
  const auto options = small_options();
  auto whole = make_setting(options);
  std::vector<float> expected(whole.model.weights().size());
  const double loss = loss_of(whole, expected);
  const auto sequences = random_sequences(options, 6, 5);
  std::vector<PackedBatch> shards(2);
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    if (i == 2) {
      shards[1].clear(static_cast<std::uint32_t>(shards[0].rows()));
    }
    append(options, sequences[i], {i, 0, sequences[i].length()}, shards[i < 2 ? 0 : 1]);
  }
  const auto plan = [&] {
    auto made = plan_loss(options, shards);
    made.dropout = whole.plan.dropout;
    return made;
  }();
  std::vector<float> gradients(expected.size());
  double sum = 0;
  StepWork work;
  for (const auto& shard : shards) {
    sum += loss_and_gradient({network_of(whole.model), &shard, &plan}, work, gradients);
  }
  EXPECT_NEAR(sum, loss, 1e-5);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    ASSERT_NEAR(gradients[i], expected[i], 1e-5) << i;
  }
}

}  // namespace
}  // namespace beckon::model::inner
