#include <cmath>

#include "beckon/base/check.h"
#include "beckon/tensor/kernels.h"
#include "fast_math.h"

namespace beckon::tensor {
namespace {

// scratch: a transposed block (head width × length), then one row of length.
BECKON_INLINE void transpose(const float* from, std::size_t stride, const AttentionShape& shape, float* __restrict to) {
  const std::size_t head_width = shape.width / shape.heads;
  for (std::size_t j = 0; j < shape.length; ++j) {
    for (std::size_t c = 0; c < head_width; ++c) {
      to[c * shape.length + j] = from[j * stride + c];
    }
  }
}

// row(0 … count-1) = Σ_c x(c) · columns(c, ·): dot products of x with `count` vectors at once, without horizontal sums.
BECKON_INLINE void dots(const float* __restrict x, const float* __restrict columns, const AttentionShape& shape,
                        std::size_t count, float* __restrict row) {
  const std::size_t head_width = shape.width / shape.heads;
  for (std::size_t j = 0; j < count; ++j) {
    row[j] = 0;
  }
  std::size_t c = 0;
  for (; c + 4 <= head_width; c += 4) {
    const float* __restrict k = columns + c * shape.length;
    const std::size_t next = shape.length;
    for (std::size_t j = 0; j < count; ++j) {
      row[j] += x[c] * k[j] + x[c + 1] * k[next + j] + x[c + 2] * k[2 * next + j] + x[c + 3] * k[3 * next + j];
    }
  }
  for (; c < head_width; ++c) {
    inner::axpy_inline(x[c], columns + c * shape.length, row, count);
  }
}

BECKON_CLONES void forward_head(const AttentionForward& io, std::size_t head) {
  const AttentionShape shape = io.shape;
  const std::size_t head_width = shape.width / shape.heads;
  const std::size_t stride = 3 * shape.width;
  const float* q = io.qkv.data() + head * head_width;
  const float* v = q + 2 * shape.width;
  const float* bias = io.bias.data() + head * shape.bias_stride;
  const float scale = 1.0F / std::sqrt(static_cast<float>(head_width));
  float* __restrict keys = io.scratch.data();
  transpose(q + shape.width, stride, shape, keys);
  for (std::size_t i = io.first_query; i < shape.length; ++i) {
    float* __restrict row = io.probabilities.data() + (head * shape.length + i) * shape.length;
    const std::size_t seen = i + 1;
    dots(q + i * stride, keys, shape, seen, row);
    for (std::size_t j = 0; j < seen; ++j) {
      row[j] = row[j] * scale + bias[i - j];
    }
    const float top = inner::max_inline(row, seen);
    for (std::size_t j = 0; j < seen; ++j) {
      row[j] = inner::exp_inline(row[j] - top);
    }
    const float inverse = 1.0F / inner::sum_inline(row, seen);
    for (std::size_t j = 0; j < seen; ++j) {
      row[j] *= inverse;
    }
    for (std::size_t j = seen; j < shape.length; ++j) {
      row[j] = 0;
    }
    float* __restrict out = io.out.data() + i * shape.width + head * head_width;
    for (std::size_t c = 0; c < head_width; ++c) {
      out[c] = 0;
    }
    for (std::size_t j = 0; j < seen; ++j) {
      inner::axpy_inline(row[j], v + j * stride, out, head_width);
    }
  }
}

BECKON_CLONES void backward_head(const AttentionBackward& io, std::size_t head) {
  const AttentionShape shape = io.shape;
  const std::size_t head_width = shape.width / shape.heads;
  const std::size_t stride = 3 * shape.width;
  const float* q = io.qkv.data() + head * head_width;
  const float* k = q + shape.width;
  float* dq = io.dqkv.data() + head * head_width;
  float* dk = dq + shape.width;
  float* dv = dk + shape.width;
  float* dbias = io.dbias.data() + head * shape.bias_stride;
  const float scale = 1.0F / std::sqrt(static_cast<float>(head_width));
  float* __restrict values = io.scratch.data();
  float* __restrict row = values + head_width * shape.length;
  transpose(k + shape.width, stride, shape, values);
  for (std::size_t i = 0; i < shape.length; ++i) {
    const float* p = io.probabilities.data() + (head * shape.length + i) * shape.length;
    const float* dout = io.dout.data() + i * shape.width + head * head_width;
    const std::size_t seen = i + 1;
    dots(dout, values, shape, seen, row);
    const float mean = inner::dot_inline(p, row, seen);
    for (std::size_t j = 0; j < seen; ++j) {
      row[j] = p[j] * (row[j] - mean);
      dbias[i - j] += row[j];
    }
    for (std::size_t j = 0; j < seen; ++j) {
      const float by = row[j] * scale;
      inner::axpy_inline(by, k + j * stride, dq + i * stride, head_width);
      inner::axpy_inline(by, q + i * stride, dk + j * stride, head_width);
      inner::axpy_inline(p[j], dout, dv + j * stride, head_width);
    }
  }
}

void check_shape(const AttentionShape& shape, std::size_t qkv, std::size_t probabilities, std::size_t scratch) {
  BECKON_CHECK(shape.heads > 0 && shape.width % shape.heads == 0 && shape.bias_stride >= shape.length);
  BECKON_CHECK(qkv == shape.length * 3 * shape.width);
  BECKON_CHECK(probabilities == shape.heads * shape.length * shape.length);
  BECKON_CHECK(scratch >= attention_scratch_size(shape));
}

}  // namespace

std::size_t attention_scratch_size(const AttentionShape& shape) {
  return (shape.width / shape.heads + 1) * shape.length;
}

void attention_forward(const AttentionForward& io) {
  check_shape(io.shape, io.qkv.size(), io.probabilities.size(), io.scratch.size());
  BECKON_CHECK(io.out.size() == io.shape.length * io.shape.width);
  BECKON_CHECK(io.bias.size() >= io.shape.heads * io.shape.bias_stride);
  for (std::size_t head = 0; head < io.shape.heads; ++head) {
    forward_head(io, head);
  }
}

void attention_backward(const AttentionBackward& io) {
  check_shape(io.shape, io.qkv.size(), io.probabilities.size(), io.scratch.size());
  BECKON_CHECK(io.dout.size() == io.shape.length * io.shape.width && io.dqkv.size() == io.qkv.size());
  BECKON_CHECK(io.dbias.size() >= io.shape.heads * io.shape.bias_stride);
  for (float& value : io.dqkv) {
    value = 0;
  }
  for (std::size_t head = 0; head < io.shape.heads; ++head) {
    backward_head(io, head);
  }
}

}  // namespace beckon::tensor
