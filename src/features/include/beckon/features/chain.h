#pragma once
// The decayed two-step chain: what came next, and after next, counted over everybody's steps in order.

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

namespace beckon::features {

struct Scored {
  std::int32_t token = 0;
  double score = 0;
};

/// Best first; ties by token, smaller first.
void best_first(std::vector<Scored>& items);

/// add() everybody, then finish(), then score. Token 0 takes its place but counts nothing. Const members are thread-safe.
class Chain {
 public:
  void add(std::span<const std::int32_t> tokens);
  /// Keeps the `next_max` strongest successors of each token (0: all) and normalises: count(a → b) / √Σ count(a → ·).
  void finish(std::size_t next_max);
  /// Σ_d 0.7^d · weight(x_d → b) over the last 10 tokens, d = 0 for the last. In no order.
  std::unordered_map<std::int32_t, double> score(std::span<const std::int32_t> tokens) const;

 private:
  std::unordered_map<std::int32_t, std::unordered_map<std::int32_t, double>> pairs_;
  std::unordered_map<std::int32_t, std::vector<Scored>> next_;
};

}  // namespace beckon::features
