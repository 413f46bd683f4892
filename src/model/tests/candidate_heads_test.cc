// A shop would choose messages by wrong chances if the heads that look at the candidate had a wrong gradient, forgot the context or
// looked at other customers.
#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "beckon/base/filesystem.h"
#include "candidate_net.h"
#include "language_helper.h"

namespace beckon::model {
namespace {

ModelOptions trunk_options() {
  ModelOptions options;
  options.tokens = 31;
  options.side_sizes = {3};
  options.heads = 1;
  options.width = 16;
  options.layers = 1;
  options.attention_heads = 2;
  options.length_max = 8;
  return options;
}

CandidateOptions small_options() {
  CandidateOptions options;
  options.context_sizes = {4, 3};
  options.heads = 2;
  options.attention_width = 8;
  options.hidden_width = 12;
  return options;
}

CandidateQuestions random_questions(std::size_t histories, std::size_t each, std::uint64_t seed) {
  base::Rng rng(seed);
  CandidateQuestions out;
  for (std::size_t h = 0; h < histories; ++h) {
    for (std::size_t i = 0; i < each; ++i) {
      out.history.push_back(static_cast<std::int32_t>(h));
      out.token.push_back(static_cast<std::int32_t>(rng.below(31)));
      out.context.push_back(static_cast<std::int32_t>(rng.below(4)));
      out.context.push_back(static_cast<std::int32_t>(rng.below(3)));
      for (int head = 0; head < 2; ++head) {
        out.label.push_back(static_cast<std::int8_t>(static_cast<int>(rng.below(3)) - 1));
      }
    }
  }
  return out;
}

void check_gradient(HeadLoss loss) {
  const auto trunk = Model::make(trunk_options(), 5).value();
  const auto histories = random_sequences(trunk.options(), 1, 9);
  CandidateOptions options = small_options();
  options.loss = loss;
  auto heads = CandidateHeads::make(options, 16, 3).value();
  base::Rng rng(11);
  for (float& weight : heads.weights()) {
    weight += static_cast<float>(.2 * rng.normal());
  }
  const inner::CandidateLayout layout(options, 16);
  const auto questions = random_questions(1, 7, 21);
  const auto history = inner::candidate_history(trunk, histories[0]);
  const inner::CandidateBlock block{&trunk, &questions, 0, questions.size(), {.3F, 77, 5}};
  inner::CandidatePass pass(options, layout);
  std::vector<float> gradients(layout.total, 0);
  pass.forward(heads.weights(), history, block);
  pass.backward(heads.weights(), history, block, gradients);
  for (const auto& [name, part] : layout.named()) {
    double worst = 0;
    double size = 0;
    for (std::size_t k = 0; k < part.size(); k += 1 + part.size() / 40) {
      float& weight = heads.weights()[part.begin + k];
      const float before = weight;
      const auto loss_at = [&](float value) {
        weight = value;
        pass.forward(heads.weights(), history, block);
        return pass.loss(block);
      };
      constexpr float kStep = 5e-4F;
      const double slope = (loss_at(before + kStep) - loss_at(before - kStep)) / (2 * static_cast<double>(kStep));
      weight = before;
      worst = std::max(worst, std::abs(slope - static_cast<double>(gradients[part.begin + k])));
      size = std::max(size, std::abs(slope));
    }
    EXPECT_LT(worst, 2e-2 * size + 2e-3) << name;
  }
}

TEST(CandidateHeads, GradientsAreThoseOfTheLoss) {
  check_gradient(HeadLoss::kBinaryCrossEntropy);
  check_gradient(HeadLoss::kSquaredError);
}

// A world with an answer for each head: he buys what he had before; he clicks when channel and hour agree.
struct World {
  Model trunk = Model::make(trunk_options(), 5).value();
  std::vector<Sequence> histories;
  CandidateQuestions questions;
};
World make_world(std::size_t customers, std::uint64_t seed) {
  World world;
  world.histories = random_sequences(world.trunk.options(), customers, seed);
  base::Rng rng(seed + 1);
  for (std::size_t h = 0; h < customers; ++h) {
    const auto& own = world.histories[h].token;
    for (int i = 0; i < 8; ++i) {
      const bool again = rng.chance(.5) && !own.empty();
      const auto token = again ? own[own.size() - 1 - rng.below(std::min<std::size_t>(own.size(), 8))] : static_cast<std::int32_t>(1 + rng.below(30));
      const auto recent = std::span(own).last(std::min<std::size_t>(own.size(), 8));
      const bool had = std::find(recent.begin(), recent.end(), token) != recent.end();
      const auto channel = static_cast<std::int32_t>(rng.below(4));
      const auto hour = static_cast<std::int32_t>(rng.below(3));
      world.questions.history.push_back(static_cast<std::int32_t>(h));
      world.questions.token.push_back(token);
      world.questions.context.insert(world.questions.context.end(), {channel, hour});
      world.questions.label.push_back(had ? 1 : 0);
      world.questions.label.push_back(channel % 3 == hour ? 1 : 0);
    }
  }
  return world;
}

// Share of right answers a head.
std::vector<double> accuracy(const CandidateHeads& heads, const World& world, base::Executor& executor) {
  const auto logits = heads.logits(world.trunk, world.histories, world.questions, executor).value();
  std::vector<double> right(2, 0.0);
  for (std::size_t i = 0; i < logits.size(); ++i) {
    right[i % 2] += (logits[i] > 0) == (world.questions.label[i] > 0) ? 2.0 / static_cast<double>(logits.size()) : 0;
  }
  return right;
}

TEST(CandidateHeads, LearnsWhatTheCandidateAndTheContextSay) {
  base::ThreadExecutor executor(2);
  const World world = make_world(1500, 31);
  auto heads = CandidateHeads::make(small_options(), 16, 1).value();
  CandidateTraining training;
  training.epochs_max = 40;
  training.learning_rate = 5e-3F;
  training.dropout = 0;
  const auto report = heads.train(world.trunk, world.histories, world.questions, training, executor);
  ASSERT_TRUE(report.ok());
  const auto right = accuracy(heads, make_world(300, 77), executor);  // other customers
  EXPECT_GT(right[0], .9);
  EXPECT_GT(right[1], .97);
}

TEST(CandidateHeads, SameBitsOnAnyExecutor) {
  const World world = make_world(60, 3);
  CandidateTraining training;
  training.epochs_max = 3;
  training.batch = 16;
  std::vector<std::vector<float>> weights;
  for (const std::size_t workers : {1, 2, 3}) {
    base::ThreadExecutor executor(workers);
    auto heads = CandidateHeads::make(small_options(), 16, 1).value();
    ASSERT_TRUE(heads.train(world.trunk, world.histories, world.questions, training, executor).ok());
    weights.emplace_back(heads.weights().begin(), heads.weights().end());
  }
  EXPECT_EQ(weights[0], weights[1]);
  EXPECT_EQ(weights[0], weights[2]);
}

TEST(CandidateHeads, OtherCustomersAndQuestionsChangeNothing) {
  base::SeededExecutor executor(4);
  const World world = make_world(40, 8);
  const auto heads = CandidateHeads::make(small_options(), 16, 2).value();
  const auto all = heads.logits(world.trunk, world.histories, world.questions, executor).value();
  CandidateQuestions one;
  const std::size_t asked = 8 * 17 + 3;
  one.history = {0};
  one.token = {world.questions.token[asked]};
  one.context = {world.questions.context[2 * asked], world.questions.context[2 * asked + 1]};
  const auto alone = heads.logits(world.trunk, std::span(world.histories).subspan(17, 1), one, executor).value();
  EXPECT_NEAR(alone[0], all[2 * asked], 1e-5);
  EXPECT_NEAR(alone[1], all[2 * asked + 1], 1e-5);
}

TEST(CandidateHeads, ACodeThatNobodyHasMetIsLikeTheAverageOne) {
  // A campaign on a new channel would get whatever the dice gave that channel's vector.
  base::ThreadExecutor executor(2);
  World world = make_world(200, 3);
  for (std::size_t i = 0; i < world.questions.size(); ++i) {
    auto& code = world.questions.context[2 * i];
    code = code == 3 ? 2 : code;  // code 3 of the first column is met by nobody
  }
  auto heads = CandidateHeads::make(small_options(), 16, 1).value();
  CandidateTraining training;
  training.epochs_max = 3;
  ASSERT_TRUE(heads.train(world.trunk, world.histories, world.questions, training, executor).ok());
  const inner::CandidateLayout layout(small_options(), 16);
  std::array<double, 3> share{};
  double total = 0;
  for (std::size_t i = 0; i < world.questions.size(); ++i) {
    const bool taught = world.questions.history[i] % 10 != 9;  // every tenth history only judges
    const auto code = static_cast<std::size_t>(world.questions.context[2 * i]);
    share[code] += taught && code > 0 ? 1 : 0;
    total += taught && code > 0 ? 1 : 0;
  }
  for (std::size_t d = 0; d < 16; ++d) {
    const auto at = [&](std::size_t code) { return static_cast<double>(heads.weights()[layout.context[0].begin + code * 16 + d]); };
    EXPECT_NEAR(at(3), (share[1] * at(1) + share[2] * at(2)) / total, 1e-5) << d;
  }
}

TEST(CandidateHeads, AFileComesBackAsItWasAndADamagedOneIsRefused) {
  base::MemoryFileSystem files;
  const auto heads = CandidateHeads::make(small_options(), 16, 2).value();
  ASSERT_TRUE(heads.save(files, "h.safetensors").ok());
  const auto back = CandidateHeads::load(files, "h.safetensors");
  ASSERT_TRUE(back.ok());
  EXPECT_TRUE(std::equal(back->weights().begin(), back->weights().end(), heads.weights().begin(), heads.weights().end()));
  EXPECT_EQ(back->options().context_sizes, heads.options().context_sizes);
  std::string bytes = files.read("h.safetensors").value();
  ASSERT_TRUE(files.write_atomic("cut", bytes.substr(0, bytes.size() / 2)).ok());
  EXPECT_EQ(CandidateHeads::load(files, "cut").error().code, base::ErrorCode::kDataLoss);
  bytes[bytes.size() - 3] = static_cast<char>(bytes[bytes.size() - 3] ^ 0x40);
  ASSERT_TRUE(files.write_atomic("changed", bytes).ok());
  EXPECT_EQ(CandidateHeads::load(files, "changed").error().code, base::ErrorCode::kDataLoss);
  EXPECT_EQ(CandidateHeads::load(files, "absent").error().code, base::ErrorCode::kNotFound);
}

TEST(CandidateHeads, WrongQuestionsAreRefusedByName) {
  base::SeededExecutor executor(4);
  World world = make_world(5, 8);
  const auto heads = CandidateHeads::make(small_options(), 16, 2).value();
  world.questions.context[3] = 9;
  const auto code = heads.logits(world.trunk, world.histories, world.questions, executor);
  ASSERT_FALSE(code.ok());
  EXPECT_NE(code.error().message.find("context column 1"), std::string::npos) << code.error().message;
  world.questions.context[3] = 0;
  std::fill(world.questions.label.begin(), world.questions.label.end(), std::int8_t{-1});
  auto fresh = CandidateHeads::make(small_options(), 16, 2).value();
  EXPECT_EQ(fresh.train(world.trunk, world.histories, world.questions, {}, executor).error().code, base::ErrorCode::kFailedPrecondition);
}

}  // namespace
}  // namespace beckon::model
