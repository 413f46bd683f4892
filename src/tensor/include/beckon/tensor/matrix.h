#pragma once
// Buffers, matrix views and the matrix product.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "beckon/base/check.h"

namespace beckon::tensor {

/// Floats on a 64-byte boundary. Grows only, so that a work space can be used again without allocation. Not thread-safe.
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::size_t size) { resize(size); }
  /// Contents are undefined afterwards when the buffer had to grow; a fresh buffer is not zeroed.
  void resize(std::size_t size);
  void zero();
  std::size_t size() const { return size_; }
  float* data() { return data_.get(); }
  const float* data() const { return data_.get(); }
  std::span<float> span() { return {data_.get(), size_}; }
  std::span<const float> span() const { return {data_.get(), size_}; }
  float& operator[](std::size_t i) { return data_[i]; }
  float operator[](std::size_t i) const { return data_[i]; }

 private:
  struct Free {
    void operator()(float* data) const;
  };
  std::unique_ptr<float[], Free> data_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

/// rows × columns, row r starts at data + r · stride. `transposed` means: read it as its transpose (columns × rows).
struct MatrixView {
  const float* data = nullptr;
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::size_t stride = 0;
  bool transposed = false;

  MatrixView t() const { return {data, rows, columns, stride, !transposed}; }
};

struct MutableMatrix {
  float* data = nullptr;
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::size_t stride = 0;
};

inline MatrixView view(std::span<const float> data, std::size_t rows, std::size_t columns) {
  BECKON_CHECK(data.size() >= rows * columns);
  return {data.data(), rows, columns, columns};
}
inline MutableMatrix mutable_view(std::span<float> data, std::size_t rows, std::size_t columns) {
  BECKON_CHECK(data.size() >= rows * columns);
  return {data.data(), rows, columns, columns};
}

enum class Into { kOverwrite, kAdd };
/// kBf16: both factors are rounded to bfloat16 (8 bits of mantissa), products are summed in fp32.
enum class Precision { kFp32, kBf16 };
/// Whether this processor multiplies bfloat16 in hardware.
bool has_bf16();

struct GemmMode {
  GemmMode(Into how = Into::kOverwrite, Precision in = Precision::kFp32, std::span<const float> of_columns = {})
      : into(how), precision(in), bias(of_columns) {}
  Into into;
  Precision precision;
  std::span<const float> bias;  ///< empty, or added to every row of the product; then c's rows must be contiguous
};

/// c = a·b or c += a·b. `c` must not overlap a or b. Runs in the calling thread only. Where has_bf16() is false, kBf16 is kFp32.
void gemm(const MatrixView& a, const MatrixView& b, const MutableMatrix& c, const GemmMode& mode = {});

/// Numbers rounded to bfloat16 (to nearest, ties to even) for gemm(Bf16View …): factors that are used in several products are
/// rounded once. Grows only. Not thread-safe.
class Bf16Buffer {
 public:
  void assign(std::span<const float> from);
  std::span<const std::uint16_t> span() const { return {bits_.data(), size_}; }

 private:
  std::vector<std::uint16_t> bits_;
  std::size_t size_ = 0;
};
struct Bf16View {
  const std::uint16_t* data = nullptr;
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::size_t stride = 0;
  bool transposed = false;

  Bf16View t() const { return {data, rows, columns, stride, !transposed}; }
};
inline Bf16View view(std::span<const std::uint16_t> data, std::size_t rows, std::size_t columns) {
  BECKON_CHECK(data.size() >= rows * columns);
  return {data.data(), rows, columns, columns};
}
/// As above, for factors that are rounded already. has_bf16() must be true.
void gemm(const Bf16View& a, const Bf16View& b, const MutableMatrix& c, Into into = Into::kOverwrite);
/// The kernel of Bf16Buffer::assign.
void round_to_bf16(std::span<const float> from, std::span<std::uint16_t> to);
/// to = the floats that the bits stand for.
void unpack_bf16(std::span<const std::uint16_t> from, std::span<float> to);
inline float from_bf16(std::uint16_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16U); }

}  // namespace beckon::tensor
