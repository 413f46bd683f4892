#pragma once
// Vectors of items from what the catalogue calls them.

#include <cstddef>
#include <string>
#include <unordered_map>
#include <vector>

#include "beckon/base/result.h"
#include "beckon/features/features.h"

namespace beckon::features {

/// Numbers of a text's vector, hashed or encoded, before anything is chosen from them.
constexpr std::size_t kTextWidth = 384;

/// Category path, brand and title of one item.
struct ItemText {
  std::string text;
  std::string language;  ///< of the title
  std::vector<float> vector = {};  ///< (kTextWidth) of an encoder; empty: n-grams of the text
};
/// Item id → text. Items without a title in any language are missing; sensitive items too.
using ItemTexts = std::unordered_map<std::string, ItemText>;
ItemTexts texts_of(const std::vector<catalog::Item>& items, const ItemFacts& facts, const std::string& language);

/// One row a token; the mean of each row's language is taken away. Rows without text are 0.
struct TextTable {
  std::vector<float> rows;   ///< (tokens, kTextWidth)
  std::vector<bool> known;   ///< per token: it has a text
  std::size_t count() const;
};
TextTable text_table(const Vocabulary& vocabulary, const ItemTexts& texts);

/// (tokens, width): principal components of the known rows at unit variance (small ones shrunk), so that no direction speaks loudest
/// only because many titles share a word; 0 in rows without text and in columns beyond the rank. failed_precondition with fewer than
/// two texts.
base::Result<std::vector<float>> whitened(const TextTable& table, std::size_t width);

}  // namespace beckon::features
