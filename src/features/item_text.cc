#include "beckon/features/item_text.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <span>

#include "beckon/stats/symmetric.h"
#include "beckon/tensor/tensor.h"
#include "beckon/text/ngrams.h"
#include "beckon/text/text.h"
#include "moments.h"

namespace beckon::features {
namespace {

constexpr std::int64_t kLanguageTextsMin = 50;  // fewer say nothing about a mean of their own
constexpr double kShrinkage = .1;               // of the mean kept variance, added to each

using Groups = std::map<std::string, std::vector<std::size_t>>;

void subtract_mean(const std::vector<std::size_t>& tokens, std::vector<float>& rows) {
  std::vector<double> mean(kTextWidth, 0);
  for (const std::size_t token : tokens) {
    for (std::size_t c = 0; c < kTextWidth; ++c) {
      mean[c] += static_cast<double>(rows[token * kTextWidth + c]) / static_cast<double>(tokens.size());
    }
  }
  for (const std::size_t token : tokens) {
    for (std::size_t c = 0; c < kTextWidth; ++c) {
      rows[token * kTextWidth + c] -= static_cast<float>(mean[c]);
    }
  }
}

}  // namespace

ItemTexts texts_of(const std::vector<catalog::Item>& items, const ItemFacts& facts, const std::string& language) {
  ItemTexts out;
  for (const auto& item : items) {
    if (item.title.empty() || facts.sensitive(item.id.str())) {
      continue;
    }
    const auto own = item.title.contains(language) ? item.title.find(language) : item.title.begin();
    out.try_emplace(item.id.str(), ItemText{item.category + "\n" + item.brand + "\n" + own->second, text::primary_language(own->first), {}});
  }
  return out;
}

std::size_t TextTable::count() const { return static_cast<std::size_t>(std::ranges::count(known, true)); }

TextTable text_table(const Vocabulary& vocabulary, const ItemTexts& texts) {
  text::NgramVectors grams(kTextWidth);
  for (const auto& item : vocabulary.items()) {
    if (const auto found = texts.find(item); found != texts.end() && found->second.vector.empty()) {
      grams.count(found->second.text);
    }
  }
  TextTable out;
  const auto tokens = static_cast<std::size_t>(vocabulary.size());
  out.rows.assign(tokens * kTextWidth, 0.0F);
  out.known.assign(tokens, false);
  Groups by_language;
  for (std::size_t token = 1; token < tokens; ++token) {
    const auto found = texts.find(vocabulary.items()[token]);
    if (found == texts.end()) {
      continue;
    }
    const auto row = std::span(out.rows).subspan(token * kTextWidth, kTextWidth);
    if (found->second.vector.empty()) {
      grams.vector(found->second.text, row);
    } else {
      std::ranges::copy(found->second.vector, row.begin());
    }
    out.known[token] = std::ranges::any_of(row, [](float value) { return value != 0; });
    if (out.known[token]) {
      by_language[found->second.language].push_back(token);
    }
  }
  std::vector<std::size_t> rest;
  for (const auto& [language, members] : by_language) {
    if (static_cast<std::int64_t>(members.size()) >= kLanguageTextsMin) {
      subtract_mean(members, out.rows);
    } else {
      rest.insert(rest.end(), members.begin(), members.end());
    }
  }
  subtract_mean(rest, out.rows);
  return out;
}

base::Result<std::vector<float>> whitened(const TextTable& table, std::size_t width) {
  const std::size_t count = table.count();
  if (count < 2) {
    return base::failed_precondition("there are fewer than two items with a text");
  }
  const std::size_t tokens = table.known.size();
  auto scatter = weighted_products({table.rows, kTextWidth}, {table.rows, kTextWidth}, std::vector<float>(tokens, 1.0F / static_cast<float>(count)));
  BECKON_TRY(const auto axes, stats::symmetric_axes(scatter, kTextWidth));
  const std::size_t kept = std::min({width, kTextWidth, count - 1});
  const double mean = std::accumulate(axes.values.begin(), axes.values.begin() + static_cast<std::ptrdiff_t>(kept), 0.0) / static_cast<double>(kept);
  if (!(mean > 0)) {
    return base::failed_precondition("all items have the same text");
  }
  std::vector<float> projection(kTextWidth * width, 0.0F);
  double variance = 0;  // of what comes out, summed over columns
  for (std::size_t j = 0; j < kept; ++j) {
    const double value = std::max(axes.values[j], 0.0);
    const double scale = 1 / std::sqrt(value + kShrinkage * mean);
    variance += value * scale * scale;
    for (std::size_t i = 0; i < kTextWidth; ++i) {
      projection[i * width + j] = static_cast<float>(axes.vectors[i * kTextWidth + j] * scale);
    }
  }
  const auto unit = static_cast<float>(1 / std::sqrt(variance / static_cast<double>(kept)));
  for (float& value : projection) {
    value *= unit;
  }
  std::vector<float> out(tokens * width);
  tensor::gemm(tensor::view(table.rows, tokens, kTextWidth), tensor::view(projection, kTextWidth, width), tensor::mutable_view(out, tokens, width));
  return out;
}

}  // namespace beckon::features
