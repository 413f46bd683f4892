// A model that does not learn, a resumed training that ends elsewhere, or two runs that differ would be found by the user
// first.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "beckon/model/train.h"
#include "language_helper.h"

namespace beckon::model {
namespace {

TrainOptions fast_options() {
  TrainOptions options;
  options.batch_positions = 256;
  options.learning_rate = 3e-3F;
  options.epochs_max = 25;
  options.warmup_steps = 20;
  return options;
}

struct Lesson {
  ModelOptions model = language_options(20);
  TrainOptions training = fast_options();
  std::vector<Sequence> train_set = two_step_language(20, 300, 12, 1);
  std::vector<Sequence> validation_set = two_step_language(20, 60, 12, 2);
};

struct Outcome {
  Model model;
  TrainReport report;
};

Outcome learn(const Lesson& lesson, TrainHooks hooks = {}) {
  auto model = Model::make(lesson.model, 1).value();
  base::SeededExecutor here(5);
  if (hooks.executor == nullptr) {
    hooks.executor = &here;
  }
  auto report = train(model, lesson.train_set, lesson.validation_set, lesson.training, hooks);
  EXPECT_TRUE(report.ok()) << report.error().message;
  return {std::move(model), *report};
}

std::vector<float> bits(const Model& model) {
  return {model.weights().begin(), model.weights().end()};
}

double hit_at_one(const Model& model) {
  base::SeededExecutor executor(1);
  return evaluate(model, two_step_language(20, 200, 12, 9), {1, false, 0}, executor).hit;
}

TEST(Train, LearnsALanguageOfTwoStepsWithTheFullSoftmax) {
  EXPECT_GT(hit_at_one(learn({}).model), .95);
}

TEST(Train, LearnsTheSameLanguageFromSampledNegatives) {
  Lesson lesson;
  lesson.model.loss = LossKind::kSampledSoftmax;
  lesson.model.negatives = 16;
  EXPECT_GT(hit_at_one(learn(lesson).model), .95);
}

TEST(Train, EveryArchitectureAndEveryLossLearnsTheLanguage) {
  for (const Arch arch : {Arch::kSasrec, Arch::kRnn, Arch::kGru, Arch::kLstm}) {
    Lesson lesson;
    lesson.model.arch = arch;
    lesson.model.width = 64;
    lesson.training.epochs_max = 100;
    lesson.training.patience = 25;
    EXPECT_GT(hit_at_one(learn(lesson).model), .9) << "arch " << static_cast<int>(arch);
  }
  for (const LossKind loss : {LossKind::kGbce, LossKind::kBce}) {
    Lesson lesson;
    lesson.model.loss = loss;
    lesson.model.negatives = 8;
    lesson.training.epochs_max = 80;
    lesson.training.patience = 80;
    EXPECT_GT(hit_at_one(learn(lesson).model), .9) << "loss " << static_cast<int>(loss);
  }
}

TEST(Train, TheClassicLstmLearnsAYesNoQuestionFromTheLastLabelAlone) {
  // embedding → LSTM → LSTM → dense sigmoid: was the first token a large one?
  for (const HeadLoss loss : {HeadLoss::kBinaryCrossEntropy, HeadLoss::kSquaredError}) {
    Lesson lesson;
    lesson.model.arch = Arch::kLstm;
    lesson.model.width = 128;
    lesson.model.final_norm = false;
    lesson.model.heads = 1;
    lesson.model.head_loss = loss;
    lesson.validation_set.clear();
    lesson.training.epochs_max = 30;
    for (auto& sequence : lesson.train_set) {
      sequence.target.clear();
      sequence.label.assign(sequence.length(), -1);
      sequence.label.back() = sequence.token[0] > 10 ? 1 : 0;
    }
    const auto model = learn(lesson).model;
    base::SeededExecutor executor(1);
    const auto fresh = two_step_language(20, 100, 12, 77);
    std::vector<float> logits(fresh.size());
    model.head_logits(model.encode(fresh, executor), logits);
    int right = 0;
    for (std::size_t i = 0; i < logits.size(); ++i) {
      right += (logits[i] > 0) == (fresh[i].token[0] > 10) ? 1 : 0;
    }
    EXPECT_GE(right, 90) << "loss " << static_cast<int>(loss);
  }
}

TEST(Train, TheTimeOfTheRequestIsLearned) {
  // The answer is token 1 within the hour and token 2 a day later; nothing else tells them apart.
  Lesson lesson;
  lesson.validation_set.clear();
  lesson.training.epochs_max = 200;
  lesson.training.warmup_steps = 100;
  const auto make = [](std::uint64_t seed) {
    base::Rng rng(seed);
    std::vector<Sequence> out(200);
    for (auto& sequence : out) {
      std::int64_t at_ms = 1'700'000'000'000;
      for (int i = 0; i < 6; ++i) {
        const bool soon = rng.below(2) == 0;
        sequence.token.push_back(3 + static_cast<std::int32_t>(rng.below(10)));
        sequence.at_ms.push_back(at_ms);
        at_ms += soon ? 1'800'000 : 90'000'000;
        sequence.request_ms.push_back(at_ms);
        sequence.target.push_back(soon ? 1 : 2);
      }
    }
    return out;
  };
  lesson.train_set = make(1);
  const auto model = learn(lesson).model;
  base::SeededExecutor executor(1);
  EXPECT_GT(evaluate(model, make(2), {1, false, 0}, executor).hit, .85);
}

TEST(Train, SameSeedAndWorkerCountGiveTheSameBitsOnAnyExecutor) {
  for (const auto& [arch, loss] : {std::pair{Arch::kLigr, LossKind::kFullSoftmax}, {Arch::kSasrec, LossKind::kSampledSoftmax},
                                   {Arch::kGru, LossKind::kGbce}, {Arch::kLstm, LossKind::kBce}}) {
    Lesson lesson;
    lesson.model.dropout = .2F;
    lesson.model.arch = arch;
    lesson.model.loss = loss;
    lesson.training.epochs_max = 2;
    lesson.training.worker_count = 3;
    base::ThreadExecutor threads(2);
    TrainHooks on_threads;
    on_threads.executor = &threads;
    const auto first = bits(learn(lesson).model);
    EXPECT_EQ(first, bits(learn(lesson, on_threads).model));
    lesson.training.seed = 2;
    EXPECT_NE(first, bits(learn(lesson).model));
  }
}

TEST(Train, ResumedTrainingEndsWithTheBitsOfAnUninterruptedOne) {
  for (const auto loss : {LossKind::kFullSoftmax, LossKind::kSampledSoftmax, LossKind::kGbce}) {
    Lesson lesson;
    lesson.model.dropout = .2F;
    lesson.model.loss = loss;
    lesson.training.worker_count = 2;
    lesson.training.epochs_max = 5;
    const auto whole = learn(lesson);

    base::MemoryFileSystem files;
    TrainHooks hooks;
    hooks.files = &files;
    lesson.training.checkpoint_path = "model.safetensors";
    lesson.training.resume = true;
    // Cut in the middle of the fourth epoch: the state is as of the end of the third.
    hooks.on_step = nullptr;
    int epochs = 0;
    hooks.on_epoch = [&](const EpochReport&) { ++epochs; };
    hooks.should_stop = [&] { return epochs == 3; };
    const auto cut = learn(lesson, hooks);
    EXPECT_TRUE(cut.report.cancelled);
    EXPECT_EQ(cut.report.epochs.size(), 3U);
    hooks.should_stop = nullptr;
    const auto resumed = learn(lesson, hooks);
    EXPECT_EQ(resumed.report.epochs.size(), 5U);
    EXPECT_EQ(bits(resumed.model), bits(whole.model));
    for (std::size_t e = 0; e < 5; ++e) {
      EXPECT_EQ(resumed.report.epochs[e].validation_ndcg10, whole.report.epochs[e].validation_ndcg10);
    }
    // The checkpoint beside the state is the best model, ready to serve.
    EXPECT_EQ(bits(Model::load(files, "model.safetensors").value()), bits(whole.model));
  }
}

TEST(Train, AStateOfOtherOptionsOrATornOneIsRefusedWithTheWayOut) {
  Lesson lesson;
  lesson.training.epochs_max = 1;
  lesson.training.checkpoint_path = "m";
  base::MemoryFileSystem files;
  base::SeededExecutor executor(1);
  TrainHooks hooks;
  hooks.files = &files;
  hooks.executor = &executor;
  learn(lesson, hooks);
  lesson.training.resume = true;
  auto model = Model::make(lesson.model, 1).value();
  auto other = lesson.training;
  other.learning_rate = 1e-4F;
  const auto refused = train(model, lesson.train_set, lesson.validation_set, other, hooks);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, base::ErrorCode::kFailedPrecondition);
  EXPECT_THAT(refused.error().message, testing::AllOf(testing::HasSubstr("m.state"), testing::HasSubstr("without resume")));
  auto bytes = files.read("m.state").value();
  for (const std::size_t length : {std::size_t{0}, std::size_t{5}, bytes.size() / 2, bytes.size() - 1}) {
    ASSERT_TRUE(files.write_atomic("m.state", bytes.substr(0, length)).ok());
    const auto torn = train(model, lesson.train_set, lesson.validation_set, lesson.training, hooks);
    ASSERT_FALSE(torn.ok()) << length;
    EXPECT_EQ(torn.error().code, base::ErrorCode::kDataLoss);
  }
  bytes[bytes.size() - 3] = static_cast<char>(bytes[bytes.size() - 3] ^ 1);
  ASSERT_TRUE(files.write_atomic("m.state", bytes).ok());
  EXPECT_FALSE(train(model, lesson.train_set, lesson.validation_set, lesson.training, hooks).ok());
}

TEST(Train, StopsWhenValidationNoLongerImprovesAndKeepsTheBestEpoch) {
  Lesson lesson;
  lesson.training.patience = 2;
  lesson.training.epochs_max = 60;
  const auto outcome = learn(lesson);
  EXPECT_TRUE(outcome.report.stopped_early);
  EXPECT_EQ(static_cast<int>(outcome.report.epochs.size()), outcome.report.best_epoch + 2);
  base::SeededExecutor executor(1);
  const auto again = evaluate(outcome.model, lesson.validation_set, {10, false, 0}, executor);
  EXPECT_DOUBLE_EQ(again.ndcg, outcome.report.best_ndcg10);
}

TEST(Train, HeadsLearnAQuestionAboutTheLastToken) {
  Lesson lesson;
  lesson.model.heads = 2;
  lesson.training.epochs_max = 12;
  const auto question = [](std::int32_t token, int head) {
    return static_cast<std::int8_t>(head == 0 ? token % 2 : token > 10);
  };
  for (auto& sequence : lesson.train_set) {
    for (const std::int32_t token : sequence.token) {
      sequence.label.push_back(question(token, 0));
      sequence.label.push_back(token % 5 == 0 ? std::int8_t{-1} : question(token, 1));
    }
  }
  const auto model = learn(lesson).model;
  base::SeededExecutor executor(1);
  const auto fresh = two_step_language(20, 100, 12, 77);
  std::vector<float> logits(fresh.size() * 2);
  model.head_logits(model.encode(fresh, executor), logits);
  int right = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    right += (logits[i] > 0) == (question(fresh[i / 2].token.back(), static_cast<int>(i % 2)) == 1) ? 1 : 0;
  }
  EXPECT_GE(right, 190);
}

