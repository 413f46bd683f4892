// Products would look alike because of their sizes, or not alike because of a plural, if one of these broke.
#include "beckon/text/ngrams.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <string>

namespace beckon::text {
namespace {

double cosine(const NgramVectors& grams, const std::string& a, const std::string& b) {
  std::vector<float> x(grams.width());
  std::vector<float> y(grams.width());
  grams.vector(a, x);
  grams.vector(b, y);
  return std::inner_product(x.begin(), x.end(), y.begin(), 0.0);
}

TEST(Ngrams, FormsOfAWordAreNearSizesDoNotCountCommonWordsLittle) {
  // What makes titles of one kind similar.
  NgramVectors grams(384);
  for (const char* text : {"red candle set", "blue lantern set", "green teapot set", "paper napkins set", "wooden frame set"}) {
    grams.count(text);
  }
  EXPECT_NEAR(cosine(grams, "Red Candle 12 cm", "RED CANDLE, 20cm"), 1, .15);
  EXPECT_NEAR(cosine(grams, "candle 12", "candle 400"), 1, 1e-6);
  EXPECT_GT(cosine(grams, "candle", "candles"), .5);
  EXPECT_GT(cosine(grams, "candle set", "candles"), cosine(grams, "candle set", "teapot set") + .2);
  EXPECT_LT(std::abs(cosine(grams, "candle", "frying pan")), .2);
  EXPECT_NEAR(cosine(grams, "ＣＡＦÉ", "café"), 1, 1e-6);
}

TEST(Ngrams, ScriptsWithoutSpacesHavePairs) {
  // Most Chinese words are two characters long.
  const NgramVectors grams(4096);
  EXPECT_GT(cosine(grams, "男士纯棉衬衫", "纯棉短袖"), .08);
  EXPECT_GT(cosine(grams, "男士纯棉衬衫", "女士纯棉衬衫"), .4);
  EXPECT_LT(std::abs(cosine(grams, "男士纯棉衬衫", "不锈钢水壶")), .08);
}

TEST(Ngrams, NothingReadableIsNoDirectionAndNothingBreaks) {
  // Broken bytes in one feed must not stop a training.
  const NgramVectors grams(16);
  for (const std::string& text : {std::string(), std::string("12 / 34"), std::string("\xff\xfe\xf0\x28"), std::string(1, '\0')}) {
    EXPECT_EQ(cosine(grams, text, text), 0) << text;
  }
  const std::string truncated = "th\xc3";
  EXPECT_GE(cosine(grams, truncated, truncated), 0);
  EXPECT_NEAR(cosine(grams, std::string(5000, 'a'), std::string(5000, 'a')), 1, 1e-4);
}

}  // namespace
}  // namespace beckon::text
