#pragma once
// Arrays of floats: buffers, matrix products and fused kernels.
//
//   matrix.h     Buffer, MatrixView, gemm
//   kernels.h    layer norm, SwiGLU, gated residual, dropout, softmax tiles, attention, rows of tables, Adam
//   packed.h     products of bfloat16 factors that were packed for the kernel, and the softmax between two of them
//   recurrent.h  one time step of a recurrent, gated or LSTM cell
//   codes.h      scores of table rows kept as 4 or 8 bits
//   reference.h  scalar twins of the kernels, for tests and for reading
//
// All functions are pure apart from their output spans, hence thread-safe as long as outputs do not overlap. Matrices are
// row-major. Shapes are checked at entry with BECKON_CHECK: a wrong one is our own fault. Nothing here returns an error.
// Results have the same bits for the same input on the same instruction set, not across instruction sets.

#include "beckon/tensor/codes.h"
#include "beckon/tensor/kernels.h"
#include "beckon/tensor/matrix.h"
#include "beckon/tensor/packed.h"
#include "beckon/tensor/recurrent.h"
