#pragma once
// Scalar twins of the kernels: one obvious loop each, sums in double. Same shapes and meaning as in kernels.h and matrix.h.

#include "beckon/tensor/codes.h"
#include "beckon/tensor/kernels.h"
#include "beckon/tensor/matrix.h"
#include "beckon/tensor/packed.h"
#include "beckon/tensor/recurrent.h"

namespace beckon::tensor::reference {

void gemm(const MatrixView& a, const MatrixView& b, const MutableMatrix& c, Into into = Into::kOverwrite);
/// 1 / (1 - rate) or 0.
float dropout_factor(const Dropout& dropout, std::uint32_t element);
void apply_dropout(const Dropout& dropout, std::span<float> x);
void layer_norm_forward(const LayerNormForward& io);
void layer_norm_backward(const LayerNormBackward& io);
void swiglu_forward(std::span<const float> up, std::size_t width, const Dropout& dropout, std::span<float> y);
void swiglu_backward(const SwigluBackward& io);
void relu_forward(std::span<const float> up, const Dropout& dropout, std::span<float> y);
void relu_backward(std::span<const float> up, const Dropout& dropout, std::span<const float> dy, std::span<float> dup);
void gated_residual_forward(const GatedResidualForward& io);
void gated_residual_backward(const GatedResidualBackward& io);
void gather_add(const RowTable& rows, std::span<const float> table, std::span<float> out);
void scatter_add(const RowTable& rows, std::span<const float> x, std::span<float> table);
void softmax_tile(const SoftmaxTile& tile, std::span<float> row_max, std::span<float> row_sum);
/// What stands at a place of the matrix that was packed.
double number_of(const PackedLeft& a, std::size_t row, std::size_t inner);
double number_of(const PackedRight& b, std::size_t inner, std::size_t column);
void gemm(const PackedLeft& a, const PackedRight& b, const MutableMatrix& c, const PackedMode& mode = {});
void packed_softmax_tile(const PackedSoftmaxTile& tile, std::span<float> top, std::span<float> row_sum);
void add_interleaved_column_sums(std::span<const std::uint16_t> x, std::span<const float> weight, std::span<float> sums);
void attention_forward(const AttentionForward& io);
void attention_backward(const AttentionBackward& io);
void rnn_forward(const CellForward& io);
void rnn_backward(const CellBackward& io);
void gru_forward(const CellForward& io);
void gru_backward(const CellBackward& io);
void lstm_forward(const CellForward& io);
void lstm_backward(const CellBackward& io);
void code_scores(const CodeTile& tile, const CodeQuery& query, std::span<float> out);
/// The AVX2 version, so that a wider machine can test it; false: this machine has none.
bool code_scores_avx2(const CodeTile& tile, const CodeQuery& query, std::span<float> out);
void adam(const AdamStep& step, const AdamState& state);

}  // namespace beckon::tensor::reference
