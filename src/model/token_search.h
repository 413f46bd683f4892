#pragma once
// One vector's search for its best tokens: keeps what could still be among the best, and computes logits in fp32 at the end.

#include <cstdint>
#include <span>
#include <vector>

#include "beckon/model/token_table.h"

namespace beckon::model::inner {

/// Rows (tokens, width) and their bias; -infinity: never to be found.
struct ScoredRows {
  std::span<const float> rows, bias;
  std::size_t width() const { return rows.size() / bias.size(); }
};

/// A tile of scores. The logit of row r lies within `slack` of scores[r] when `scale` is empty; else it lies below scores[r] + slack,
/// and gap · scale[r] above it the codes' own guess.
struct ScreenedTile {
  std::size_t first = 0;  ///< the token of scores[0]
  std::span<const float> scores;
  float slack = 0;
  float gap = 0;
  std::span<const float> scale = {};
};

class TopKSearch {
 public:
  TopKSearch(const ScoredRows& table, const TopKQuery& query);

  /// False: nothing can be found.
  bool wanted() const { return k_ > 0; }
  float vector_norm() const { return norm_; }
  void offer(const ScreenedTile& tile);
  /// Best first. shortlist > 0: only the k best by what was offered are ranked, and shortlist of them returned.
  TopK finish(std::size_t shortlist = 0);

 private:
  struct Pending {
    std::int32_t token = 0;
    float upper = 0;  // what its logit can reach
  };
  bool may_be_found(std::int32_t token) const;
  bool is_added(std::int32_t token) const;
  float logit(std::int32_t token) const;
  void consider(std::int32_t token, const ScreenedTile& tile, std::size_t r);
  void keep(std::int32_t token, float lower, float upper);
  void hold(std::int32_t token, float upper);
  void raise_threshold();
  void drop_hopeless();

  ScoredRows table_;
  TopKQuery query_;
  std::size_t k_ = 0;
  float norm_ = 0;
  float threshold_;               // k rows reach it
  std::vector<float> reached_;    // the k largest lower bounds, and some that came since the threshold was raised
  std::vector<Pending> pending_;  // all that can reach the threshold
  std::size_t pending_max_ = 0, reached_max_ = 0;
};

}  // namespace beckon::model::inner
