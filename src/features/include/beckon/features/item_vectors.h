#pragma once
// Item vectors of a network from the items' texts: where a new network starts, and what a new item gets.

#include <cstdint>
#include <span>
#include <vector>

#include "beckon/base/json.h"
#include "beckon/features/item_text.h"
#include "beckon/model/model.h"

namespace beckon::features {

/// Vectors of items with a text become their whitened text, at the deviation that random vectors have; the others keep what they
/// have. Nothing happens with fewer than two texts. Tokens of the model are the first rows of the table.
void start_from_text(const TextTable& table, model::Model& weights);

/// What a fit found: {"lambda", "explained" (of the vectors' variance, each item left out in turn), "warm_items", "new_items"}.
struct TextMap {
  double lambda = 0;
  double explained = 0;
  std::int64_t warm_items = 0;
  std::int64_t new_items = 0;
};
base::Json to_json(const TextMap& map);

struct CompleteOptions {
  double own_weight = 20;  ///< n / (n + own_weight) is how much an item's own vector counts that was met n times in training
};

/// Gives every token with a text that training met rarely or never a vector: n/(n+20) of its own, the rest from a ridge map text →
/// vector that is fitted on the tokens that were met (weight n/(n+20); λ by leave one out). The bias of a token never met is the mean
/// bias of the tenth of the tokens met least often. `counts`: per token of the model how often training met it. With fewer than 50
/// tokens with a text that were met, when the map explains nothing, and without a text, met tokens keep what they have and the others
/// get the vector 0 and the lowest bias of all.
base::Result<TextMap> complete_from_text(const TextTable& table, std::span<const std::int64_t> counts, const CompleteOptions& options,
                                         model::Model& weights);

/// How often each token of 0 … tokens-1 is in the sequences.
std::vector<std::int64_t> token_counts(const std::vector<model::Sequence>& sequences, std::size_t tokens);

}  // namespace beckon::features
