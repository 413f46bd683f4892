#pragma once
// Private to engine: what a training does with the items' texts before its first and after its last step.

#include "beckon/features/item_vectors.h"
#include "beckon/features/options.h"
#include "scoring.h"

namespace beckon::engine {

class ItemTextSteps {
 public:
  /// Of the shop's catalogue; without text vectors in the configuration nothing below does anything. Errors: of encode_texts().
  static base::Result<ItemTextSteps> make(const Context& context, const std::vector<catalog::Item>& items, const features::ItemFacts& facts);
  /// Whether the vocabulary shall hold items that are too new to learn from.
  bool wants_new_items() const { return on() && options_.new_items; }
  /// Before all else: the tokens that there are.
  void see(const features::Vocabulary& vocabulary);
  /// Before training; the warm tokens of the vocabulary are the network's.
  void start(model::Model& weights) const;
  /// After training on `learned`: the network gets the vocabulary's other tokens, and vectors for what it hardly met. Figures of the
  /// map from text to vector, null where none was made.
  base::Result<base::Json> finish(const std::vector<model::Sequence>& learned, model::Model& weights) const;

  /// Who made the vectors: what encode_texts() answered.
  const base::Json& made() const { return made_; }

 private:
  bool on() const { return options_.text_vectors != features::TextVectors::kNone; }
  features::FeatureOptions options_;
  features::ItemTexts texts_;
  features::TextTable table_;
  base::Json made_;
};

}  // namespace beckon::engine
