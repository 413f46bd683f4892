// A customer would get another one's list, or a list of other numbers than he is shown, if one of these broke.
#include "beckon/model/population.h"

#include <gtest/gtest.h>

#include <cmath>

#include "language_helper.h"

namespace beckon::model {
namespace {

struct Setting {
  Model model;
  std::vector<float> vectors;
  std::vector<std::uint16_t> packed;
};

Setting make_setting() {
  ModelOptions options;
  options.tokens = 500;
  options.width = 32;
  options.length_max = 20;
  Setting s{Model::make(options, 1).value(), {}, {}};
  base::Rng rng(2);
  for (float& weight : s.model.weights()) {
    weight += static_cast<float>(.1 * rng.normal());
  }
  base::SeededExecutor executor(1);
  s.vectors = s.model.encode(random_sequences(options, 300, 3), executor);
  s.packed = pack_vectors(s.vectors);
  return s;
}

TEST(Population, StoredVectorsAreWithinARoundingOfTheirOwn) {
  const Setting s = make_setting();
  const auto back = unpack_vectors(s.packed);
  ASSERT_EQ(back.size(), s.vectors.size());
  for (std::size_t i = 0; i < back.size(); ++i) {
    ASSERT_LE(std::abs(back[i] - s.vectors[i]), std::abs(s.vectors[i]) / 256);
  }
  EXPECT_EQ(pack_vectors(back), s.packed);
}

TEST(Population, EverybodyGetsOnceWhatHeWouldGetAlone) {
  const Setting s = make_setting();
  const auto vectors = unpack_vectors(s.packed);
  const TokenTable table(s.model, Codes::kNone);
  base::ThreadExecutor threads(3);
  const std::vector<std::int32_t> excluded{1, 2, 3, 4, 5, 100, 101, 102};
  std::vector<int> received(300);
  const auto odd_ones = [&](std::size_t customer, TopKQuery& query) {
    query.excluded = customer % 2 == 1 ? std::span<const std::int32_t>(excluded) : std::span<const std::int32_t>();
  };
  std::vector<TopK> got(300);
  score_population(table, s.packed, {20, odd_ones}, threads, [&](std::size_t customer, TopK best) {
    ++received[customer];
    got[customer] = std::move(best);
  });
  EXPECT_EQ(received, std::vector<int>(300, 1));
  for (std::size_t customer = 0; customer < 300; ++customer) {
    TopKQuery query{std::span(vectors).subspan(customer * 32, 32), 20};
    odd_ones(customer, query);
    ASSERT_EQ(got[customer], table.top_k(query)) << customer;
  }
}

TEST(Population, ABankScoresItsOwnTokensInTheCallersOrder) {
  const Setting s = make_setting();
  const auto vectors = unpack_vectors(s.packed);
  const std::vector<std::int32_t> tokens{77, 3, 499, 3, 120};
  const ActionBank bank(s.model, tokens);
  base::SeededExecutor executor(4);
  std::vector<float> all(300 * s.model.tokens());
  s.model.score_tokens(vectors, all);
  std::size_t customers = 0;
  bank.score(s.packed, executor, [&](std::size_t first, std::span<const float> logits) {
    for (std::size_t i = 0; i < logits.size(); ++i) {
      const float expected = all[(first + i / 5) * 500 + static_cast<std::size_t>(tokens[i % 5])];
      ASSERT_NEAR(logits[i], expected, 1e-5 * (1 + std::abs(expected)));
    }
    customers += logits.size() / 5;
  });
  EXPECT_EQ(customers, 300U);
  bank.top_k(s.packed, 3, executor, [&](std::size_t customer, const TopK& best) {
    ASSERT_EQ(best.size(), 3U);
    for (std::size_t r = 0; r < 3; ++r) {
      const auto logit = [&](std::int32_t index) { return all[customer * 500 + static_cast<std::size_t>(tokens[static_cast<std::size_t>(index)])]; };
      EXPECT_NEAR(best[r].logit, logit(best[r].token), 1e-5 * (1 + std::abs(best[r].logit)));
      EXPECT_TRUE(r == 0 || best[r - 1].logit > best[r].logit || (best[r - 1].logit == best[r].logit && best[r - 1].token < best[r].token));
    }
  });
}

}  // namespace
}  // namespace beckon::model
