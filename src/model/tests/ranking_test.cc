// Every figure of quality would be wrong if these measures were.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "beckon/model/ranking.h"

namespace beckon::model {
namespace {

TEST(Ranking, MeasuresOfOneTarget) {
  EXPECT_DOUBLE_EQ(ndcg_at(10, std::size_t{1}), 1.0);
  EXPECT_DOUBLE_EQ(ndcg_at(10, std::size_t{3}), 0.5);
  EXPECT_DOUBLE_EQ(ndcg_at(10, std::size_t{11}), 0.0);
  EXPECT_EQ(hit_at(10, 10), 1);
  EXPECT_EQ(hit_at(10, 11), 0);
  EXPECT_DOUBLE_EQ(reciprocal_rank_at(10, 4), .25);
}

TEST(Ranking, NdcgOfASetIsOneWhenTheWholeSetLeads) {
  const std::vector<std::int32_t> list{4, 9, 1, 7};
  EXPECT_DOUBLE_EQ(ndcg_at(4, list, std::vector<std::int32_t>{9, 4}), 1.0);
  EXPECT_DOUBLE_EQ(ndcg_at(4, list, std::vector<std::int32_t>{5}), 0.0);
  EXPECT_DOUBLE_EQ(ndcg_at(4, list, std::vector<std::int32_t>{}), 0.0);
  EXPECT_NEAR(ndcg_at(4, list, std::vector<std::int32_t>{4, 1}), 1.5 / (1 + 1 / std::log2(3.0)), 1e-12);
}

TEST(Ranking, TiesAndNoNumbersCountAgainstTheTarget) {
  const std::vector<float> scores{1, 3, 2, 3, std::nanf("")};
  EXPECT_EQ(rank_of(scores, 1), 3U);
  EXPECT_EQ(rank_of(scores, 2), 4U);
  EXPECT_EQ(rank_of(scores, 0), 5U);
}

TEST(Ranking, TopKIsOrderedWithTiesByIndex) {
  const std::vector<float> scores{1, 3, 2, 3, std::nanf(""), -INFINITY};
  EXPECT_THAT(top_k(scores, 3), testing::ElementsAre(1, 3, 2));
  EXPECT_THAT(top_k(scores, 99), testing::ElementsAre(1, 3, 2, 0, 4, 5));
  EXPECT_TRUE(top_k(scores, 0).empty());
}

}  // namespace
}  // namespace beckon::model
