#include <cmath>

#include "beckon/base/check.h"
#include "beckon/tensor/kernels.h"
#include "fast_math.h"

namespace beckon::tensor {
namespace {

constexpr float kHidden = -1e30F;

std::size_t padded(std::size_t length) { return (length + inner::kLanes - 1) / inner::kLanes * inner::kLanes; }

// scratch: a transposed block (head width × padded length, zeros behind the end), then one row of padded length. Most sequences
// are shorter than a vector: whole vectors with a padded end are several times faster than the tails of exact loops.
BECKON_INLINE void transpose(const float* from, std::size_t stride, const AttentionShape& shape, float* __restrict to) {
  const std::size_t head_width = shape.width / shape.heads;
  const std::size_t columns = padded(shape.length);
  for (std::size_t c = 0; c < head_width; ++c) {
    for (std::size_t j = 0; j < shape.length; ++j) {
      to[c * columns + j] = from[j * stride + c];
    }
    for (std::size_t j = shape.length; j < columns; ++j) {
      to[c * columns + j] = 0;
    }
  }
}

// row(j) = Σ_c x(c) · block(c, j) for the first `count` columns, rounded up to whole vectors.
BECKON_INLINE void dots(const float* __restrict x, const float* __restrict block, const AttentionShape& shape, std::size_t count,
                        float* __restrict row) {
  const std::size_t head_width = shape.width / shape.heads;
  const std::size_t columns = padded(shape.length);
  for (std::size_t j = 0; j < count; j += inner::kLanes) {
    float lane[inner::kLanes] = {};
    for (std::size_t c = 0; c < head_width; ++c) {
      for (std::size_t l = 0; l < inner::kLanes; ++l) {
        lane[l] += x[c] * block[c * columns + j + l];
      }
    }
    for (std::size_t l = 0; l < inner::kLanes; ++l) {
      row[j + l] = lane[l];
    }
  }
}

// The logits of query i: scaled dot products plus the biases, hidden behind the query up to a whole vector.
BECKON_INLINE void add_biases(const AttentionForward& io, std::size_t head, std::size_t i, float* __restrict row) {
  const AttentionShape& shape = io.shape;
  const std::size_t seen = i + 1;
  const float scale = 1.0F / std::sqrt(static_cast<float>(shape.width / shape.heads));
  for (std::size_t j = 0; j < seen; ++j) {
    row[j] *= scale;
  }
  if (shape.bias_stride > 0) {
    const float* by_distance = io.bias.data() + head * shape.bias_stride + i;
    for (std::size_t j = 0; j < seen; ++j) {
      row[j] += *(by_distance - j);
    }
  }
  if (shape.bucket_count > 0) {
    const float* by_bucket = io.bucket_bias.data() + head * shape.bucket_count;
    const std::uint8_t* bucket = io.bucket.data() + i * shape.length;
    for (std::size_t j = 0; j < seen; ++j) {
      row[j] += by_bucket[bucket[j]];
    }
  }
  for (std::size_t j = seen; j < padded(seen); ++j) {
    row[j] = kHidden;
  }
}

BECKON_CLONES void forward_head(const AttentionForward& io, std::size_t head) {
  const AttentionShape shape = io.shape;
  const std::size_t head_width = shape.width / shape.heads;
  const std::size_t stride = 3 * shape.width;
  const float* q = io.qkv.data() + head * head_width;
  const float* v = q + 2 * shape.width;
  float* __restrict keys = io.scratch.data();
  float* __restrict row = keys + head_width * padded(shape.length);
  transpose(q + shape.width, stride, shape, keys);
  for (std::size_t i = io.first_query; i < shape.length; ++i) {
    const std::size_t seen = i + 1;
    const std::size_t whole = padded(seen);
    dots(q + i * stride, keys, shape, seen, row);
    add_biases(io, head, i, row);
    const float top = inner::max_inline(row, whole);
    for (std::size_t j = 0; j < whole; ++j) {
      row[j] = inner::exp_inline(row[j] - top);
    }
    const float inverse = 1.0F / inner::sum_inline(row, whole);
    float* __restrict kept = io.probabilities.data() + (head * shape.length + i) * shape.length;
    for (std::size_t j = 0; j < seen; ++j) {
      row[j] *= inverse;
      kept[j] = row[j];
    }
    for (std::size_t j = seen; j < shape.length; ++j) {
      kept[j] = 0;
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

BECKON_INLINE void add_bias_gradients(const AttentionBackward& io, std::size_t head, std::size_t i, const float* row) {
  const AttentionShape& shape = io.shape;
  if (shape.bias_stride > 0) {
    float* by_distance = io.dbias.data() + head * shape.bias_stride + i;
    for (std::size_t j = 0; j <= i; ++j) {
      *(by_distance - j) += row[j];
    }
  }
  if (shape.bucket_count > 0) {
    float* by_bucket = io.dbucket_bias.data() + head * shape.bucket_count;
    const std::uint8_t* bucket = io.bucket.data() + i * shape.length;
    for (std::size_t j = 0; j <= i; ++j) {
      by_bucket[bucket[j]] += row[j];
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
  const float scale = 1.0F / std::sqrt(static_cast<float>(head_width));
  float* __restrict values = io.scratch.data();
  float* __restrict row = values + head_width * padded(shape.length);
  transpose(k + shape.width, stride, shape, values);
  for (std::size_t i = 0; i < shape.length; ++i) {
    const float* p = io.probabilities.data() + (head * shape.length + i) * shape.length;
    const float* dout = io.dout.data() + i * shape.width + head * head_width;
    const std::size_t seen = i + 1;
    dots(dout, values, shape, seen, row);
    const float mean = inner::dot_inline(p, row, seen);
    for (std::size_t j = 0; j < seen; ++j) {
      row[j] = p[j] * (row[j] - mean);
    }
    add_bias_gradients(io, head, i, row);
    for (std::size_t j = 0; j < seen; ++j) {
      const float by = row[j] * scale;
      inner::axpy_inline(by, k + j * stride, dq + i * stride, head_width);
      inner::axpy_inline(by, q + i * stride, dk + j * stride, head_width);
      inner::axpy_inline(p[j], dout, dv + j * stride, head_width);
    }
  }
}

void check_shape(const AttentionShape& shape, std::size_t qkv, std::size_t probabilities, std::size_t scratch) {
  BECKON_CHECK(shape.heads > 0 && shape.width % shape.heads == 0 && (shape.bias_stride == 0 || shape.bias_stride >= shape.length));
  BECKON_CHECK(qkv == shape.length * 3 * shape.width);
  BECKON_CHECK(probabilities == shape.heads * shape.length * shape.length);
  BECKON_CHECK(scratch >= attention_scratch_size(shape));
}

void check_buckets(const AttentionShape& shape, std::size_t bucket, std::size_t bias) {
  BECKON_CHECK(shape.bucket_count == 0 || (bucket == shape.length * shape.length && bias >= shape.heads * shape.bucket_count));
}

}  // namespace

std::size_t attention_scratch_size(const AttentionShape& shape) {
  return (shape.width / shape.heads + 1) * padded(shape.length);
}

void attention_forward(const AttentionForward& io) {
  check_shape(io.shape, io.qkv.size(), io.probabilities.size(), io.scratch.size());
  BECKON_CHECK(io.out.size() == io.shape.length * io.shape.width);
  BECKON_CHECK(io.bias.size() >= io.shape.heads * io.shape.bias_stride);
  check_buckets(io.shape, io.bucket.size(), io.bucket_bias.size());
  for (std::size_t head = 0; head < io.shape.heads; ++head) {
    forward_head(io, head);
  }
}

void attention_backward(const AttentionBackward& io) {
  check_shape(io.shape, io.qkv.size(), io.probabilities.size(), io.scratch.size());
  BECKON_CHECK(io.dout.size() == io.shape.length * io.shape.width && io.dqkv.size() == io.qkv.size());
  BECKON_CHECK(io.dbias.size() >= io.shape.heads * io.shape.bias_stride);
  check_buckets(io.shape, io.bucket.size(), io.dbucket_bias.size());
  for (float& value : io.dqkv) {
    value = 0;
  }
  for (std::size_t head = 0; head < io.shape.heads; ++head) {
    backward_head(io, head);
  }
}

}  // namespace beckon::tensor
