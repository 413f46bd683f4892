#include "moments.h"

#include <algorithm>

#include "beckon/tensor/tensor.h"

namespace beckon::features {
namespace {
constexpr std::size_t kBlock = 1024;
}  // namespace

std::vector<double> weighted_products(const Rows& a, const Rows& b, std::span<const float> weights) {
  const std::size_t rows = weights.size();
  BECKON_CHECK(a.data.size() == rows * a.width && b.data.size() == rows * b.width);
  std::vector<double> out(a.width * b.width, 0);
  std::vector<float> scaled(kBlock * a.width);
  std::vector<float> sum(a.width * b.width);
  for (std::size_t begin = 0; begin < rows; begin += kBlock) {
    const std::size_t count = std::min(kBlock, rows - begin);
    for (std::size_t r = 0; r < count; ++r) {
      for (std::size_t c = 0; c < a.width; ++c) {
        scaled[r * a.width + c] = weights[begin + r] * a.data[(begin + r) * a.width + c];
      }
    }
    tensor::gemm(tensor::view(scaled, count, a.width).t(), tensor::view(b.data.subspan(begin * b.width), count, b.width),
                 tensor::mutable_view(sum, a.width, b.width));
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i] += static_cast<double>(sum[i]);
    }
  }
  return out;
}

}  // namespace beckon::features
