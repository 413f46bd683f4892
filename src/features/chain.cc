#include "beckon/features/chain.h"

#include <algorithm>
#include <cmath>

namespace beckon::features {

void best_first(std::vector<Scored>& items) {
  std::sort(items.begin(), items.end(),
            [](const Scored& a, const Scored& b) { return a.score != b.score ? a.score > b.score : a.token < b.token; });
}

void Chain::add(std::span<const std::int32_t> tokens) {
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    for (std::size_t gap = 1; gap <= 2 && i + gap < tokens.size(); ++gap) {
      if (tokens[i] > 0 && tokens[i + gap] > 0) {
        pairs_[tokens[i]][tokens[i + gap]] += gap == 1 ? 1.0 : 0.5;
      }
    }
  }
}

void Chain::finish(std::size_t next_max) {
  for (auto& [token, row] : pairs_) {
    double total = 0;
    std::vector<Scored> next;
    for (const auto& [to, count] : row) {
      next.push_back({to, count});
    }
    best_first(next);
    for (const auto& entry : next) {
      total += entry.score;
    }
    if (next_max > 0) {
      next.resize(std::min(next.size(), next_max));
    }
    for (auto& entry : next) {
      entry.score /= std::sqrt(total);
    }
    next_.emplace(token, std::move(next));
  }
  pairs_.clear();
}

std::unordered_map<std::int32_t, double> Chain::score(std::span<const std::int32_t> tokens) const {
  std::unordered_map<std::int32_t, double> scores;
  double weight = 1;
  for (std::size_t back = 0; back < 10 && back < tokens.size(); ++back, weight *= 0.7) {
    const auto row = next_.find(tokens[tokens.size() - 1 - back]);
    if (row == next_.end()) {
      continue;
    }
    for (const auto& entry : row->second) {
      scores[entry.token] += weight * entry.score;
    }
  }
  return scores;
}

}  // namespace beckon::features
