#pragma once
// What the catalogue says about an item, as numbers for side columns.

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "beckon/catalog/item.h"

namespace beckon::features {

/// 0: nothing known, or a word outside the vocabulary.
struct ItemCodes {
  std::uint16_t top_category = 0;
  std::uint16_t category = 0;  ///< the whole path
  std::uint16_t brand = 0;
  friend bool operator==(const ItemCodes&, const ItemCodes&) = default;
};

/// The words of the side columns, in the order of their numbers from 1. Kept with a trained model: its tables are numbered so.
struct ItemWords {
  std::vector<std::string> top_categories;  ///< at most 255
  std::vector<std::string> categories;      ///< at most 2,047
  std::vector<std::string> brands;          ///< at most 2,047
  bool promotion = true;                    ///< Step::promotion is filled
  friend bool operator==(const ItemWords&, const ItemWords&) = default;
};

struct FactOptions {
  std::vector<std::string> sensitive_categories;  ///< prefixes of paths; their items are no features, neither their words
  std::vector<std::string> services;              ///< item ids that are no goods
  bool promotion = true;
  bool categories = true;
  bool brands = true;
};

/// Immutable, hence thread-safe. Empty for a shop without a catalogue: every code is 0, nothing is sensitive.
class ItemFacts {
 public:
  ItemFacts() = default;
  /// Words by how many items have them, ties by the word. With `before` (a model that is trained on) its words keep their numbers and
  /// new ones come behind them.
  static ItemFacts learn(const std::vector<catalog::Item>& items, const FactOptions& options, ItemWords before = {});
  /// The words of a trained model, as they are.
  static ItemFacts with(const std::vector<catalog::Item>& items, const FactOptions& options, ItemWords words);

  ItemCodes codes(const std::string& item) const;
  bool sensitive(const std::string& item) const;
  const ItemWords& words() const { return words_; }
  /// Ids of all goods on the shelf that have a title and may be recommended, sorted.
  const std::vector<std::string>& goods() const { return goods_; }

 private:
  struct Fact {
    ItemCodes codes;
    bool sensitive = false;
    bool titled = false;
  };
  ItemWords words_;
  std::unordered_map<std::string, Fact> facts_;
  std::vector<std::string> goods_;
};

}  // namespace beckon::features
