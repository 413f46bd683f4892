// The memory would promise what it was told, or recall another customer's past, if one of these broke.
#include "memory.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "beckon/base/rng.h"
#include "beckon/model/train.h"

namespace beckon::model::inner {
namespace {

Sequence walk(std::vector<std::int32_t> tokens) {
  Sequence s;
  s.target.assign(tokens.begin() + 1, tokens.end());
  tokens.pop_back();
  s.token = std::move(tokens);
  return s;
}

std::map<std::int32_t, std::array<float, kMemoryFeatures>> recall(const Memory& memory, const Sequence& s, std::size_t last, const OwnSteps* own) {
  std::vector<Recalled> out;
  memory.recall(s, last, own, out);
  std::map<std::int32_t, std::array<float, kMemoryFeatures>> by_token;
  for (std::size_t i = 0; i < out.size(); ++i) {
    EXPECT_TRUE(i == 0 || out[i - 1].token < out[i].token) << "entries are by token, each once";
    by_token[out[i].token] = out[i].feature;
  }
  return by_token;
}

TEST(Memory, KnowsWhatFollowedAndHowOftenOneHadIt) {
  const std::vector<Sequence> world{walk({1, 2, 3}), walk({1, 2}), walk({1, 2}), walk({1, 4})};
  const Memory memory = Memory::count(world, 6);
  const auto after = recall(memory, walk({5, 1, 1, 9}), 2, nullptr);
  EXPECT_GT(after.at(2)[0], after.at(4)[0]) << "what followed more often counts more";
  EXPECT_GT(after.at(4)[0], 0);
  EXPECT_EQ(after.at(2)[1], 0);
  EXPECT_GT(after.at(1)[1], after.at(5)[1]) << "had it twice, and once";
  EXPECT_EQ(after.at(1)[2], 1) << "just now";
  EXPECT_FLOAT_EQ(after.at(5)[2], 1 / std::sqrt(3.0F));
  // 1 was followed by 2 (three times), 4 (once) and, two steps later, 3 (half): shares of 1 and of .6 of it, smoothed by five.
  const double share = (1 + .6) * 3 / (3 + 1 + .5 + 5);
  EXPECT_NEAR(after.at(2)[0], std::log1p(share / .001) / std::log1p(1000), 1e-5);
}

TEST(Memory, LeavesOutWhatTheSequenceItselfTaught) {
  // With its own steps in the counts, every training position would find its answer there, and the gate would learn to trust it.
  const std::vector<Sequence> world{walk({1, 2, 3, 1, 2}), walk({4, 5})};
  const Memory memory = Memory::count(world, 6);
  for (std::size_t i = 0; i < world[0].length(); ++i) {
    const OwnSteps own(world[0]);
    for (const auto& [token, feature] : recall(memory, world[0], i, &own)) {
      EXPECT_EQ(feature[0], 0) << "position " << i << " recalls token " << token << " from its own future";
    }
  }
  EXPECT_GT(recall(memory, walk({1, 9}), 0, nullptr).at(2)[0], 0) << "another customer may know it";
}

TEST(Memory, SeesNothingAfterThePosition) {
  base::Rng rng(4);
  std::vector<Sequence> world;
  for (int i = 0; i < 30; ++i) {
    std::vector<std::int32_t> tokens;
    for (int k = 0; k < 12; ++k) {
      tokens.push_back(static_cast<std::int32_t>(1 + rng.below(20)));
    }
    world.push_back(walk(tokens));
  }
  const Memory memory = Memory::count(world, 21);
  Sequence changed = world[3];
  std::fill(changed.token.begin() + 6, changed.token.end(), 20);
  EXPECT_EQ(recall(memory, world[3], 5, nullptr), recall(memory, changed, 5, nullptr));
}

TEST(Memory, RefusesATableThatContradictsItself) {
  // A checkpoint from a stranger must not make the program read outside of its memory.
  const Memory::Table good{{1, 0, 1}, {2, 1}, {1, 2}, {1, 0, 2}};
  EXPECT_TRUE(Memory::from_table(good, 3).ok());
  for (int broken = 0; broken < 6; ++broken) {
    Memory::Table table = good;
    table.row_size[0] = broken == 0 ? 9 : broken == 1 ? -1 : 1;
    table.token[0] = broken == 2 ? 3 : broken == 3 ? 0 : 2;
    table.count[0] = broken == 4 ? NAN : 1;
    table.total[0] = broken == 5 ? -1 : 1;
    EXPECT_FALSE(Memory::from_table(table, 3).ok()) << broken;
  }
  EXPECT_FALSE(Memory::from_table(good, 4).ok());
}

TEST(Memory, TrainsIsSavedAndAnswersTheSame) {
  // The same figures after a restart, or yesterday's evaluation says nothing about today's service.
  std::vector<Sequence> world;
  base::Rng rng(8);
  for (int i = 0; i < 200; ++i) {
    std::vector<std::int32_t> tokens{static_cast<std::int32_t>(1 + rng.below(30))};
    for (int k = 0; k < 8; ++k) {
      tokens.push_back(rng.chance(.8) ? tokens.back() % 30 + 1 : static_cast<std::int32_t>(1 + rng.below(30)));
    }
    world.push_back(walk(tokens));
  }
  ModelOptions options;
  options.tokens = 31;
  options.width = 16;
  options.layers = 1;
  options.memory = true;
  TrainOptions training;
  training.epochs_max = 2;
  base::SeededExecutor executor(1);
  base::MemoryFileSystem files;
  TrainHooks hooks;
  hooks.executor = &executor;
  const auto learn = [&](std::uint64_t seed) {
    Model model = Model::make(options, seed).value();
    EXPECT_TRUE(train(model, world, std::span(world).first(50), training, hooks).ok());
    return model;
  };
  const Model model = learn(1);
  EXPECT_GT(evaluate(model, std::span(world).first(50), {}, executor).ndcg, .5);
  ASSERT_TRUE(model.save(files, "m.safetensors").ok());
  const Model loaded = Model::load(files, "m.safetensors").value();
  const Model again = learn(1);
  const auto logits = [&](const Model& m) {
    const auto e = m.encode(std::span(world).first(1), executor);
    std::vector<float> out(m.tokens());
    m.score_tokens(e, out);
    m.add_memory(world[0], e, out);
    return out;
  };
  EXPECT_EQ(logits(model), logits(loaded));
  EXPECT_EQ(logits(model), logits(again)) << "same seed, same bits";
}

}  // namespace
}  // namespace beckon::model::inner
