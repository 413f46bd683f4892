#include "row_codes.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace beckon::model::inner {
namespace {

constexpr double kRounding = 1.0 / (1 << 23);  // twice the rounding of one fp32 operation

// Rounded up, so that a bound stays one.
float above(double value) {
  return std::nextafter(static_cast<float>(value), std::numeric_limits<float>::infinity());
}

struct RowLevels {
  double largest_code, centre;
};
RowLevels levels_of(std::size_t bits) {
  return bits == 4 ? RowLevels{15, 7.5} : RowLevels{255, 128};
}

// Codes of one row, its scale, and what was lost.
CodedRows::Ratio encode_row(std::span<const float> row, const RowLevels& levels, float& scale, std::uint8_t* code) {
  float top = 0;
  for (const float value : row) {
    top = std::max(top, std::abs(value));
  }
  scale = static_cast<float>(static_cast<double>(top) / (levels.largest_code - levels.centre));
  if (!(scale >= std::numeric_limits<float>::min())) {
    scale = top > 0 ? std::numeric_limits<float>::min() : 0;
  }
  double lost = 0;
  double norm = 0;
  for (std::size_t c = 0; c < row.size() && scale > 0; ++c) {
    const double level = static_cast<double>(row[c]) / static_cast<double>(scale);
    const double rounded = std::clamp(std::floor(level + levels.centre + .5), 0.0, levels.largest_code);
    code[c] = static_cast<std::uint8_t>(rounded);
    lost += (level - (rounded - levels.centre)) * (level - (rounded - levels.centre));
    norm += level * level;
  }
  return {above(std::sqrt(lost)), above(std::sqrt(norm))};
}

}  // namespace

CodedRows::CodedRows(std::span<const float> rows, std::span<const float> row_bias, std::size_t bits_wanted)
    : bits(bits_wanted), width(rows.size() / row_bias.size()) {
  const std::size_t blocks = (row_bias.size() + tensor::kCodeRows - 1) / tensor::kCodeRows;
  const RowLevels levels = levels_of(bits);
  const std::size_t bytes = tensor::code_block_bytes(bits, width);
  centre = static_cast<float>(levels.centre);
  codes.resize(blocks * bytes);
  scale.resize(blocks * tensor::kCodeRows, 0);
  bias.assign(row_bias.begin(), row_bias.end());
  bias.resize(blocks * tensor::kCodeRows, -std::numeric_limits<float>::infinity());
  ratio.resize((bias.size() + kTileRows - 1) / kTileRows);
  std::vector<std::uint8_t> plain(tensor::kCodeRows * width);
  for (std::size_t b = 0; b < blocks; ++b) {
    std::ranges::fill(plain, std::uint8_t{0});
    const std::size_t first = b * tensor::kCodeRows;
    for (std::size_t r = first; r < std::min(first + tensor::kCodeRows, row_bias.size()); ++r) {
      if (std::isinf(bias[r])) {
        continue;
      }
      const Ratio of_row = encode_row(rows.subspan(r * width, width), levels, scale[r], &plain[(r - first) * width]);
      Ratio& largest = ratio[r / kTileRows];
      largest = {std::max(largest.error, of_row.error), std::max(largest.norm, of_row.norm)};
    }
    tensor::pack_codes(bits, plain, std::span(codes).subspan(b * bytes, bytes));
  }
}

tensor::CodeTile CodedRows::tile(std::size_t t) const {
  const std::size_t first = t * kTileRows;
  const std::size_t count = std::min(kTileRows, scale.size() - first);
  const std::size_t bytes = tensor::code_block_bytes(bits, width);
  return {bits, width, std::span(codes).subspan(first / tensor::kCodeRows * bytes, count / tensor::kCodeRows * bytes),
          std::span(scale).subspan(first, count), std::span(bias).subspan(first, count)};
}

CodedVector::CodedVector(std::span<const float> x) : query_(x.size()) {
  float top = 0;
  for (const float value : x) {
    top = std::max(top, std::abs(value));
  }
  step_ = static_cast<double>(top) / 127;
  double lost = 0;
  for (std::size_t c = 0; c < x.size(); ++c) {
    const auto value = static_cast<double>(x[c]);
    const double rounded = step_ > 0 ? std::clamp(std::round(value / step_), -127.0, 127.0) : 0;
    query_[c] = static_cast<std::int8_t>(rounded);
    lost += (value - step_ * rounded) * (value - step_ * rounded);
    norm_ += value * value;
    sum_ += query_[c];
    absolute_sum_ += std::abs(query_[c]);
  }
  norm_ = std::sqrt(norm_);
  error_ = std::sqrt(lost);
}

tensor::CodeQuery CodedVector::query(const CodedRows& rows, std::size_t t, bool bounded, float* gap) const {
  const CodedRows::Ratio& ratio = rows.ratio[t];
  const auto error = static_cast<double>(ratio.error);
  const auto norm = static_cast<double>(ratio.norm);
  const double largest_code = rows.bits == 4 ? 15 : 255;
  // What the codes lose of the row, and of the vector; what fp32 loses in the exact logit, and in code_scores.
  const double lost = norm_ * error + error_ * (norm + error) + kRounding * static_cast<double>(rows.width + 8) * norm_ * norm +
                      8 * kRounding * step_ * largest_code * static_cast<double>(absolute_sum_);
  *gap = bounded ? above(lost * (1 + 1e-6)) : 0;
  const double centred = -step_ * static_cast<double>(rows.centre) * static_cast<double>(sum_);
  return {query_, static_cast<float>(step_), static_cast<float>(centred + static_cast<double>(*gap))};
}

}  // namespace beckon::model::inner
