// A customer's vector would depend on his future, on his neighbours in the batch or on the machine's load if one of these
// broke.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "batch.h"
#include "beckon/model/ranking.h"
#include "language_helper.h"
#include "memory.h"

namespace beckon::model {
namespace {

constexpr Arch kArchs[] = {Arch::kLigr, Arch::kSasrec, Arch::kRnn, Arch::kGru, Arch::kLstm};

ModelOptions some_options(Arch arch = Arch::kLigr) {
  ModelOptions options;
  options.arch = arch;
  options.tokens = 50;
  options.side_sizes = {4, 6};
  options.heads = 3;
  options.width = 32;
  options.length_max = 20;
  return options;
}

Model some_model(Arch arch = Arch::kLigr) {
  auto model = Model::make(some_options(arch), 1).value();
  base::Rng rng(2);
  for (float& weight : model.weights()) {
    weight += static_cast<float>(.1 * rng.normal());
  }
  return model;
}

void expect_no_look_ahead(const Model& model) {
  const auto& options = model.options();
  auto sequences = random_sequences(options, 40, 3);
  for (auto& sequence : sequences) {
    const auto before = model.encode_positions(sequence);
    for (std::size_t cut = 1; cut < sequence.length(); ++cut) {
      auto changed = sequence;
      for (std::size_t i = cut; i < sequence.length(); ++i) {
        changed.token[i] = (changed.token[i] + 7) % options.tokens;
        changed.side[2 * i] = (changed.side[2 * i] + 1) % 4;
        changed.at_ms[i] -= base::kHourMs;  // the times of the requests before stay: they are known when the question is asked
      }
      const auto after = model.encode_positions(changed);
      const std::size_t same = cut * model.width();
      ASSERT_TRUE(std::equal(before.begin(), before.begin() + static_cast<std::ptrdiff_t>(same), after.begin())) << cut;
      ASSERT_NE(std::vector(before.begin() + static_cast<std::ptrdiff_t>(same), before.end()),
                std::vector(after.begin() + static_cast<std::ptrdiff_t>(same), after.end()));
    }
  }
}

TEST(Model, LaterPositionsCannotChangeEarlierVectorsByOneBit) {
  for (const Arch arch : kArchs) {
    SCOPED_TRACE(static_cast<int>(arch));
    expect_no_look_ahead(some_model(arch));
  }
}

TEST(Model, TheSameHistoryAskedLaterGetsAnotherVectorAndTimesThatAreMissingAreNoEpoch) {
  const auto model = some_model();
  base::SeededExecutor executor(1);
  auto sequences = random_sequences(some_options(), 30, 3);
  std::erase_if(sequences, [](const Sequence& s) { return s.length() < 3; });
  const auto now = model.encode(sequences, executor);
  auto later = sequences;
  for (auto& sequence : later) {
    sequence.request_ms.back() += 90 * base::kDayMs;
  }
  EXPECT_NE(now, model.encode(later, executor));
  // Moving the whole history and the question by a year changes nothing: only gaps are seen.
  auto moved = sequences;
  for (auto& sequence : moved) {
    for (std::size_t i = 0; i < sequence.length(); ++i) {
      sequence.at_ms[i] += 365 * base::kDayMs;
      sequence.request_ms[i] += 365 * base::kDayMs;
    }
  }
  EXPECT_EQ(now, model.encode(moved, executor));
  auto timeless = sequences;
  for (auto& sequence : timeless) {
    sequence.at_ms.clear();
    sequence.request_ms.clear();
  }
  const auto without = model.encode(timeless, executor);
  EXPECT_NE(now, without);
  // Beside a neighbour with times the same as alone, but for rounding.
  timeless.push_back(sequences[0]);
  const auto beside = model.encode(timeless, executor);
  for (std::size_t i = 0; i < without.size(); ++i) {
    ASSERT_NEAR(beside[i], without[i], 1e-4);
  }
}

TEST(Model, EncodeIsTheLastPositionWhateverTheNeighboursAndTheExecutor) {
  for (const Arch arch : kArchs) {
    SCOPED_TRACE(static_cast<int>(arch));
    const auto model = some_model(arch);
    const auto sequences = random_sequences(some_options(), 500, 4);
    base::ThreadExecutor threads(3);
    base::SeededExecutor seeded(1);
    const auto vectors = model.encode(sequences, threads);
    EXPECT_EQ(vectors, model.encode(sequences, seeded));
    for (std::size_t s = 0; s < sequences.size(); s += 17) {
      const auto all = model.encode_positions(sequences[s]);
      for (std::size_t c = 0; c < model.width(); ++c) {
        ASSERT_NEAR(vectors[s * model.width() + c], all[all.size() - model.width() + c], 1e-4);
      }
    }
  }
}

TEST(Model, ReadsTheLastPositionsOfALongHistoryAndAnswersForAnEmptyOne) {
  const auto model = some_model();
  base::SeededExecutor executor(1);
  auto options = some_options();
  options.length_max = 60;
  auto longer = random_sequences(options, 30, 5);
  auto shorter = longer;
  for (auto& sequence : shorter) {
    const auto drop = static_cast<std::ptrdiff_t>(sequence.length() > 20 ? sequence.length() - 20 : 0);
    sequence.token.erase(sequence.token.begin(), sequence.token.begin() + drop);
    sequence.at_ms.erase(sequence.at_ms.begin(), sequence.at_ms.begin() + drop);
    sequence.request_ms.erase(sequence.request_ms.begin(), sequence.request_ms.begin() + drop);
    sequence.side.erase(sequence.side.begin(), sequence.side.begin() + 2 * drop);
  }
  EXPECT_EQ(model.encode(longer, executor), model.encode(shorter, executor));
  const std::vector<Sequence> empty(1);
  const std::vector<Sequence> unknown{{{0}, {0, 0}, {}, {}}};
  EXPECT_EQ(model.encode(empty, executor), model.encode(unknown, executor));
}

TEST(Model, ScoresAreDotProductsWithTheTableAndTokenZeroIsNeverChosen) {
  const auto model = some_model();
  base::SeededExecutor executor(1);
  const auto vectors = model.encode(random_sequences(some_options(), 70, 6), executor);
  std::vector<float> scores(70 * model.tokens());
  model.score_tokens(vectors, scores);
  for (std::size_t r = 0; r < 70; r += 13) {
    EXPECT_EQ(scores[r * 50], -INFINITY);
    for (std::size_t t = 1; t < 50; ++t) {
      double expected = static_cast<double>(model.token_bias()[t]);
      for (std::size_t c = 0; c < model.width(); ++c) {
        expected += static_cast<double>(vectors[r * model.width() + c]) *
                    static_cast<double>(model.token_embeddings()[t * model.width() + c]);
      }
      ASSERT_NEAR(scores[r * 50 + t], expected, 1e-4);
    }
    EXPECT_THAT(top_k(std::span(scores).subspan(r * 50, 50), 49), testing::Not(testing::Contains(0)));
  }
}

TEST(Model, RefusesOptionsOutOfRangeWithNameValueAndRange) {
  auto options = some_options();
  options.width = 24;
  auto made = Model::make(options, 1);
  ASSERT_FALSE(made.ok());
  EXPECT_THAT(made.error().message, testing::AllOf(testing::HasSubstr("width is 24"), testing::HasSubstr("16")));
  options = some_options();
  options.dropout = 1;
  EXPECT_FALSE(Model::make(options, 1).ok());
  options = some_options();
  options.side_sizes = {4, 0};
  EXPECT_FALSE(Model::make(options, 1).ok());
}

TEST(Model, CheckNamesTheSequenceAndTheValue) {
  const auto model = some_model();
  Sequence good = random_sequences(some_options(), 1, 8)[0];
  EXPECT_TRUE(model.check(good, 0).ok());
  auto bad = good;
  bad.side.pop_back();
  EXPECT_FALSE(model.check(bad, 3).ok());
  bad = good;
  bad.side[1] = 6;
  EXPECT_THAT(model.check(bad, 3).error().message,
              testing::AllOf(testing::HasSubstr("sequence 3"), testing::HasSubstr("side value 6")));
  bad = good;
  bad.label[0] = 2;
  EXPECT_FALSE(model.check(bad, 3).ok());
  bad = good;
  bad.request_ms.clear();
  EXPECT_THAT(model.check(bad, 3).error().message, testing::HasSubstr("request_ms"));
  bad = good;
  bad.target[0] = -1;
  EXPECT_FALSE(model.check(bad, 3).ok());
}

TEST(Windows, EveryPositionIsLearnedOncePerEpochAndCutsMove) {
  ModelOptions options = some_options();
  TrainOptions training;
  options.length_max = 60;  // long histories …
  const auto sequences = random_sequences(options, 50, 9);
  options.length_max = 20;  // … cut into windows of 20
  std::vector<std::vector<std::size_t>> cuts;
  for (std::uint64_t epoch = 1; epoch <= 2; ++epoch) {
    const auto windows = inner::plan_epoch(options, sequences, training, epoch);
    std::vector<int> seen(50 * 60);
    std::vector<std::size_t> begins;
    for (const auto& window : windows) {
      EXPECT_LE(window.length(), 20U);
      begins.push_back(window.sequence * 100 + window.begin);
      for (std::size_t i = window.begin; i < window.end; ++i) {
        ++seen[window.sequence * 60 + i];
      }
    }
    for (std::size_t s = 0; s < sequences.size(); ++s) {
      for (std::size_t i = 0; i < sequences[s].length(); ++i) {
        // A window in which there is nothing to learn may be left out.
        EXPECT_LE(seen[s * 60 + i], 1);
        if (sequences[s].target[i] > 0) {
          EXPECT_EQ(seen[s * 60 + i], 1);
        }
      }
    }
    std::ranges::sort(begins);
    cuts.push_back(begins);
  }
  EXPECT_NE(cuts[0], cuts[1]);
  training.positions_per_sequence = 20;
  std::vector<std::size_t> positions(50);
  for (const auto& window : inner::plan_epoch(options, sequences, training, 1)) {
    positions[window.sequence] += window.length();
  }
  EXPECT_LT(*std::ranges::max_element(positions), 40U);
}

TEST(Model, AColumnWithOneValueChangesNothing) {
  // A shop without brands would train another network than before there were brands.
  const auto options = some_options();
  auto more = options;
  more.side_sizes = {1, 4, 1, 6, 1};
  const auto model = Model::make(options, 1).value();
  const auto wider = Model::make(more, 1).value();
  EXPECT_TRUE(std::ranges::equal(model.weights(), wider.weights()));
  const auto sequences = random_sequences(options, 20, 3);
  auto with_columns = sequences;
  for (auto& sequence : with_columns) {
    sequence.side.clear();
  }
  for (std::size_t s = 0; s < sequences.size(); ++s) {
    for (std::size_t i = 0; i < sequences[s].length(); ++i) {
      with_columns[s].side.insert(with_columns[s].side.end(), {0, sequences[s].side[2 * i], 0, sequences[s].side[2 * i + 1], 0});
    }
    ASSERT_TRUE(wider.check(with_columns[s], s).ok());
  }
  base::SeededExecutor executor(1);
  EXPECT_EQ(model.encode(sequences, executor), wider.encode(with_columns, executor));
  auto grown = Model::make(more, 2).value();
  const std::vector<std::int32_t> same(50, 0);
  auto later = more;
  later.side_sizes[0] = 7;  // the shop has got brands
  auto next = Model::make(later, 3).value();
  EXPECT_TRUE(next.adopt(grown, same).ok());
}

TEST(Model, MoreTokensLeaveTheOldScoresAsTheyWere) {
  // New goods on the shelf must not change what is said of the old ones.
  for (const bool memory : {false, true}) {
    ModelOptions options = some_options();
    options.memory = memory;
    auto model = Model::make(options, 1).value();
    const auto sequences = random_sequences(options, 30, 3);
    if (memory) {
      model.set_memory(std::make_shared<const inner::Memory>(inner::Memory::count(sequences, model.tokens())));
    }
    auto grown = model.with_tokens(60).value();
    base::SeededExecutor executor(1);
    const auto vectors = model.encode(sequences, executor);
    EXPECT_EQ(grown.encode(sequences, executor), vectors);
    std::vector<float> before(sequences.size() * 50);
    std::vector<float> after(sequences.size() * 60);
    model.score_histories(sequences, vectors, before);
    grown.score_histories(sequences, vectors, after);
    for (std::size_t i = 0; i < sequences.size(); ++i) {
      for (std::size_t t = 1; t < 60; ++t) {
        EXPECT_EQ(after[i * 60 + t], t < 50 ? before[i * 50 + t] : 0.0F);
      }
    }
    std::vector<float> vector(32, 0.0F);
    vector[3] = 2;
    grown.set_token(59, vector, .5F);
    grown.score_tokens(vectors, after);
    EXPECT_NEAR(after[59], 2 * vectors[3] + .5F, 1e-5F);
    base::MemoryFileSystem files;
    ASSERT_TRUE(grown.save(files, "grown").ok());
    EXPECT_TRUE(std::ranges::equal(Model::load(files, "grown")->weights(), grown.weights()));
  }
}

TEST(Windows, StepsHoldAboutTheWantedPositionsAndLoseNone) {
  const std::vector<inner::Window> windows{{0, 0, 5}, {1, 0, 6}, {2, 0, 1}, {3, 0, 30}, {4, 0, 2}};
  EXPECT_THAT(inner::plan_steps(windows, 10), testing::ElementsAre(0, 2, 4, 5));
}

}  // namespace
}  // namespace beckon::model
