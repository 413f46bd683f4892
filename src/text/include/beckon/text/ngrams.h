#pragma once
// Texts as vectors without anything learned elsewhere: what products are called, comparable across spellings and word forms.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace beckon::text {

/// Character n-grams of 3 to 5 code points of the folded text, each word with its boundaries, digits left out; for scripts without
/// spaces (Han, kana, Hangul) of 2 to 3. Grams are hashed with a sign into `width` places (Weinberger et al. 2009) and weighed by
/// idf over the texts given to count(). vector() is thread-safe when nobody counts.
class NgramVectors {
 public:
  explicit NgramVectors(std::size_t width);
  std::size_t width() const { return width_; }
  /// One text of the collection, for idf.
  void count(std::string_view text);
  /// out: width() floats of length 1 (L2); all 0 when the text has no letters.
  void vector(std::string_view text, std::span<float> out) const;

 private:
  std::size_t width_;
  std::int64_t texts_ = 0;
  std::vector<std::uint32_t> texts_with_;  ///< by hash: how many texts hold the gram
};

}  // namespace beckon::text
