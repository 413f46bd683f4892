// A plan would spend the budget on the wrong customers, or differ from one machine to the next, if one of these broke.
#include "beckon/response/scorer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "beckon/base/rng.h"

namespace beckon::response {
namespace {

constexpr std::int64_t kDay = base::kDayMs;
constexpr base::Instant kNow{1000 * kDay};

Evidence random_evidence(base::Rng& rng) {
  Evidence e;
  e.model = -1 - 6 * rng.uniform();
  e.purchase = rng.normal();
  e.seen = rng.chance(0.3) ? 1 : 0;
  e.own = e.seen * 1.5 * rng.uniform();
  e.recency = -e.seen * 5 * rng.uniform();
  e.markov = rng.uniform();
  e.popular = 4 * rng.uniform();
  return e;
}

ItemResponse truth() {
  ItemResponse out;
  out.intercept = -1.0;
  out.coefficients = {0.4, 0.5, 0.9, 0.25, 0.6, 0.7, 0.1};
  return out;
}

TEST(ItemResponse, FindsTheCoefficientsThatMadeTheData) {
  // A fit that misses them ranks the customers by noise.
  base::Rng rng(1);
  ItemResponse::Rows rows;
  for (int i = 0; i < 120'000; ++i) {
    const Evidence e = random_evidence(rng);
    rows.add(e, rng.chance(truth().predict(e)));
  }
  const auto fitted = ItemResponse::fit(rows);
  ASSERT_TRUE(fitted.ok()) << fitted.error().message;
  for (std::size_t i = 0; i < kEvidence; ++i) {
    EXPECT_NEAR(fitted->coefficients[i], truth().coefficients[i], 0.12) << "coefficient " << i;
  }
  EXPECT_NEAR(fitted->intercept, truth().intercept, 0.12);
}

TEST(ItemResponse, ItsProbabilitiesHoldOnDataItNeverSaw) {
  // A shop that plans with 5 % where 2 % happen pays for offers that never come back.
  base::Rng rng(2);
  ItemResponse::Rows rows;
  for (int i = 0; i < 60'000; ++i) {
    const Evidence e = random_evidence(rng);
    rows.add(e, rng.chance(truth().predict(e)));
  }
  const auto fitted = ItemResponse::fit(rows).value();
  std::vector<std::pair<double, bool>> held_out;
  for (int i = 0; i < 60'000; ++i) {
    const Evidence e = random_evidence(rng);
    held_out.emplace_back(fitted.predict(e), rng.chance(truth().predict(e)));
  }
  std::sort(held_out.begin(), held_out.end());
  const std::size_t size = held_out.size() / 10;
  double lowest = 1;
  double highest = 0;
  for (std::size_t bin = 0; bin < 10; ++bin) {
    double said = 0;
    double happened = 0;
    for (std::size_t i = bin * size; i < (bin + 1) * size; ++i) {
      said += held_out[i].first;
      happened += held_out[i].second ? 1 : 0;
    }
    said /= static_cast<double>(size);
    happened /= static_cast<double>(size);
    const double five_sigma = 5 * std::sqrt(said * (1 - said) / static_cast<double>(size));
    EXPECT_NEAR(said, happened, five_sigma + 0.003) << "bin " << bin;
    lowest = std::min(lowest, happened);
    highest = std::max(highest, happened);
  }
  EXPECT_GT(highest, 2 * lowest);  // and they tell customers apart
}

TEST(ItemResponse, CountingPrefersOwnAndRecent) {
  // Without a model the best guess is what he buys anyway.
  const ItemResponse counting = ItemResponse::counting();
  Evidence stranger;
  stranger.popular = std::log1p(50.0);
  Evidence own = stranger;
  own.seen = 1;
  own.own = std::log1p(2.0);
  own.recency = -std::log1p(3.0);
  Evidence old = own;
  old.recency = -std::log1p(300.0);
  EXPECT_GT(counting.predict(own), counting.predict(old));
  EXPECT_GT(counting.predict(own), counting.predict(stranger));
  EXPECT_LT(counting.predict(stranger), 0.05);
  EXPECT_GT(counting.predict(Evidence{}), 0.0);
}

TEST(ClickRatio, IsShrunkToOneAndMovesWithTheRecord) {
  // One lucky click must not make somebody the shop's best reader.
  EXPECT_EQ(click_ratio(0, 0, 0.05), 1.0);
  EXPECT_EQ(click_ratio(3, 10, 0), 1.0);
  EXPECT_DOUBLE_EQ(click_ratio(1, 1, 0.05, 20), (1 + 0.05 * 20) / 21 / 0.05);
  EXPECT_LT(click_ratio(1, 1, 0.05), 2.0);
  EXPECT_NEAR(click_ratio(1000, 10'000, 0.05), 2.0, 0.01);
  EXPECT_LT(click_ratio(0, 100, 0.05), click_ratio(0, 10, 0.05));
  EXPECT_GT(click_ratio(0, 100, 0.05), 0.0);
  EXPECT_GT(click_ratio(2, 20, 0.05), click_ratio(1, 20, 0.05));
}

// ---- Scorer ---------------------------------------------------------------------------------------------------------------

struct Population {
  features::Dataset data;
  std::vector<const features::History*> members;
  features::Floors floors;

  explicit Population(std::size_t count) {
    base::Rng rng(7);
    std::vector<std::string> names;
    for (int i = 1; i < 40; ++i) {
      names.push_back("item" + std::to_string(i));
    }
    data.vocabulary = features::Vocabulary(names);
    for (std::size_t c = 0; c < count; ++c) {
      features::History history;
      for (std::uint64_t n = c % 5 == 0 ? 0 : rng.below(12); n > 0; --n) {  // every fifth has done nothing yet
        const auto day = static_cast<std::int64_t>(990 + rng.below(10));
        history.steps.push_back({day * kDay, static_cast<std::int32_t>(rng.below(40)), features::StepType::kPurchase});
      }
      std::sort(history.steps.begin(), history.steps.end(), [](const auto& a, const auto& b) { return a.at_ms < b.at_ms; });
      data.histories.push_back(std::move(history));
    }
    for (const auto& history : data.histories) {
      members.push_back(&history);
    }
    floors = features::Floors::fit(data, kNow);
  }
};

model::Model small_model() {
  model::ModelOptions options;
  options.tokens = 40;
  options.side_sizes = features::side_sizes();
  options.heads = features::kHeads;
  options.width = 16;
  options.layers = 1;
  options.length_max = 20;
  return model::Model::make(options, 3).value();
}

bool same(const std::vector<std::vector<ScoredItem>>& a, const std::vector<std::vector<ScoredItem>>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return std::equal(x.begin(), x.end(), y.begin(), y.end(),
                      [](const auto& p, const auto& q) { return p.token == q.token && p.probability == q.probability; });
  });
}

TEST(Scorer, WithoutAModelItCounts) {
  // A shop on its first day still gets a plan.
  const Population people(10);
  const Scorer scorer(nullptr, &people.floors, ItemResponse::counting());
  base::SeededExecutor here(1);
  const auto scores = scorer.score(people.members, kNow, {}, 5, here);
  ASSERT_EQ(scores.size(), people.members.size());
  for (std::size_t i = 0; i < scores.size(); ++i) {
    EXPECT_EQ(scores[i].size(), 5U);
    for (std::size_t k = 0; k < scores[i].size(); ++k) {
      EXPECT_GT(scores[i][k].token, 0);
      EXPECT_TRUE(k == 0 || scores[i][k - 1].probability >= scores[i][k].probability);
    }
  }
  // Who has done nothing gets what is popular.
  const auto& favourite = people.floors.popular().front();
  EXPECT_EQ(scores[0][0].token, favourite.token);
  const auto popular = scorer.popular({}, 3, 10);
  ASSERT_EQ(popular.size(), 3U);
  EXPECT_EQ(popular[0].token, favourite.token);
  EXPECT_DOUBLE_EQ(popular[0].probability, 1 - std::exp(-favourite.score / 10));
}

TEST(Scorer, WhatIsNotAllowedIsNeverOffered) {
  // Sold out, excluded or below its margin: it must not slip in from any source of candidates.
  const Population people(40);
  const model::Model model = small_model();
  std::vector<bool> allowed(40, false);
  for (std::size_t t = 1; t < allowed.size(); t += 3) {
    allowed[t] = true;
  }
  allowed[0] = true;  // token 0 is no item, whatever the mask says
  base::SeededExecutor here(1);
  for (const model::Model* with : {static_cast<const model::Model*>(nullptr), &model}) {
    const Scorer scorer(with, &people.floors, ItemResponse::counting());
    std::size_t offered = 0;
    for (const auto& list : scorer.score(people.members, kNow, allowed, 1000, here)) {
      for (const auto& item : list) {
        EXPECT_TRUE(item.token > 0 && allowed[static_cast<std::size_t>(item.token)]) << item.token;
        ++offered;
      }
    }
    EXPECT_GT(offered, 0U);
    for (const auto& item : scorer.popular(allowed, 1000, 10)) {
      EXPECT_TRUE(allowed[static_cast<std::size_t>(item.token)]);
    }
    const std::vector<bool> nothing(40, false);
    for (const auto& list : scorer.score(people.members, kNow, nothing, 10, here)) {
      EXPECT_TRUE(list.empty());
    }
  }
}

TEST(Scorer, TheAnswerIsTheSameOnAnyExecutor) {
  // Planning twice on different machines must not give two plans.
  const Population people(150);
  const model::Model model = small_model();
  for (const model::Model* with : {static_cast<const model::Model*>(nullptr), &model}) {
    const Scorer scorer(with, &people.floors, ItemResponse::counting());
    base::SeededExecutor first(1);
    const auto expected = scorer.score(people.members, kNow, {}, 10, first);
    EXPECT_EQ(expected.size(), 150U);
    for (std::uint64_t seed = 2; seed < 6; ++seed) {
      base::SeededExecutor other(seed);
      EXPECT_TRUE(same(scorer.score(people.members, kNow, {}, 10, other), expected));
    }
    for (const std::size_t workers : {1U, 2U, 4U}) {
      base::ThreadExecutor threads(workers);
      EXPECT_TRUE(same(scorer.score(people.members, kNow, {}, 10, threads), expected));
    }
  }
}

TEST(Scorer, LaterStepsChangeNothing) {
  // Evidence that sees the future makes every replay look better than the shop will ever do.
  const Population people(40);
  const model::Model model = small_model();
  Population later(40);
  for (auto& history : later.data.histories) {
    history.steps.push_back({kNow.ms + 1, 5, features::StepType::kPurchase});
  }
  later.floors = features::Floors::fit(later.data, kNow);
  base::SeededExecutor here(1);
  const Scorer now(&model, &people.floors, ItemResponse::counting());
  const Scorer then(&model, &later.floors, ItemResponse::counting());
  EXPECT_TRUE(same(now.score(people.members, kNow, {}, 10, here), then.score(later.members, kNow, {}, 10, here)));
  EXPECT_FALSE(same(now.score(people.members, kNow, {}, 10, here), then.score(later.members, {kNow.ms + 1}, {}, 10, here)));
}

}  // namespace
}  // namespace beckon::response
