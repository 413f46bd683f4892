#pragma once
// Private to evaluate: the answer of a shop, network and counting weighed together as `beckon plan` does it.

#include "beckon/evaluate/measures.h"
#include "beckon/response/scorer.h"

namespace beckon::evaluate {

/// Ranks for cases whose history ends at `as_of`. `floors` were fitted up to there. Thread-safe.
class Blend final : public Ranker {
 public:
  Blend(const model::Model& weights, features::Floors floors, response::ItemResponse response, base::Instant as_of)
      : tokens_(weights.tokens()), floors_(std::move(floors)), scorer_(&weights, &floors_, std::move(response)), as_of_(as_of) {}
  Blend(const Blend&) = delete;
  Blend& operator=(const Blend&) = delete;
  void score(std::span<const Case> cases, std::span<float> scores) const override;

 private:
  std::size_t tokens_;
  features::Floors floors_;
  response::Scorer scorer_;
  base::Instant as_of_;
};

}  // namespace beckon::evaluate
