// The best item would be missed, or an excluded one recommended, if the search differed from sorting all logits.
#include "beckon/model/token_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "beckon/base/rng.h"
#include "beckon/model/ranking.h"
#include "language_helper.h"
#include "memory.h"
#include "row_codes.h"
#include "token_search.h"

namespace beckon::model {
namespace {

constexpr Codes kCodes[] = {Codes::kNone, Codes::kFourBits, Codes::kEightBits, Codes::kBf16};

struct Rows {
  std::size_t tokens = 0, width = 0;
  std::vector<float> rows, bias;
};

// Lengths of rows differ by a factor of hundreds, as after training. `whole`: small whole numbers, so that every sum is exact and
// equal logits are frequent.
Rows random_rows(std::size_t tokens, std::size_t width, bool whole, std::uint64_t seed) {
  base::Rng rng(seed);
  Rows out{tokens, width, std::vector<float>(tokens * width), std::vector<float>(tokens)};
  for (std::size_t t = 0; t < tokens; ++t) {
    const double size = whole ? 1 : std::exp(rng.normal());
    for (std::size_t c = 0; c < width; ++c) {
      out.rows[t * width + c] = whole ? static_cast<float>(rng.below(3)) - 1 : static_cast<float>(size * rng.normal());
    }
    if (!whole && rng.chance(.1)) {
      out.rows[t * width] *= 100;  // one entry so large that few levels are left for the others
    }
    out.bias[t] = whole ? static_cast<float>(rng.below(4)) : static_cast<float>(rng.normal());
  }
  return out;
}

std::vector<float> random_vector(std::size_t width, bool whole, base::Rng& rng) {
  std::vector<float> out(width);
  for (float& value : out) {
    value = whole ? static_cast<float>(rng.below(3)) - 1 : static_cast<float>(rng.normal());
  }
  return out;
}

// Every logit with the table's own kernel, then a full sort.
TopK by_sorting(const TokenTable& table, const TopKQuery& query) {
  TopK all;
  for (std::int32_t t = 1; t < static_cast<std::int32_t>(table.tokens()); ++t) {
    const auto bit = static_cast<std::size_t>(t);
    const bool allowed = query.allowed.empty() || ((query.allowed[bit / 64] >> (bit % 64)) & 1U) != 0;
    float logit = table.logit(query.vector, t);
    for (const auto& added : query.added) {
      logit += added.token == t ? added.logit : 0;
    }
    if (allowed && !std::ranges::binary_search(query.excluded, t) && logit > -std::numeric_limits<float>::infinity()) {
      all.push_back({t, logit});
    }
  }
  std::ranges::sort(all, [](const auto& a, const auto& b) { return a.logit != b.logit ? a.logit > b.logit : a.token < b.token; });
  all.resize(std::min(query.k, all.size()));
  return all;
}

struct Filters {
  std::vector<TokenLogit> added;
  std::vector<std::int32_t> excluded;
  std::vector<std::uint64_t> allowed;
};

Filters random_filters(const TopK& best, std::size_t tokens, base::Rng& rng) {
  Filters out;
  for (const auto& entry : best) {  // filters that matter: of those that would be found
    if (rng.chance(.3)) {
      out.excluded.push_back(entry.token);
    }
  }
  std::ranges::sort(out.excluded);
  for (std::int32_t t = static_cast<std::int32_t>(rng.below(9)); t < static_cast<std::int32_t>(tokens); t += 1 + static_cast<std::int32_t>(rng.below(60))) {
    out.added.push_back({t, static_cast<float>(rng.below(7)) - 2});
  }
  if (rng.chance(.5)) {
    out.allowed.resize((tokens + 63) / 64);
    for (auto& word : out.allowed) {
      word = rng.next_u64() & (rng.chance(.5) ? rng.next_u64() : ~0ULL);
    }
  }
  return out;
}

TEST(TokenTable, FindsWhatAFullSortFindsBitForBit) {
  base::Rng rng(1);
  for (const bool whole : {false, true}) {
    for (const std::size_t tokens : {2U, 63U, 64U, 65U, 2048U, 2049U, 9001U}) {
      const Rows data = random_rows(tokens, whole ? 8 : 40, whole, tokens);
      for (const Codes codes : kCodes) {
        const TokenTable table(data.rows, data.bias, codes);
        for (const std::size_t k : {0U, 1U, 10U, 300U, 10'000U}) {
          const auto vector = random_vector(data.width, whole, rng);
          TopKQuery query{vector, k};
          EXPECT_EQ(table.top_k(query), by_sorting(table, query)) << tokens << " tokens, k " << k;
          const Filters filters = random_filters(by_sorting(table, query), tokens, rng);
          query.added = filters.added;
          query.excluded = filters.excluded;
          query.allowed = filters.allowed;
          EXPECT_EQ(table.top_k(query), by_sorting(table, query)) << tokens << " tokens, filtered, k " << k;
        }
      }
    }
  }
}

TEST(TokenTable, ABatchAnswersAsOneByOneOnAnyExecutor) {
  const Rows data = random_rows(5000, 32, false, 3);
  const TokenTable table(data.rows, data.bias, Codes::kFourBits);
  base::Rng rng(4);
  std::vector<std::vector<float>> vectors;
  std::vector<Filters> filters;
  std::vector<TopKQuery> queries;
  for (std::size_t i = 0; i < 150; ++i) {
    vectors.push_back(random_vector(32, false, rng));
    filters.push_back(random_filters(by_sorting(table, {vectors.back(), 20}), 5000, rng));
  }
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    queries.push_back({vectors[i], i % 50, filters[i].added, filters[i].excluded, filters[i].allowed});
  }
  base::ThreadExecutor threads(3);
  const auto together = table.top_k(queries, threads);
  EXPECT_EQ(together, table.top_k(queries));
  EXPECT_EQ(together, TokenTable(data.rows, data.bias, Codes::kBf16).top_k(queries));
  for (std::size_t i = 0; i < queries.size(); ++i) {
    EXPECT_EQ(together[i], table.top_k(queries[i])) << i;
  }
}

TEST(TokenTable, AgreesWithTheModelsOwnLogitsAndItsMemory) {
  ModelOptions options;
  options.tokens = 300;
  options.width = 32;
  options.length_max = 20;
  auto model = Model::make(options, 1).value();
  base::Rng rng(2);
  for (float& weight : model.weights()) {
    weight += static_cast<float>(.1 * rng.normal());
  }
  const auto histories = random_sequences(options, 40, 3);
  model.set_memory(std::make_shared<const inner::Memory>(inner::Memory::count(histories, 300)));
  base::SeededExecutor executor(1);
  const auto vectors = model.encode(histories, executor);
  std::vector<float> logits(histories.size() * 300);
  model.score_histories(histories, vectors, logits);
  for (const Codes codes : kCodes) {
    const TokenTable table(model, codes);
    for (std::size_t i = 0; i < histories.size(); ++i) {
      const auto vector = std::span(vectors).subspan(i * 32, 32);
      const auto added = model.memory_logits(histories[i], vector);
      const auto found = table.top_k({vector, 20, added});
      const auto scores = std::span(logits).subspan(i * 300, 300);
      const auto expected = top_k(scores, 20);
      ASSERT_EQ(found.size(), 20U);
      for (std::size_t r = 0; r < 20; ++r) {
        const float wanted = scores[static_cast<std::size_t>(expected[r])];
        EXPECT_NEAR(found[r].logit, wanted, 1e-5 * (1 + std::abs(wanted)));
        // Sums in another order: only tokens whose logits are this near may change places.
        EXPECT_NEAR(scores[static_cast<std::size_t>(found[r].token)], wanted, 1e-5 * (1 + std::abs(wanted)));
      }
    }
  }
}

TEST(TokenTable, NumbersThatAreNoneAreNeverFoundAndHideNothing) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInfinite = std::numeric_limits<float>::infinity();
  Rows data = random_rows(400, 16, false, 5);
  data.rows[17 * 16 + 3] = kNan;
  data.rows[18 * 16] = kInfinite;
  data.bias[19] = kNan;
  data.bias[20] = kInfinite;
  data.bias[21] = -kInfinite;
  std::ranges::fill(std::span(data.rows).subspan(22 * 16, 16), 0.0F);
  std::ranges::fill(std::span(data.rows).subspan(23 * 16, 16), 1e-42F);
  base::Rng rng(6);
  const auto vector = random_vector(16, false, rng);
  for (const Codes codes : kCodes) {
    const TokenTable table(data.rows, data.bias, codes);
    const auto found = table.top_k({vector, 1000});
    EXPECT_EQ(found.size(), 399U - 5U);
    for (const auto& entry : found) {
      EXPECT_TRUE(std::isfinite(entry.logit) && (entry.token < 17 || entry.token > 21) && entry.token != 0);
    }
    auto broken = vector;
    broken[2] = kNan;
    EXPECT_TRUE(table.top_k({broken, 10}).empty());
    EXPECT_TRUE(table.top_k(std::vector<TopKQuery>{{broken, 10}})[0].empty());
  }
}

TEST(RowCodes, TheBoundIsNeverBelowTheLogitAndEightBitsLoseLittle) {
  for (const std::size_t bits : {4U, 8U}) {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      const Rows data = random_rows(1000, 64, seed % 5 == 0, seed);
      const inner::CodedRows coded(data.rows, data.bias, bits);
      base::Rng rng(seed);
      const auto vector = random_vector(64, false, rng);
      std::vector<float> bounds(coded.scale.size());
      float gap = 0;
      tensor::code_scores(coded.tile(0), inner::CodedVector(vector).query(coded, 0, true, &gap), bounds);
      for (std::size_t t = 0; t < 1000; ++t) {
        const float exact = tensor::dot(vector, std::span(data.rows).subspan(t * 64, 64)) + data.bias[t];
        ASSERT_GE(bounds[t], exact - 1e-6F * std::abs(data.bias[t]));
        ASSERT_LE(bounds[t] - 2 * gap * coded.scale[t], exact + 1e-6F * (1 + std::abs(data.bias[t])));
      }
    }
  }
}

TEST(TokenTable, AShortlistOfEightBitsHoldsNearlyAllOfTheBest) {
  const Rows data = random_rows(20'000, 64, false, 8);
  const TokenTable table(data.rows, data.bias, Codes::kEightBits);
  base::Rng rng(9);
  std::ptrdiff_t alone = 0;
  std::ptrdiff_t rescored = 0;
  for (int i = 0; i < 50; ++i) {
    const auto vector = random_vector(64, false, rng);
    const auto exact = table.top_k({vector, 50});
    const auto hits = [&](const TopK& found) {
      return std::ranges::count_if(
          found, [&](const auto& f) { return std::ranges::find(exact, f.token, &TokenLogit::token) != exact.end(); });
    };
    alone += hits(table.approximate_top_k({vector, 50}, 1));
    rescored += hits(table.approximate_top_k({vector, 50}, 4));
  }
  EXPECT_GT(alone, 2425);  // of 50 · 50
  EXPECT_EQ(rescored, 2500);
}

}  // namespace
}  // namespace beckon::model
