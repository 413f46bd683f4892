// A weak opponent makes every model look good: the floors by hand.
#include "beckon/evaluate/floors.h"

#include <cmath>

#include "world.h"

namespace beckon::evaluate {
namespace {

// Names of a floor's first `count` items for a case.
std::vector<std::string> list_of(const Data& data, const Ranker& ranker, const Case& one, std::size_t count) {
  std::vector<float> scores(static_cast<std::size_t>(data.set.vocabulary.size()));
  ranker.score(std::span(&one, 1), scores);
  std::vector<std::pair<float, std::string>> order;
  for (std::size_t t = 1; t < scores.size(); ++t) {
    order.emplace_back(-scores[t], data.set.vocabulary.item(static_cast<std::int32_t>(t)));
  }
  std::ranges::sort(order);
  std::vector<std::string> out;
  for (std::size_t i = 0; i < std::min(count, order.size()); ++i) {
    out.push_back(order[i].second);
  }
  return out;
}

const Ranker* floor_of(const std::vector<Floor>& floors, const std::string& name) {
  for (const auto& floor : floors) {
    if (floor.name == name) {
      return floor.ranker.get();
    }
  }
  ADD_FAILURE() << name;
  return nullptr;
}

TEST(Floors, CountWhatCameBeforeTheCutAndNothingElse) {
  // Popularity that knows the test week is a floor nobody can reach.
  Data data = timed_data_of({{{1, 1, 1}, {2, 1, 2}, {3, 1, 3}, {16, 2, 4}, {21, 3, 5}},
                             {{1, 1, 6}, {17, 2, 7}, {22, 3, 8}},
                             {{18, 3, 9}, {23, 3, 10}, {24, 3, 11}, {24, 3, 12}}});
  SplitOptions options;
  options.protocol = Protocol::kNextBasket;
  options.split_at = day(20);
  const auto cut = split(data, options).value();
  const auto floors = fit_floors(data, cut);
  EXPECT_EQ(list_of(data, *floor_of(floors, "popular"), cut.test[0], 3), (std::vector<std::string>{"1", "2", "3"}));
  EXPECT_EQ(list_of(data, *floor_of(floors, "popular_7d"), cut.test[0], 3), (std::vector<std::string>{"2", "3", "1"}));
  EXPECT_EQ(list_of(data, *floor_of(floors, "own_history"), cut.test[2], 3), (std::vector<std::string>{"3", "1", "2"}));
}

TEST(Floors, OwnHistoryBreaksTiesAsStated) {
  // The two orders differ by three hundredths of NDCG on a real shop: which one is meant must not change unseen.
  Data data = data_of({{3, 2, 1, 2, 4, 4}, {1, 1, 1, 4, 5, 5}});
  const auto cut = split(data, {}).value();
  const auto floors = fit_floors(data, cut);
  Case one = cut.test[0];
  one.seen = 4;
  EXPECT_EQ(list_of(data, *floor_of(floors, "own_history"), one, 3), (std::vector<std::string>{"2", "3", "1"}));
  EXPECT_EQ(list_of(data, *floor_of(floors, "own_history_popular"), one, 3), (std::vector<std::string>{"2", "1", "3"}));
}

TEST(Floors, NeighboursByCosine) {
  // Without the norm the most popular item is everybody's neighbour.
  Data data = data_of({{1, 2, 9, 9, 9}, {1, 2, 9, 9, 9}, {1, 3, 9, 9, 9}, {3, 4, 9, 9, 9}, {3, 4, 9, 9, 9}, {3, 4, 9, 9, 9}, {5, 5, 5}});
  const auto cut = split(data, {}).value();
  const auto floors = fit_floors(data, cut);
  Case one = cut.test[0];
  one.seen = 1;  // he has item 1
  std::vector<float> scores(static_cast<std::size_t>(data.set.vocabulary.size()));
  floor_of(floors, "item_knn")->score(std::span(&one, 1), scores);
  const auto score = [&](const std::string& name) { return scores[static_cast<std::size_t>(token_of(data, name))]; };
  EXPECT_NEAR(score("2"), 2 / std::sqrt(3.0 * 2), 2e-4);
  EXPECT_NEAR(score("3"), 1 / std::sqrt(3.0 * 4), 2e-4);
  EXPECT_NEAR(score("9"), 3 / std::sqrt(3.0 * 6), 2e-4);
  EXPECT_LT(score("4"), 0);  // never together: filled up by popularity
  EXPECT_EQ(floor_of(floors, "popular_7d"), nullptr);  // no times
}

TEST(Floors, TheChainStartsFromHisLastItem) {
  // docs/model.md: Σ 0.7^d · count / √Σ count.
  Data data = data_of({{1, 2, 3, 8, 8}, {1, 2, 8, 8}, {2, 1, 8, 8}});
  const auto cut = split(data, {}).value();
  const auto floors = fit_floors(data, cut);
  Case one = cut.test[2];
  one.seen = 2;  // 2, then 1
  std::vector<float> scores(static_cast<std::size_t>(data.set.vocabulary.size()));
  floor_of(floors, "markov")->score(std::span(&one, 1), scores);
  const auto score = [&](const std::string& name) { return scores[static_cast<std::size_t>(token_of(data, name))]; };
  const double from_1 = std::sqrt(2.5);  // 1→2 twice, 1→3 a half
  const double from_2 = std::sqrt(2.0);  // 2→3, 2→1
  EXPECT_NEAR(score("2"), 2 / from_1, 5e-4);
  EXPECT_NEAR(score("3"), .5 / from_1 + .7 / from_2, 5e-4);
  EXPECT_NEAR(score("1"), .7 / from_2, 5e-4);
}

}  // namespace
}  // namespace beckon::evaluate