TEST(Train, SideColumnsAreLearned) {
  // The next token is the side value: a model that ignored the column could not pass one in seven.
  ModelOptions options = language_options(8);
  options.side_sizes = {8};
  Lesson lesson;
  lesson.model = options;
  lesson.validation_set.clear();
  lesson.training.epochs_max = 15;
  lesson.train_set = random_sequences(options, 400, 3);
  for (auto& sequence : lesson.train_set) {
    sequence.target = sequence.side;
  }
  const auto model = learn(lesson).model;
  auto fresh = random_sequences(options, 200, 4);
  for (auto& sequence : fresh) {
    sequence.target = sequence.side;
  }
  base::SeededExecutor executor(1);
  EXPECT_GT(evaluate(model, fresh, {1, false, 0}, executor).hit, .95);
}

TEST(Train, RefusesDataOutOfRangeByIndexAndDataWithoutTargets) {
  Lesson lesson;
  auto model = Model::make(lesson.model, 1).value();
  base::SeededExecutor executor(1);
  TrainHooks hooks;
  hooks.executor = &executor;
  auto bad = lesson.train_set;
  bad[7].token[2] = 20;
  const auto refused = train(model, bad, {}, lesson.training, hooks);
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message, testing::HasSubstr("sequence 7"));
  for (auto& sequence : bad) {
    sequence.token[2] = 1;
    sequence.target.clear();
  }
  EXPECT_FALSE(train(model, bad, {}, lesson.training, hooks).ok());
  auto options = lesson.training;
  options.learning_rate = std::nanf("");
  EXPECT_FALSE(train(model, lesson.train_set, {}, options, hooks).ok());
}

