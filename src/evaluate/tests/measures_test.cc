// Every comparison with print rests on these numbers; expected ones are worked out by hand.
#include "beckon/evaluate/measures.h"

#include <cmath>

#include "world.h"

namespace beckon::evaluate {
namespace {

// The same scores for everybody.
class Fixed final : public Ranker {
 public:
  explicit Fixed(std::vector<float> scores) : scores_(std::move(scores)) {}
  void score(std::span<const Case> cases, std::span<float> scores) const override {
    for (std::size_t i = 0; i < cases.size(); ++i) {
      std::ranges::copy(scores_, scores.begin() + static_cast<std::ptrdiff_t>(i * scores_.size()));
    }
  }

 private:
  std::vector<float> scores_;
};

TEST(Measures, TiesCountAgainstUs) {
  // A network that gives every item the same score must not look perfect.
  const std::vector<float> flat(6, 1.F);
  EXPECT_EQ(ranks_of(std::span(flat).subspan(0), std::vector<std::int32_t>{3}, 20), std::vector<std::size_t>{6});
  const std::vector<float> scores{-INFINITY, 5, 3, 3, 3, 1};
  EXPECT_EQ(ranks_of(scores, std::vector<std::int32_t>{3}, 20), std::vector<std::size_t>{4});
  EXPECT_EQ(ranks_of(scores, std::vector<std::int32_t>{2, 4}, 20), (std::vector<std::size_t>{3, 4}));
  EXPECT_EQ(ranks_of(scores, std::vector<std::int32_t>{1, 2, 4, 5}, 20), (std::vector<std::size_t>{1, 3, 4, 5}));
  EXPECT_EQ(ranks_of(scores, std::vector<std::int32_t>{0}, 20), std::vector<std::size_t>{});  // an item nobody knew
  EXPECT_EQ(ranks_of(scores, std::vector<std::int32_t>{5}, 4), std::vector<std::size_t>{});
  EXPECT_EQ(ranks_of(std::vector<float>{0, NAN, 1}, std::vector<std::int32_t>{1}, 20), std::vector<std::size_t>{});
}

TEST(Measures, RanksAreThoseOfASortedListForAnyScores) {
  // Counting instead of sorting is quick, and easily off by one.
  for (std::uint64_t round = 0; round < 500; ++round) {
    base::Rng rng(11, round);
    std::vector<float> scores(2 + rng.below(40));
    for (auto& score : scores) {
      score = static_cast<float>(rng.below(6));
    }
    scores[0] = -INFINITY;
    std::vector<std::int32_t> wanted;
    for (std::size_t t = 1; t < scores.size(); ++t) {
      if (rng.chance(.3)) {
        wanted.push_back(static_cast<std::int32_t>(t));
      }
    }
    const auto is_wanted = [&](std::size_t t) { return std::binary_search(wanted.begin(), wanted.end(), static_cast<std::int32_t>(t)); };
    std::vector<std::size_t> order;
    for (std::size_t t = 1; t < scores.size(); ++t) {
      order.push_back(t);
    }
    std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
      return scores[a] != scores[b] ? scores[a] > scores[b] : is_wanted(a) < is_wanted(b);
    });
    std::vector<std::size_t> expected;
    for (std::size_t i = 0; i < order.size() && i < 20; ++i) {
      if (is_wanted(order[i])) {
        expected.push_back(i + 1);
      }
    }
    EXPECT_EQ(ranks_of(scores, wanted, 20), expected);
  }
}

TEST(Measures, OneTargetAndBasketsByHand) {
  // HR, NDCG, MRR, recall and precision as they stand in the papers.
  Data data = data_of({{1, 2, 3}});
  const Case basket{data.set.histories.data(), 0, {2, 4, 5}};
  const Case single{data.set.histories.data(), 0, {4}};
  Bench bench;
  const Fixed ranker({0, 9, 8, 7, 6, 5, 4, 3, 2, 1, .5F, .4F, .3F});
  const Figures one = measure(ranker, std::vector<Case>{single}, {13, false, false, true}, bench.executor);
  EXPECT_EQ(one.at("hr@1"), 0);
  EXPECT_EQ(one.at("hr@5"), 1);
  EXPECT_NEAR(one.at("ndcg@10"), 1 / std::log2(5.0), 1e-12);
  EXPECT_NEAR(one.at("mrr@10"), .25, 1e-12);
  EXPECT_EQ(one.items_shown, 10);
  EXPECT_NEAR(one.coverage, 10.0 / 12, 1e-12);
  const Figures many = measure(ranker, std::vector<Case>{basket, single}, {13, false, true, true}, bench.executor);
  const double gain = 1 / std::log2(3.0) + 1 / std::log2(5.0) + 1 / std::log2(6.0);
  const double ideal = 1 + 1 / std::log2(3.0) + 1 / std::log2(4.0);
  EXPECT_NEAR(many.values("ndcg@10")[0], gain / ideal, 1e-12);
  EXPECT_NEAR(many.values("recall@10")[0], 1, 1e-12);
  EXPECT_NEAR(many.values("precision@10")[0], .3, 1e-12);
  EXPECT_NEAR(many.at("mrr@10"), (.5 + .25) / 2, 1e-12);
}

TEST(Measures, SeenItemsLeaveTheRankingWhereAsked) {
  // A shop that never repeats would otherwise be shown its customers' old purchases.
  Data data = data_of({{1, 2, 3}});
  const Case one{data.set.histories.data(), 2, {3}};
  Bench bench;
  const Fixed ranker({0, 9, 8, 7});
  EXPECT_EQ(measure(ranker, std::vector<Case>{one}, {4, false, false, true}, bench.executor).at("hr@1"), 0);
  EXPECT_EQ(measure(ranker, std::vector<Case>{one}, {4, true, false, true}, bench.executor).at("hr@1"), 1);
  EXPECT_EQ(measure(ranker, std::vector<Case>{one}, {4, true, false, true}, bench.executor).items_shown, 1);
}

}  // namespace
}  // namespace beckon::evaluate
