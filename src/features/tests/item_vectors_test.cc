// A new article would be recommended to everybody or to nobody, if one of these broke.
#include "beckon/features/item_vectors.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "beckon/features/options.h"
#include "world.h"

namespace beckon::features {
namespace {

constexpr std::size_t kWidth = 16;

// `kinds` kinds of goods, `each` of every kind, titles of three words of their kind and one of their own; the last of each kind is new.
struct Shop {
  std::vector<std::string> names;
  std::vector<std::size_t> kind;
  ItemTexts texts;
  std::vector<std::int64_t> counts{0};
  model::Model weights;

  static model::Model model_of(std::size_t items) {
    model::ModelOptions options;
    options.width = kWidth;
    options.tokens = static_cast<std::int32_t>(items) + 1;
    return model::Model::make(options, 5).value();
  }
  Shop(std::size_t kinds, std::size_t each) : weights(model_of(kinds * each)) {
    const std::vector<std::string> words{"wine", "tea", "soap", "lamp", "chair", "candle", "pencil", "garden", "kitchen", "winter"};
    base::Rng rng(3);
    for (std::size_t i = 0; i < kinds * each; ++i) {
      names.push_back("item" + std::to_string(i));
      kind.push_back(i / each);
      std::string own;
      for (int c = 0; c < 6; ++c) {
        own.push_back(static_cast<char>('a' + rng.below(26)));
      }
      texts[names.back()] = {words[i / each] + " " + words[i / each] + " " + own, "en"};
      counts.push_back(i % each + 1 == each ? 0 : 200);
    }
  }
  Vocabulary vocabulary() const { return Vocabulary(names); }
  // What training is supposed to have found: kinds lie in different directions, with noise.
  void teach() {
    for (std::size_t t = 1; t < weights.tokens(); ++t) {
      base::Rng rng(9, t);
      std::vector<float> vector(kWidth);
      for (auto& value : vector) {
        value = static_cast<float>(.02 * rng.normal());
      }
      vector[kind[t - 1]] += .5F;
      weights.set_token(static_cast<std::int32_t>(t), vector, -1.0F - .001F * static_cast<float>(t));
    }
  }
  std::span<const float> vector(std::size_t token) const { return weights.token_embeddings().subspan(token * kWidth, kWidth); }
};

double dot(std::span<const float> a, std::span<const float> b) { return std::inner_product(a.begin(), a.end(), b.begin(), 0.0); }

TEST(ItemVectors, ANewItemStandsAmongItsKind) {
  // The point of reading titles: a wine that came today is shown to those who buy wine.
  Shop shop(8, 20);
  shop.teach();
  const auto table = text_table(shop.vocabulary(), shop.texts);
  EXPECT_EQ(table.count(), 160U);
  const Shop before = shop;
  const auto map = complete_from_text(table, shop.counts, {}, shop.weights);
  ASSERT_TRUE(map.ok()) << map.error().message;
  EXPECT_EQ(map->new_items, 8);
  EXPECT_EQ(map->warm_items, 152);
  EXPECT_GT(map->explained, .5);
  for (std::size_t k = 0; k < 8; ++k) {
    const std::size_t fresh = k * 20 + 20;
    for (std::size_t other = 0; other < 8; ++other) {
      const double near = dot(shop.vector(fresh), before.vector(other * 20 + 1));
      EXPECT_TRUE(other == k ? near > .1 : near < .1) << k << " " << other << " " << near;
    }
    EXPECT_LT(shop.weights.token_bias()[fresh], -.9F);
    // Met two hundred times: its own vector stays, up to a tenth.
    const auto kept = shop.vector(k * 20 + 1);
    EXPECT_NEAR(dot(kept, before.vector(k * 20 + 1)), dot(before.vector(k * 20 + 1), before.vector(k * 20 + 1)), .08);
  }
}

TEST(ItemVectors, TitlesThatSayNothingMoveNothing) {
  // Noise from titles must not be laid over what was learned; unknown goods come last, not first.
  Shop shop(8, 20);
  shop.teach();
  for (auto& [name, text] : shop.texts) {
    base::Rng rng(11, std::hash<std::string>{}(name));
    text.text.clear();
    for (int c = 0; c < 20; ++c) {
      text.text.push_back(static_cast<char>('a' + rng.below(26)));
    }
  }
  const Shop before = shop;
  const auto map = complete_from_text(text_table(shop.vocabulary(), shop.texts), shop.counts, {}, shop.weights);
  ASSERT_TRUE(map.ok());
  EXPECT_LT(map->explained, .05);
  for (std::size_t t = 1; t < shop.weights.tokens(); ++t) {
    if (shop.counts[t] > 0) {
      EXPECT_NEAR(dot(shop.vector(t), before.vector(t)), dot(before.vector(t), before.vector(t)), .05);
    }
  }
  Shop silent(8, 20);
  silent.teach();
  silent.texts.clear();
  const Shop untouched = silent;
  ASSERT_TRUE(complete_from_text(text_table(silent.vocabulary(), silent.texts), silent.counts, {}, silent.weights).ok());
  const float lowest = *std::min_element(silent.weights.token_bias().begin() + 1, silent.weights.token_bias().end());
  for (std::size_t t = 1; t < silent.weights.tokens(); ++t) {
    if (silent.counts[t] > 0) {
      EXPECT_TRUE(std::ranges::equal(silent.vector(t), untouched.vector(t)));
    } else {
      EXPECT_EQ(silent.weights.token_bias()[t], lowest);
      EXPECT_EQ(dot(silent.vector(t), silent.vector(t)), 0);
    }
  }
}

TEST(ItemVectors, WhitenedTextsHaveUnitSpreadAndKeepKindsTogether) {
  // A start at another scale than random is another learning rate; one word that all titles share must not drown the rest.
  Shop shop(8, 20);
  for (auto& [name, text] : shop.texts) {
    text.text += " premium quality";
  }
  const auto table = text_table(shop.vocabulary(), shop.texts);
  const auto white = whitened(table, kWidth).value();
  double squares = 0;
  for (const float value : white) {
    squares += static_cast<double>(value) * static_cast<double>(value);
  }
  EXPECT_NEAR(squares / 160 / kWidth, 1, .01);
  start_from_text(table, shop.weights);
  double same = 0;
  double different = 0;
  for (std::size_t t = 2; t < 160; ++t) {
    const double cosine = dot(shop.vector(t), shop.vector(1)) / std::sqrt(dot(shop.vector(t), shop.vector(t)) * dot(shop.vector(1), shop.vector(1)));
    (shop.kind[t - 1] == 0 ? same : different) += cosine / (shop.kind[t - 1] == 0 ? 19.0 : 139.0);
  }
  EXPECT_GT(same, different + .3);
  EXPECT_NEAR(std::sqrt(squares / 160 / kWidth) * .02, std::sqrt(dot(shop.weights.token_embeddings().subspan(kWidth), shop.weights.token_embeddings().subspan(kWidth)) / 160 / kWidth), .002);
}

TEST(ItemVectors, LanguagesDoNotLieApart) {
  // An English wine would be nearer to an English sofa than to a German wine.
  std::vector<std::string> names;
  ItemTexts texts;
  for (int i = 0; i < 200; ++i) {
    names.push_back(std::to_string(i));
    texts[names.back()] = {(i % 2 == 0 ? "wine the and of " : "wein der und von ") + std::string(1, static_cast<char>('a' + i % 17)) + "bcd", i % 2 == 0 ? "en" : "de"};
  }
  const auto table = text_table(Vocabulary(names), texts);
  std::vector<double> mean(kTextWidth, 0);
  for (std::size_t t = 1; t <= 200; t += 2) {  // the even numbers: one language
    for (std::size_t c = 0; c < kTextWidth; ++c) {
      mean[c] += static_cast<double>(table.rows[t * kTextWidth + c]) / 100;
    }
  }
  EXPECT_LT(std::sqrt(std::inner_product(mean.begin(), mean.end(), mean.begin(), 0.0)), 1e-4);
}

TEST(ItemVectors, UnusualCataloguesWork) {
  // One item, one text for all, nothing readable: a training must not stop for it.
  for (const auto& texts : std::vector<ItemTexts>{{}, {{"a", {"tea", "en"}}}, {{"a", {"tea", "en"}}, {"b", {"tea", "en"}}}, {{"a", {"123 !!", "en"}}, {"b", {"\xff\xfe", "en"}}}}) {
    const auto table = text_table(Vocabulary({"a", "b"}), texts);
    auto weights = Shop::model_of(2);
    start_from_text(table, weights);
    const std::vector<std::int64_t> counts{0, 3, 0};
    ASSERT_TRUE(complete_from_text(table, counts, {}, weights).ok());
    for (const float value : weights.weights()) {
      ASSERT_TRUE(std::isfinite(value));
    }
  }
}

TEST(FeatureOptions, KeysAreReadAndTypingErrorsNamed) {
  // A column that is silently left out changes every figure.
  const auto read = [](const std::string& text) {
    auto root = base::TomlTable::parse(text, "x.toml").value();
    const auto options = read_feature_options(root.table("model"), {});
    const auto status = root.finish();
    return std::pair{options, status.ok() ? std::string() : status.error().message};
  };
  const auto [options, problem] = read("[model]\nitem_columns = [\"brand\"]\ntext_vectors = \"none\"\nnew_items = false\n");
  EXPECT_EQ(problem, "");
  EXPECT_TRUE(options.brands && !options.categories && !options.promotion && !options.new_items);
  EXPECT_EQ(options.text_vectors, TextVectors::kNone);
  EXPECT_EQ(options_json(read("").first), options_json(FeatureOptions{}));
  EXPECT_NE(read("[model]\nitem_columns = [\"brands\"]\n").second.find("brands"), std::string::npos);
  EXPECT_NE(read("[model]\ntext_vectors = \"ngram\"\n").second.find("ngrams"), std::string::npos);
}

}  // namespace
}  // namespace beckon::features
