#pragma once
// Strong ids: explicit, comparable, hashable, not convertible into one another.

#include <compare>
#include <cstddef>
#include <functional>
#include <string>
#include <utility>

namespace beckon::base {

/// A text id of the shop's world. `Tag` makes ItemId and OfferId different types.
template <class Tag>
class TextId {
 public:
  TextId() = default;
  explicit TextId(std::string text) : text_(std::move(text)) {}
  const std::string& str() const { return text_; }
  bool empty() const { return text_.empty(); }
  friend auto operator<=>(const TextId&, const TextId&) = default;
  friend bool operator==(const TextId&, const TextId&) = default;

 private:
  std::string text_;
};

using ItemId = TextId<struct ItemTag>;
using OfferId = TextId<struct OfferTag>;
using CampaignId = TextId<struct CampaignTag>;
using MarketId = TextId<struct MarketTag>;

}  // namespace beckon::base

template <class Tag>
struct std::hash<beckon::base::TextId<Tag>> {
  std::size_t operator()(const beckon::base::TextId<Tag>& id) const {
    return std::hash<std::string>{}(id.str());
  }
};
