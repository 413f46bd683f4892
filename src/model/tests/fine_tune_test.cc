// A fine-tuning that forgets, that changes what it should leave alone, or that mixes up items whose numbers have moved would recommend
// the wrong things on the morning after.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "beckon/model/train.h"
#include "language_helper.h"

namespace beckon::model {
namespace {

using ::testing::HasSubstr;

ModelOptions small_options(std::int32_t tokens) {
  ModelOptions options = language_options(tokens);
  options.memory = false;
  return options;
}

TrainOptions fast_options(int epochs) {
  TrainOptions options;
  options.batch_positions = 256;
  options.learning_rate = 3e-3F;
  options.epochs_max = epochs;
  options.warmup_steps = 20;
  options.precision = Precision::kFp32;
  return options;
}

void must_train(Model& model, const std::vector<Sequence>& data, const TrainOptions& options) {
  base::SeededExecutor executor(3);
  TrainHooks hooks;
  hooks.executor = &executor;
  const auto report = train(model, data, {}, options, hooks);
  ASSERT_TRUE(report.ok()) << report.error().message;
}

double hit_at_one(const Model& model, const std::vector<Sequence>& data) {
  base::SeededExecutor executor(1);
  return evaluate(model, data, {1, false, 0}, executor).hit;
}

std::vector<float> logits_of(const Model& model, const Sequence& history) {
  base::SeededExecutor executor(1);
  std::vector<float> out(model.tokens());
  model.score_tokens(model.encode({&history, 1}, executor), out);
  return out;
}

Sequence renamed(Sequence sequence, std::span<const std::int32_t> name) {
  for (auto* tokens : {&sequence.token, &sequence.target}) {
    for (auto& token : *tokens) {
      token = name[static_cast<std::size_t>(token)];
    }
  }
  return sequence;
}

TEST(Adopt, ScoresTheSameItemsTheSameUnderNewNumbers) {
  auto old_model = Model::make(small_options(20), 1).value();
  must_train(old_model, two_step_language(20, 100, 12, 1), fast_options(2));
  auto grown = Model::make(small_options(26), 7).value();
  std::vector<std::int32_t> row_of(26, 0);
  std::vector<std::int32_t> name(20, 0);
  for (std::int32_t t = 1; t < 20; ++t) {  // the order is turned around behind three new items
    name[static_cast<std::size_t>(t)] = 23 - t;
    row_of[static_cast<std::size_t>(23 - t)] = t;
  }
  const std::vector<float> own_row(grown.token_embeddings().begin() + 32 * 2, grown.token_embeddings().begin() + 32 * 3);
  ASSERT_TRUE(grown.adopt(old_model, row_of).ok());
  for (const auto& history : two_step_language(20, 5, 9, 4)) {
    const auto before = logits_of(old_model, history);
    const auto after = logits_of(grown, renamed(history, name));
    for (std::size_t t = 1; t < 20; ++t) {
      EXPECT_NEAR(after[static_cast<std::size_t>(name[t])], before[t], 1e-5);
    }
  }
  EXPECT_TRUE(std::equal(own_row.begin(), own_row.end(), grown.token_embeddings().begin() + 32 * 2)) << "a new item keeps its own start";
}

TEST(Adopt, RefusesAnotherNetworkByName) {
  const auto from = Model::make(small_options(20), 1).value();
  auto options = small_options(20);
  options.layers = 3;
  auto deeper = Model::make(options, 1).value();
  std::vector<std::int32_t> row_of(20, 0);
  EXPECT_THAT(deeper.adopt(from, row_of).error().message, HasSubstr("layers.2."));
  options = small_options(20);
  options.width = 64;
  auto wider = Model::make(options, 1).value();
  EXPECT_THAT(wider.adopt(from, row_of).error().message, HasSubstr("x 32, the network's"));
  options = small_options(20);
  options.arch = Arch::kGru;
  auto recurrent = Model::make(options, 1).value();
  EXPECT_EQ(recurrent.adopt(from, row_of).error().code, base::ErrorCode::kFailedPrecondition);
}

TEST(Adopt, ASideTableMayHaveGrown) {
  auto options = small_options(20);
  options.side_sizes = {4};
  const auto from = Model::make(options, 1).value();
  options.side_sizes = {6};
  auto grown = Model::make(options, 2).value();
  EXPECT_TRUE(grown.adopt(from, std::vector<std::int32_t>(20, 0)).ok());
  options.side_sizes = {3};
  auto shrunk = Model::make(options, 2).value();
  EXPECT_FALSE(shrunk.adopt(from, std::vector<std::int32_t>(20, 0)).ok());
}

TEST(LearnFrom, IsTheSameAsLeavingTheEarlierTargetsOut) {
  auto options = small_options(20);
  options.heads = 1;
  options.length_max = 5;  // windows that begin before, in and after the part that is new
  auto marked = random_sequences(options, 40, 3);
  auto masked = marked;
  for (std::size_t i = 0; i < marked.size(); ++i) {
    marked[i].learn_from = marked[i].length() / 2;
    std::fill_n(masked[i].target.begin(), marked[i].learn_from, 0);
    std::fill_n(masked[i].label.begin(), marked[i].learn_from, std::int8_t{-1});
  }
  auto a = Model::make(options, 1).value();
  auto b = Model::make(options, 1).value();
  must_train(a, marked, fast_options(2));
  must_train(b, masked, fast_options(2));
  EXPECT_TRUE(std::ranges::equal(a.weights(), b.weights()));
}

TEST(LearnFrom, NothingNewIsSaidInOneLine) {
  auto data = two_step_language(20, 10, 12, 1);
  for (auto& sequence : data) {
    sequence.learn_from = sequence.length();
  }
  auto model = Model::make(small_options(20), 1).value();
  base::SeededExecutor executor(3);
  TrainHooks hooks;
  hooks.executor = &executor;
  EXPECT_THAT(train(model, data, {}, fast_options(1), hooks).error().message, HasSubstr("nothing to learn"));
}

TEST(Update, TrainsTheHeadsAndNothingElse) {
  auto options = small_options(20);
  options.heads = 2;
  auto data = random_sequences(options, 60, 5);
  auto model = Model::make(options, 1).value();
  const std::vector<float> before(model.weights().begin(), model.weights().end());
  auto how = fast_options(3);
  how.update = Update::kHeads;
  must_train(model, data, how);
  std::size_t changed = 0;
  for (std::size_t i = 0; i < before.size(); ++i) {
    changed += before[i] != model.weights()[i] ? 1 : 0;
  }
  EXPECT_EQ(changed, model.width() * 2 + 2);
}

TEST(Update, HeadsOfAModelWithoutHeadsAreRefused) {
  auto model = Model::make(small_options(20), 1).value();
  auto how = fast_options(1);
  how.update = Update::kHeads;
  base::SeededExecutor executor(3);
  TrainHooks hooks;
  hooks.executor = &executor;
  EXPECT_FALSE(train(model, two_step_language(20, 10, 12, 1), {}, how, hooks).ok());
}

// The language goes on with other customers: what was learned before must carry over, in few steps.
TEST(FineTune, ReachesInOneEpochWhatScratchDoesNot) {
  const auto old_steps = two_step_language(20, 300, 12, 1);
  const auto new_steps = two_step_language(20, 40, 12, 11);
  const auto test = two_step_language(20, 200, 12, 9);
  auto tuned = Model::make(small_options(20), 1).value();
  must_train(tuned, old_steps, fast_options(12));
  const double before = hit_at_one(tuned, test);
  auto how = fast_options(12);
  how.fine_tune_epochs = 1;
  must_train(tuned, new_steps, fine_tune_options(how));
  auto scratch = Model::make(small_options(20), 1).value();
  must_train(scratch, new_steps, fast_options(1));
  EXPECT_GT(hit_at_one(tuned, test), hit_at_one(scratch, test) + .3);
  EXPECT_GT(hit_at_one(tuned, test), before - .05) << "a fine-tuning that forgets";
}

}  // namespace
}  // namespace beckon::model
