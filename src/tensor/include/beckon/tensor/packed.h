#pragma once
// Products of bfloat16 numbers that lie in the order in which the kernel reads them. The processor's instruction multiplies and adds
// pairs of neighbours along the summed dimension, so both factors are stored as pairs: a factor that is used in several products is
// packed once, and a kernel that makes a factor can write it packed. Odd ends are filled with a zero.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "beckon/tensor/matrix.h"

namespace beckon::tensor {

/// bfloat16 numbers on a 64-byte boundary. Grows only. Not thread-safe.
class Bf16Storage {
 public:
  /// Contents are undefined afterwards when the storage had to grow.
  void resize(std::size_t size);
  std::size_t size() const { return size_; }
  std::uint16_t* data() { return data_.get(); }
  const std::uint16_t* data() const { return data_.get(); }
  std::span<std::uint16_t> span() { return {data_.get(), size_}; }
  std::span<const std::uint16_t> span() const { return {data_.get(), size_}; }

 private:
  struct Free {
    void operator()(std::uint16_t* data) const;
  };
  std::unique_ptr<std::uint16_t[], Free> data_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

constexpr std::size_t even(std::size_t count) { return (count + 1) / 2 * 2; }

/// Left factor, rows × inner: numbers (r, 2p) and (r, 2p + 1) are neighbours at bits + r · row_stride + p · pair_stride.
struct PackedLeft {
  const std::uint16_t* bits = nullptr;
  std::size_t rows = 0;
  std::size_t inner = 0;
  std::size_t row_stride = 0;
  std::size_t pair_stride = 2;

  PackedLeft some_rows(std::size_t begin, std::size_t count) const {
    BECKON_CHECK(begin + count <= rows);
    return {bits + begin * row_stride, count, inner, row_stride, pair_stride};
  }
};
/// Rows of pairs: row r holds row r of the matrix, then zeros up to the stride, which is even.
inline PackedLeft pairs_in_rows(const std::uint16_t* bits, std::size_t rows, std::size_t inner, std::size_t stride) {
  BECKON_CHECK(stride >= even(inner) && stride % 2 == 0);
  return {bits, rows, inner, stride, 2};
}
/// The transpose of a matrix whose rows 2p and 2p + 1 lie interleaved: number (2p, c), then (2p + 1, c), then (2p, c + 1) …
inline PackedLeft interleaved_rows(const std::uint16_t* bits, std::size_t rows, std::size_t inner, std::size_t stride) {
  BECKON_CHECK(stride >= rows);
  return {bits, rows, inner, 2, 2 * stride};
}

constexpr std::size_t kPanelColumns = 64;

/// Right factor, inner × columns, in panels of 64 columns (the last one: what is left, filled to 16). A panel is a list of rows 2p and 2p + 1,
/// interleaved.
struct PackedRight {
  const std::uint16_t* bits = nullptr;
  std::size_t inner = 0;
  std::size_t columns = 0;
};
/// A matrix's columns filled to whole vectors of 16.
constexpr std::size_t packed_columns(std::size_t columns) { return (columns + 15) / 16 * 16; }
constexpr std::size_t packed_right_size(std::size_t inner, std::size_t columns) { return even(inner) * packed_columns(columns); }

/// Rounds and packs; the result points into `into`.
PackedLeft pack_left(const MatrixView& from, Bf16Storage& into);
PackedRight pack_right(const MatrixView& from, Bf16Storage& into);
/// The same into packed_right_size numbers on a 64-byte boundary.
PackedRight pack_right(const MatrixView& from, std::span<std::uint16_t> into);

struct PackedMode {
  PackedMode(Into how = Into::kOverwrite, std::span<const float> of_columns = {}) : into(how), bias(of_columns) {}
  Into into;
  std::span<const float> bias;  ///< empty, or added to every row of the product
};
/// c = a·b or c += a·b, summed in fp32 in an order that depends on the shapes alone. has_bf16() must be true.
void gemm(const PackedLeft& a, const PackedRight& b, const MutableMatrix& c, const PackedMode& mode = {});

/// One tile of logits whose exponentials are factors of two products: e·table sums over its columns, eᵀ·vectors over its rows.
struct PackedSoftmaxTile {
  std::span<const float> logits;  ///< rows × columns, contiguous
  std::size_t columns = 0;
  std::span<std::uint16_t> by_row;     ///< rows × packed_columns: pairs_in_rows
  std::span<std::uint16_t> by_column;  ///< even(rows) × packed_columns: interleaved_rows
};
/// e^(logit - top) with relative error below 1e-5, rounded to bfloat16 for both products. `top` is raised to the largest logit of the row if that
/// is greater; `row_sum` is of the unrounded numbers. has_bf16() must be true.
void packed_softmax_tile(const PackedSoftmaxTile& tile, std::span<float> top, std::span<float> row_sum);
/// sums(c) += Σ_r weight[r] · x(r, c) of numbers that lie as in PackedSoftmaxTile::by_column.
void add_interleaved_column_sums(std::span<const std::uint16_t> x, std::span<const float> weight, std::span<float> sums);

}  // namespace beckon::tensor