TEST(Train, ADivergingTrainingEndsInAnErrorNotInNoise) {
  Lesson lesson;
  auto model = Model::make(lesson.model, 1).value();
  model.weights()[5] = std::nanf("");
  base::SeededExecutor executor(1);
  TrainHooks hooks;
  hooks.executor = &executor;
  const auto report = train(model, lesson.train_set, {}, lesson.training, hooks);
  ASSERT_FALSE(report.ok());
  EXPECT_THAT(report.error().message, testing::HasSubstr("learning_rate"));
}

TEST(Evaluate, TiesCountAgainstUsAndSeenTokensAreLeftOutOnDemand) {
  auto options = language_options(20);
  auto model = Model::make(options, 1).value();
  std::ranges::fill(model.weights(), 0.0F);  // every logit is 0: all 19 tokens tie
  base::SeededExecutor executor(1);
  const std::vector<Sequence> one{{{1, 2, 3, 3}, {}, {0, 0, 0, 5}, {}}};
  EXPECT_EQ(evaluate(model, one, {18, false, 0}, executor).hit, 0);
  EXPECT_EQ(evaluate(model, one, {19, false, 0}, executor).hit, 1);
  EXPECT_EQ(evaluate(model, one, {15, true, 0}, executor).hit, 0);
  EXPECT_EQ(evaluate(model, one, {16, true, 0}, executor).hit, 1);  // 1, 2 and 3 are out
}

}  // namespace
}  // namespace beckon::model
