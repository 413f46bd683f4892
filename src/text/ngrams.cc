#include "beckon/text/ngrams.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "beckon/base/check.h"
#include "beckon/text/text.h"

namespace beckon::text {
namespace {

constexpr std::size_t kCounters = std::size_t{1} << 20U;  // document frequencies; grams that meet in one share it
constexpr std::size_t kLongest = 5;
constexpr char32_t kBoundary = U' ';

// Broken UTF-8 has become U+FFFD in fold().
std::u32string decode(std::string_view utf8) {
  std::u32string out;
  for (std::size_t i = 0; i < utf8.size();) {
    const auto lead = static_cast<unsigned char>(utf8[i]);
    const std::size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    char32_t point = length == 1 ? lead : lead & (0x7FU >> length);
    for (std::size_t k = 1; k < length && i + k < utf8.size(); ++k) {
      point = (point << 6U) | (static_cast<unsigned char>(utf8[i + k]) & 0x3FU);
    }
    out.push_back(point);
    i += length;
  }
  return out;
}

// Signs and digits part words: sizes, weights and model numbers say little of what a thing is. (Folded: no capitals, no wide forms.)
bool is_letter(char32_t point) {
  if (point < 0xC0) {
    return point >= U'a' && point <= U'z';
  }
  const bool sign = point == 0xD7 || point == 0xF7 || (point >= 0x2000 && point < 0x2C00) || (point >= 0x3000 && point < 0x3040) || point == 0xFFFD;
  return !sign;
}

bool without_spaces(char32_t point) { return point >= 0x2E80 && point < 0xFB00; }

std::uint64_t mixed(std::uint64_t hash, char32_t point) {
  hash = (hash ^ point) * 0x9E3779B97F4A7C15ULL;
  return hash ^ (hash >> 29U);
}

// Every bit depends on every bit (MurmurHash3's finaliser): place, sign and counter are cut out of different ones.
std::uint64_t spread(std::uint64_t hash) {
  hash = (hash ^ (hash >> 33U)) * 0xFF51AFD7ED558CCDULL;
  hash = (hash ^ (hash >> 33U)) * 0xC4CEB9FE1A85EC53ULL;
  return hash ^ (hash >> 33U);
}

void add_grams(std::u32string_view word, std::vector<std::uint64_t>& out) {
  for (std::size_t begin = 0; begin < word.size(); ++begin) {
    // A word of such a script is one to three characters long: pairs and triples are its words.
    const bool dense = without_spaces(word[begin]) || (begin + 1 < word.size() && without_spaces(word[begin + 1]));
    const std::size_t shortest = dense && word[begin] != kBoundary ? 2 : 3;
    const std::size_t longest = dense ? 3 : kLongest;
    std::uint64_t hash = 0x6E6772616DULL;
    for (std::size_t length = 1; length <= longest && begin + length <= word.size(); ++length) {
      hash = mixed(hash, word[begin + length - 1]);
      if (length >= shortest) {
        out.push_back(spread(hash));
      }
    }
  }
}

// Each gram once, sorted.
std::vector<std::uint64_t> grams_of(std::string_view text) {
  const std::u32string points = decode(fold(text));
  std::vector<std::uint64_t> out;
  std::u32string word(1, kBoundary);
  for (std::size_t i = 0; i <= points.size(); ++i) {
    if (i < points.size() && is_letter(points[i])) {
      word.push_back(points[i]);
    } else if (word.size() > 1) {
      word.push_back(kBoundary);
      add_grams(word, out);
      word.assign(1, kBoundary);
    }
  }
  std::ranges::sort(out);
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

std::size_t counter_of(std::uint64_t gram) { return static_cast<std::size_t>(gram >> 44U); }

}  // namespace

NgramVectors::NgramVectors(std::size_t width) : width_(width), texts_with_(kCounters, 0) { BECKON_CHECK(width > 0); }

void NgramVectors::count(std::string_view text) {
  ++texts_;
  std::vector<std::size_t> counters;
  for (const std::uint64_t gram : grams_of(text)) {
    counters.push_back(counter_of(gram));
  }
  counters.erase(std::unique(counters.begin(), counters.end()), counters.end());
  for (const std::size_t counter : counters) {
    ++texts_with_[counter];
  }
}

void NgramVectors::vector(std::string_view text, std::span<float> out) const {
  BECKON_CHECK(out.size() == width_);
  std::ranges::fill(out, 0.0F);
  for (const std::uint64_t gram : grams_of(text)) {
    const double idf = std::log((1.0 + static_cast<double>(texts_)) / (1.0 + static_cast<double>(texts_with_[counter_of(gram)]))) + 1;
    out[static_cast<std::size_t>((gram >> 1U) % width_)] += static_cast<float>((gram & 1U) != 0 ? idf : -idf);
  }
  double squares = 0;
  for (const float value : out) {
    squares += static_cast<double>(value) * static_cast<double>(value);
  }
  if (squares > 0) {
    for (float& value : out) {
      value = static_cast<float>(static_cast<double>(value) / std::sqrt(squares));
    }
  }
}

}  // namespace beckon::text
