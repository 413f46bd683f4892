#include "item_texts.h"

#include "text_encoder.h"

namespace beckon::engine {

base::Result<ItemTextSteps> ItemTextSteps::make(const Context& context, const std::vector<catalog::Item>& items, const features::ItemFacts& facts) {
  ItemTextSteps out;
  out.options_ = context.config.features;
  if (out.on()) {
    out.texts_ = features::texts_of(items, facts, context.config.shop.default_market().language);
    BECKON_TRY(out.made_, encode_texts(context, out.options_, out.texts_));
  }
  return out;
}

void ItemTextSteps::see(const features::Vocabulary& vocabulary) {
  if (on()) {
    table_ = features::text_table(vocabulary, texts_);
  }
}

void ItemTextSteps::start(model::Model& weights) const {
  if (on() && options_.text_start) {
    features::start_from_text(table_, weights);
  }
}

base::Result<base::Json> ItemTextSteps::finish(const std::vector<model::Sequence>& learned, model::Model& weights) const {
  if (!wants_new_items()) {
    return base::Json();
  }
  const auto tokens = table_.known.size();
  BECKON_TRY(weights, weights.with_tokens(static_cast<std::int32_t>(tokens)));
  BECKON_TRY(const auto map, features::complete_from_text(table_, features::token_counts(learned, tokens), {}, weights));
  return features::to_json(map);
}

}  // namespace beckon::engine
