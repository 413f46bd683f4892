#pragma once
// Private to evaluate: how well items are found that training never met.

#include "beckon/base/json.h"
#include "beckon/evaluate/measures.h"

namespace beckon::evaluate {

struct NewItems {
  std::span<const std::int64_t> counts;   ///< per token: how often training met it
  const Data* data = nullptr;
  const Split* cut = nullptr;
};

/// {"items", "validation", "test"}; each part: "cases" that want a new item, "recall@10" and "recall@50" of these among the new items,
/// "random@10", "random@50" (expected of any order), and for the test part "popular@10", "popular@50" (new items by how often they
/// were met between the cuts). Null when nothing is new.
base::Json new_item_figures(const NewItems& of, const Ranker& ranker);

}  // namespace beckon::evaluate
