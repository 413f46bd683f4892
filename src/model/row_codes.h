#pragma once
// Rows rounded to few levels, with bounds of what the rounding can change. Level of code c: scale(row) · (c - centre).

#include <cstdint>
#include <span>
#include <vector>

#include "beckon/tensor/tensor.h"

namespace beckon::model::inner {

constexpr std::size_t kTileRows = 2048;  // a multiple of tensor::kCodeRows

/// Immutable once made. Rows are padded to whole blocks with rows whose bias is -infinity.
struct CodedRows {
  /// Rows whose bias is -infinity get scale 0. bits: 4 or 8.
  CodedRows(std::span<const float> rows, std::span<const float> bias, std::size_t bits);

  std::size_t bits = 8, width = 0;
  float centre = 0;
  std::vector<std::uint8_t> codes;
  std::vector<float> scale, bias;
  /// Of the rows of a tile, in units of a row's scale: the largest |row - rounded row| and the largest |row| (Euclidean).
  struct Ratio {
    float error = 0, norm = 0;
  };
  std::vector<Ratio> ratio;

  std::size_t tiles() const { return ratio.size(); }
  tensor::CodeTile tile(std::size_t t) const;
};

/// A vector rounded to whole numbers: x ≈ step · query.
class CodedVector {
 public:
  explicit CodedVector(std::span<const float> x);
  /// For tensor::code_scores over tile t: scores, or, when `bounded`, numbers that the fp32 score cannot exceed but by the rounding
  /// of its bias. `gap`: in units of a row's scale, how far above the score these numbers lie.
  tensor::CodeQuery query(const CodedRows& rows, std::size_t t, bool bounded, float* gap) const;

 private:
  std::vector<std::int8_t> query_;
  double step_ = 0, norm_ = 0, error_ = 0;  // norm of x, norm of x - step · query
  std::int64_t sum_ = 0, absolute_sum_ = 0;
};

}  // namespace beckon::model::inner
