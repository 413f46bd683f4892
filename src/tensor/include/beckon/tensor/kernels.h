#pragma once
// Fused kernels. Each has a scalar twin of the same name in reference.h. Spans marked += are added to, others overwritten.

#include <cstddef>
#include <cstdint>
#include <span>

namespace beckon::tensor {

/// e^x with relative error below 3e-7 for -87 <= x <= 88; smaller x give e^-87 (about 1.6e-38), larger ones e^88.
float fast_exp(float x);

// ---- Dropout ----

/// Element i is kept when hash(key, first + i) passes, and then scaled by 1 / (1 - rate). rate 0: everything is kept.
/// The hash is Chris Wellons' "lowbias32" finaliser over a counter: no state, no order.
struct Dropout {
  float rate = 0;  ///< 0 <= rate < 1
  std::uint32_t key = 0;
  std::uint32_t first = 0;  ///< index of element 0 of the span; wraps around
};
/// x *= mask. The same call is its own backward pass.
void apply_dropout(const Dropout& dropout, std::span<float> x);

// ---- Layer norm (Ba, Kiros and Hinton 2016), epsilon 1e-5 ----

struct LayerNormForward {
  std::span<const float> x;     ///< rows × width
  std::span<const float> gain;  ///< width
  std::span<const float> shift;
  std::span<float> y;     ///< rows × width
  std::span<float> mean;  ///< rows, kept for the backward pass
  std::span<float> inverse_deviation;
};
void layer_norm_forward(const LayerNormForward& io);

struct LayerNormBackward {
  std::span<const float> x;
  std::span<const float> gain;
  std::span<const float> mean;
  std::span<const float> inverse_deviation;
  std::span<const float> dy;
  std::span<float> dx;      ///< +=
  std::span<float> dgain;   ///< +=
  std::span<float> dshift;  ///< +=
};
void layer_norm_backward(const LayerNormBackward& io);

// ---- SwiGLU (Shazeer 2020): y = silu(u_left) · u_right, then dropout ----

/// up: rows × 2·width, left half gate, right half value; y: rows × width.
void swiglu_forward(std::span<const float> up, std::size_t width, const Dropout& dropout, std::span<float> y);
struct SwigluBackward {
  std::span<const float> up;
  std::size_t width = 0;
  Dropout dropout;
  std::span<const float> dy;
  std::span<float> dup;  ///< rows × 2·width
};
void swiglu_backward(const SwigluBackward& io);

// ---- ReLU, then dropout ----

void relu_forward(std::span<const float> up, const Dropout& dropout, std::span<float> y);
/// dup = dy where the forward pass let something through, else 0; the mask of the dropout is made again.
void relu_backward(std::span<const float> up, const Dropout& dropout, std::span<const float> dy, std::span<float> dup);

// ---- Gated residual (LiGR: Borisyuk et al. 2025): y = x + sigmoid(gate) · dropout(branch) ----

struct GatedResidualForward {
  std::span<const float> x;
  std::span<const float> branch;
  std::span<float> gate;  ///< in: pre-activation, out: sigmoid of it
  Dropout dropout;
  std::span<float> y;
};
void gated_residual_forward(const GatedResidualForward& io);
struct GatedResidualBackward {
  std::span<const float> branch;
  std::span<const float> gate;  ///< sigmoid, as the forward pass left it
  Dropout dropout;
  std::span<const float> dy;  ///< also the gradient of x: not copied here
  std::span<float> dbranch;
  std::span<float> dgate;  ///< gradient of the pre-activation
};
void gated_residual_backward(const GatedResidualBackward& io);

// ---- Rows ----

/// x(r, ·) += bias(·) for every row.
void add_bias(std::span<const float> bias, std::span<float> x);
/// sums(·) += column sums of x.
void add_column_sums(std::span<const float> x, std::span<float> sums);
/// y += scale · x
void add_scaled(std::span<const float> x, float scale, std::span<float> y);
float dot(std::span<const float> a, std::span<const float> b);
double sum_of_squares(std::span<const float> x);
/// out(r, ·) += scale · table(index[r], ·). Indices must lie in the table.
struct RowTable {
  std::span<const std::int32_t> index;
  std::size_t index_stride = 1;  ///< index of row r is index[r · stride]
  std::size_t width = 0;
  float scale = 1;
};
void gather_add(const RowTable& rows, std::span<const float> table, std::span<float> out);
/// table(index[r], ·) += scale · x(r, ·), in the order of r.
void scatter_add(const RowTable& rows, std::span<const float> x, std::span<float> table);

// ---- Softmax in tiles ----

/// One tile of logits: rows × columns, contiguous.
struct SoftmaxTile {
  std::span<float> logits;
  std::size_t columns = 0;
  std::span<const float> bias;  ///< columns; added to every row first
};
/// In place e^(logit + bias - max of the row); `row_max` and `row_sum` have one entry a row.
void softmax_tile(const SoftmaxTile& tile, std::span<float> row_max, std::span<float> row_sum);
/// sums(c) += Σ_r weight[r] · x(r, c)
void add_weighted_column_sums(std::span<const float> x, std::span<const float> weight, std::span<float> sums);
/// y(r, ·) += factor[r] · x(r, ·)
void add_scaled_rows(std::span<const float> factor, std::span<const float> x, std::span<float> y);
/// Row r *= factor[r].
void scale_rows(std::span<const float> factor, std::span<float> x);
/// Number of entries of `x` that are >= threshold.
std::size_t count_at_least(std::span<const float> x, float threshold);

// ---- Causal attention of one sequence ----

/// qkv: length × 3·width, columns q | k | v, each split into `heads` blocks. Position i sees j <= i. Logit of (i, j):
/// q_i·k_j / sqrt(width / heads) + bias(head, i - j) + bucket_bias(head, bucket(i, j)).
struct AttentionShape {
  std::size_t length = 0;
  std::size_t width = 0;
  std::size_t heads = 1;
  std::size_t bias_stride = 0;   ///< >= length; 0: no bias by distance, and `bias` is empty
  std::size_t bucket_count = 0;  ///< 0: no bias by bucket, and `bucket` and `bucket_bias` are empty
};
/// Positions before `first_query` get no probabilities and no output; their entries are left as they are.
struct AttentionForward {
  AttentionShape shape;
  std::span<const float> qkv;
  std::span<const float> bias;     ///< heads × bias_stride
  std::span<float> probabilities;  ///< heads × length × length, entries with j > i are 0
  std::span<float> out;            ///< length × width
  std::span<float> scratch;        ///< >= attention_scratch_size
  std::size_t first_query = 0;
  std::span<const std::uint8_t> bucket;  ///< length × length, each < bucket_count where j <= i
  std::span<const float> bucket_bias;    ///< heads × bucket_count
};
struct AttentionBackward {
  AttentionShape shape;
  std::span<const float> qkv;
  std::span<const float> probabilities;
  std::span<const float> dout;  ///< length × width
  std::span<float> dqkv;        ///< length × 3·width
  std::span<float> dbias;       ///< +=
  std::span<float> scratch;
  std::span<const std::uint8_t> bucket;
  std::span<float> dbucket_bias;  ///< +=
};
std::size_t attention_scratch_size(const AttentionShape& shape);
void attention_forward(const AttentionForward& io);
void attention_backward(const AttentionBackward& io);

// ---- Adam (Kingma and Ba 2015) ----

struct AdamStep {
  float learning_rate = 1e-3F;
  float beta1 = .9F;
  float beta2 = .98F;
  float epsilon = 1e-8F;
  float correction1 = 1;  ///< 1 - beta1^t
  float correction2 = 1;  ///< 1 - beta2^t
  float gradient_scale = 1;
};
struct AdamState {
  std::span<float> weight;
  std::span<const float> gradient;
  std::span<float> first;   ///< mean of gradients
  std::span<float> second;  ///< mean of squared gradients
};
void adam(const AdamStep& step, const AdamState& state);

}  // namespace beckon::tensor
