#include <cmath>

#include "beckon/base/check.h"
#include "beckon/tensor/kernels.h"
#include "fast_math.h"

namespace beckon::tensor {
namespace {

constexpr float kEpsilon = 1e-5F;

BECKON_CLONES void forward_loop(const LayerNormForward& io, std::size_t rows, std::size_t width) {
  const float* __restrict gain = io.gain.data();
  const float* __restrict shift = io.shift.data();
  const float share = 1.0F / static_cast<float>(width);
  for (std::size_t r = 0; r < rows; ++r) {
    const float* __restrict x = io.x.data() + r * width;
    float* __restrict y = io.y.data() + r * width;
    const float mean = inner::sum_inline(x, width) * share;
    for (std::size_t i = 0; i < width; ++i) {
      y[i] = x[i] - mean;
    }
    const float inverse = 1.0F / std::sqrt(inner::dot_inline(y, y, width) * share + kEpsilon);
    for (std::size_t i = 0; i < width; ++i) {
      y[i] = y[i] * inverse * gain[i] + shift[i];
    }
    io.mean[r] = mean;
    io.inverse_deviation[r] = inverse;
  }
}

// With n = (x - mean)·inverse and d = dy·gain: dx = inverse · (d - mean(d) - n·mean(d·n)).
BECKON_CLONES void backward_loop(const LayerNormBackward& io, std::size_t rows, std::size_t width) {
  const float* __restrict gain = io.gain.data();
  float* __restrict dgain = io.dgain.data();
  float* __restrict dshift = io.dshift.data();
  const float share = 1.0F / static_cast<float>(width);
  for (std::size_t r = 0; r < rows; ++r) {
    const float* __restrict x = io.x.data() + r * width;
    const float* __restrict dy = io.dy.data() + r * width;
    float* __restrict dx = io.dx.data() + r * width;
    const float mean = io.mean[r];
    const float inverse = io.inverse_deviation[r];
    float sum_lane[inner::kLanes] = {};
    float dot_lane[inner::kLanes] = {};
    const auto visit = [&](std::size_t i, std::size_t l) __attribute__((always_inline)) {
      const float n = (x[i] - mean) * inverse;
      dgain[i] += dy[i] * n;
      dshift[i] += dy[i];
      sum_lane[l] += dy[i] * gain[i];
      dot_lane[l] += dy[i] * gain[i] * n;
    };
    std::size_t i = 0;
    for (; i + inner::kLanes <= width; i += inner::kLanes) {
      for (std::size_t l = 0; l < inner::kLanes; ++l) {
        visit(i + l, l);
      }
    }
    for (std::size_t l = 0; i + l < width; ++l) {
      visit(i + l, l);
    }
    const float mean_d = inner::fold_lanes(sum_lane) * share;
    const float mean_dn = inner::fold_lanes(dot_lane) * share;
    for (std::size_t j = 0; j < width; ++j) {
      const float n = (x[j] - mean) * inverse;
      dx[j] += inverse * (dy[j] * gain[j] - mean_d - n * mean_dn);
    }
  }
}

}  // namespace

void layer_norm_forward(const LayerNormForward& io) {
  const std::size_t width = io.gain.size();
  const std::size_t rows = io.mean.size();
  BECKON_CHECK(width > 0 && io.shift.size() == width && io.inverse_deviation.size() == rows);
  BECKON_CHECK(io.x.size() == rows * width && io.y.size() == rows * width);
  forward_loop(io, rows, width);
}

void layer_norm_backward(const LayerNormBackward& io) {
  const std::size_t width = io.gain.size();
  const std::size_t rows = io.mean.size();
  BECKON_CHECK(width > 0 && io.dgain.size() == width && io.dshift.size() == width);
  BECKON_CHECK(io.inverse_deviation.size() == rows && io.x.size() == rows * width);
  BECKON_CHECK(io.dy.size() == rows * width && io.dx.size() == rows * width);
  backward_loop(io, rows, width);
}

}  // namespace beckon::tensor
