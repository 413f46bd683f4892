#include "beckon/base/check.h"
#include "beckon/tensor/kernels.h"
#include "fast_math.h"

namespace beckon::tensor {
namespace {

using inner::Mask;

Mask mask_of(const Dropout& dropout) {
  BECKON_CHECK(dropout.rate >= 0 && dropout.rate < 1);
  return inner::make_mask(dropout.rate, dropout.key, dropout.first);
}

BECKON_CLONES void dropout_loop(const Mask& by, float* __restrict x, std::size_t count) {
  const Mask mask = by;
  for (std::size_t i = 0; i < count; ++i) {
    x[i] *= inner::mask_at(mask, i);
  }
}

BECKON_CLONES void swiglu_loop(const float* __restrict up, float* __restrict y, std::size_t rows, std::size_t width) {
  for (std::size_t r = 0; r < rows; ++r) {
    const float* left = up + r * 2 * width;
    const float* right = left + width;
    float* out = y + r * width;
    for (std::size_t i = 0; i < width; ++i) {
      out[i] = left[i] * inner::sigmoid_inline(left[i]) * right[i];
    }
  }
}

// `scratch` is the row of masked dy; with silu(a) = a·s, silu'(a) = s·(1 + a·(1 - s)).
BECKON_CLONES void swiglu_backward_loop(const SwigluBackward& io, const Mask& by, std::size_t rows) {
  const Mask mask = by;
  const std::size_t width = io.width;
  for (std::size_t r = 0; r < rows; ++r) {
    const float* __restrict left = io.up.data() + r * 2 * width;
    const float* __restrict right = left + width;
    const float* __restrict dy = io.dy.data() + r * width;
    float* __restrict dleft = io.dup.data() + r * 2 * width;
    float* __restrict dright = dleft + width;
    for (std::size_t i = 0; i < width; ++i) {
      const float d = dy[i] * inner::mask_at(mask, r * width + i);
      const float s = inner::sigmoid_inline(left[i]);
      dright[i] = d * left[i] * s;
      dleft[i] = d * right[i] * s * (1.0F + left[i] * (1.0F - s));
    }
  }
}

BECKON_CLONES void relu_loop(const float* __restrict up, float* __restrict y, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    y[i] = up[i] > 0 ? up[i] : 0.0F;
  }
}

BECKON_CLONES void relu_backward_loop(const float* __restrict up, const float* __restrict dy, const Mask& by,
                                      std::span<float> out) {
  const Mask mask = by;
  float* __restrict dup = out.data();
  const std::size_t count = out.size();
  for (std::size_t i = 0; i < count; ++i) {
    dup[i] = up[i] > 0 ? dy[i] * inner::mask_at(mask, i) : 0.0F;
  }
}

BECKON_CLONES void gate_loop(const GatedResidualForward& io, const Mask& by, std::size_t count) {
  const Mask mask = by;
  const float* __restrict x = io.x.data();
  const float* __restrict branch = io.branch.data();
  float* __restrict gate = io.gate.data();
  float* __restrict y = io.y.data();
  for (std::size_t i = 0; i < count; ++i) {
    const float s = inner::sigmoid_inline(gate[i]);
    gate[i] = s;
    y[i] = x[i] + s * branch[i] * inner::mask_at(mask, i);
  }
}

BECKON_CLONES void gate_backward_loop(const GatedResidualBackward& io, const Mask& by, std::size_t count) {
  const Mask mask = by;
  const float* __restrict branch = io.branch.data();
  const float* __restrict gate = io.gate.data();
  const float* __restrict dy = io.dy.data();
  float* __restrict dbranch = io.dbranch.data();
  float* __restrict dgate = io.dgate.data();
  for (std::size_t i = 0; i < count; ++i) {
    const float d = dy[i] * inner::mask_at(mask, i);
    dbranch[i] = d * gate[i];
    dgate[i] = d * branch[i] * gate[i] * (1.0F - gate[i]);
  }
}

}  // namespace

float fast_exp(float x) {
  return inner::exp_inline(x);
}

void apply_dropout(const Dropout& dropout, std::span<float> x) {
  if (dropout.rate > 0) {
    dropout_loop(mask_of(dropout), x.data(), x.size());
  }
}

void swiglu_forward(std::span<const float> up, std::size_t width, const Dropout& dropout, std::span<float> y) {
  BECKON_CHECK(width > 0 && up.size() == 2 * y.size() && y.size() % width == 0);
  swiglu_loop(up.data(), y.data(), y.size() / width, width);
  apply_dropout(dropout, y);
}

void swiglu_backward(const SwigluBackward& io) {
  BECKON_CHECK(io.width > 0 && io.up.size() == 2 * io.dy.size() && io.dup.size() == io.up.size());
  BECKON_CHECK(io.dy.size() % io.width == 0);
  swiglu_backward_loop(io, mask_of(io.dropout), io.dy.size() / io.width);
}

void relu_forward(std::span<const float> up, const Dropout& dropout, std::span<float> y) {
  BECKON_CHECK(up.size() == y.size());
  relu_loop(up.data(), y.data(), y.size());
  apply_dropout(dropout, y);
}

void relu_backward(std::span<const float> up, const Dropout& dropout, std::span<const float> dy, std::span<float> dup) {
  BECKON_CHECK(up.size() == dy.size() && dup.size() == dy.size());
  relu_backward_loop(up.data(), dy.data(), mask_of(dropout), dup);
}

void gated_residual_forward(const GatedResidualForward& io) {
  const std::size_t count = io.x.size();
  BECKON_CHECK(io.branch.size() == count && io.gate.size() == count && io.y.size() == count);
  gate_loop(io, mask_of(io.dropout), count);
}

void gated_residual_backward(const GatedResidualBackward& io) {
  const std::size_t count = io.dy.size();
  BECKON_CHECK(io.branch.size() == count && io.gate.size() == count);
  BECKON_CHECK(io.dbranch.size() == count && io.dgate.size() == count);
  gate_backward_loop(io, mask_of(io.dropout), count);
}

}  // namespace beckon::tensor
