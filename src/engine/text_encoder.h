#pragma once
// Private to engine: vectors of item texts from the encoder that the configuration names, kept in the shop's folder.

#include "beckon/engine/engine.h"
#include "beckon/features/item_text.h"
#include "beckon/features/options.h"

namespace beckon::engine {

/// Gives the texts their vectors where an encoder is wanted; with n-grams there is nothing to do. What it has encoded before it reads
/// from model/text_vectors. Answers made_by, and for an encoder texts, encoded, seconds; with "auto" because, why it became n-grams.
/// Errors: the encoder's, when the configuration insists on it; unavailable when interrupted (what is encoded by then is kept).
base::Result<base::Json> encode_texts(const Context& context, const features::FeatureOptions& options, features::ItemTexts& texts);

}  // namespace beckon::engine
