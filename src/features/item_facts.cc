#include "beckon/features/item_facts.h"

#include <algorithm>
#include <map>

namespace beckon::features {
namespace {

constexpr std::size_t kTopCategoriesMax = 255;
constexpr std::size_t kWordsMax = 2047;

using Counts = std::map<std::string, std::int64_t>;

// `words` keep their places; the most frequent of the others come behind them.
void add_frequent(const Counts& counts, std::size_t most, std::vector<std::string>& words) {
  std::vector<std::pair<std::int64_t, std::string>> fresh;
  for (const auto& [word, count] : counts) {
    if (std::ranges::find(words, word) == words.end()) {
      fresh.emplace_back(-count, word);
    }
  }
  std::ranges::sort(fresh);
  for (std::size_t i = 0; i < fresh.size() && words.size() < most; ++i) {
    words.push_back(std::move(fresh[i].second));
  }
}

std::unordered_map<std::string, std::uint16_t> numbers_of(const std::vector<std::string>& words) {
  std::unordered_map<std::string, std::uint16_t> out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    out.emplace(words[i], static_cast<std::uint16_t>(i + 1));
  }
  return out;
}

std::uint16_t number_in(const std::unordered_map<std::string, std::uint16_t>& numbers, const std::string& word) {
  const auto found = numbers.find(word);
  return found == numbers.end() ? std::uint16_t{0} : found->second;
}

bool is_sensitive(const catalog::Item& item, const FactOptions& options) {
  return std::ranges::any_of(options.sensitive_categories, [&](const auto& prefix) { return item.category.starts_with(prefix); });
}

}  // namespace

ItemFacts ItemFacts::learn(const std::vector<catalog::Item>& items, const FactOptions& options, ItemWords before) {
  Counts tops;
  Counts categories;
  Counts brands;
  for (const auto& item : items) {
    if (is_sensitive(item, options)) {
      continue;
    }
    if (options.categories && !item.category.empty()) {
      ++tops[item.top_category()];
      ++categories[item.category];
    }
    if (options.brands && !item.brand.empty()) {
      ++brands[item.brand];
    }
  }
  add_frequent(tops, kTopCategoriesMax, before.top_categories);
  add_frequent(categories, kWordsMax, before.categories);
  add_frequent(brands, kWordsMax, before.brands);
  before.promotion = options.promotion;
  return with(items, options, std::move(before));
}

ItemFacts ItemFacts::with(const std::vector<catalog::Item>& items, const FactOptions& options, ItemWords words) {
  ItemFacts out;
  const auto tops = numbers_of(words.top_categories);
  const auto categories = numbers_of(words.categories);
  const auto brands = numbers_of(words.brands);
  for (const auto& item : items) {
    Fact fact;
    fact.sensitive = is_sensitive(item, options);
    fact.titled = !item.title.empty();
    if (!fact.sensitive) {
      fact.codes = {number_in(tops, item.top_category()), number_in(categories, item.category), number_in(brands, item.brand)};
    }
    // The same id in several markets: sensitive in one is sensitive everywhere, else the first one's words hold.
    const auto [found, added] = out.facts_.try_emplace(item.id.str(), fact);
    if (!added && fact.sensitive) {
      found->second = fact;
    }
  }
  for (const auto& [id, fact] : out.facts_) {
    if (!fact.sensitive && fact.titled && std::ranges::find(options.services, id) == options.services.end()) {
      out.goods_.push_back(id);
    }
  }
  std::ranges::sort(out.goods_);
  out.words_ = std::move(words);
  return out;
}

ItemCodes ItemFacts::codes(const std::string& item) const {
  const auto found = facts_.find(item);
  return found == facts_.end() ? ItemCodes{} : found->second.codes;
}

bool ItemFacts::sensitive(const std::string& item) const {
  const auto found = facts_.find(item);
  return found != facts_.end() && found->second.sensitive;
}

}  // namespace beckon::features
