#pragma once
// What a model has to beat, counted from the steps before `Split::known_until`. Views, carts and wishes count a tenth of a purchase.

#include <memory>
#include <string>
#include <vector>

#include "beckon/evaluate/measures.h"

namespace beckon::evaluate {

struct Floor {
  std::string name;
  std::unique_ptr<Ranker> ranker;  ///< null: cannot be counted on this data
};

/// popular: most frequent. popular_7d: of the last 7 days before the cut (leave one out: before the last counted step), then popular.
/// markov: Σ_d 0.7^d · count(x_d → b) / √count(x_d → ·) over his last 10 steps, neighbours 1, distance two 0.5, then popular.
/// item_knn: Σ cosine(a, b) over his different items a, customers as dimensions (Sarwar et al. 2001), the 200 nearest of each, then
/// popular. own_history: his most frequent items, then popular; among equals the one he met earlier. own_history_popular: among equals
/// the more popular. markov and item_knn: among equals the more popular.
std::vector<Floor> fit_floors(const Data& data, const Split& split);

}  // namespace beckon::evaluate
