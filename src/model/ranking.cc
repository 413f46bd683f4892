#include "beckon/model/ranking.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "beckon/base/check.h"

namespace beckon::model {

double ndcg_at(std::size_t k, std::size_t rank) {
  BECKON_CHECK(rank > 0);
  return rank <= k ? 1.0 / std::log2(1.0 + static_cast<double>(rank)) : 0.0;
}

double hit_at(std::size_t k, std::size_t rank) {
  BECKON_CHECK(rank > 0);
  return rank <= k ? 1.0 : 0.0;
}

double reciprocal_rank_at(std::size_t k, std::size_t rank) {
  BECKON_CHECK(rank > 0);
  return rank <= k ? 1.0 / static_cast<double>(rank) : 0.0;
}

double ndcg_at(std::size_t k, std::span<const std::int32_t> list, std::span<const std::int32_t> relevant) {
  double gained = 0;
  for (std::size_t i = 0; i < std::min(k, list.size()); ++i) {
    if (std::find(relevant.begin(), relevant.end(), list[i]) != relevant.end()) {
      gained += ndcg_at(k, i + 1);
    }
  }
  double ideal = 0;
  for (std::size_t i = 0; i < std::min(k, relevant.size()); ++i) {
    ideal += ndcg_at(k, i + 1);
  }
  return ideal > 0 ? gained / ideal : 0.0;
}

std::size_t rank_of(std::span<const float> scores, std::size_t index) {
  BECKON_CHECK(index < scores.size());
  std::size_t better = 0;
  for (const float score : scores) {
    // Written so that a score which is not a number counts against us too.
    better += score < scores[index] ? 0U : 1U;
  }
  return better;  // counts the entry itself, hence from 1
}

std::vector<std::int32_t> top_k(std::span<const float> scores, std::size_t k) {
  std::vector<std::int32_t> order(scores.size());
  std::iota(order.begin(), order.end(), 0);
  const auto value = [&](std::int32_t i) {
    const float score = scores[static_cast<std::size_t>(i)];
    return std::isnan(score) ? -INFINITY : score;
  };
  const auto before = [&](std::int32_t a, std::int32_t b) { return value(a) != value(b) ? value(a) > value(b) : a < b; };
  const std::size_t kept = std::min(k, order.size());
  const auto middle = order.begin() + static_cast<std::ptrdiff_t>(kept);
  std::nth_element(order.begin(), middle, order.end(), before);
  std::sort(order.begin(), middle, before);
  order.resize(kept);
  return order;
}

}  // namespace beckon::model
