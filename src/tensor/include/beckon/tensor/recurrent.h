#pragma once
// One time step of a recurrent cell, forward and backward, after the matrix products. Rows are the sequences that are still
// going on; all matrices are contiguous. Each has a scalar twin of the same name in reference.h.

#include <cstddef>
#include <span>

namespace beckon::tensor {

/// `gates` holds input·W + b on entry and the activations on return, G blocks of `width` columns a row:
///   rnn   G = 1: h = tanh(a)                                                        (Elman 1990)
///   gru   G = 3: reset r, update z, candidate n = tanh(a_n + r·u_n); h = (1-z)·n + z·h_before   (Cho et al. 2014)
///   lstm  G = 4: input i, forget f, cell g, output o; c = f·c_before + i·g; h = o·tanh(c)       (Hochreiter, Schmidhuber 1997)
/// The product h_before·U is already in `gates` for rnn and lstm; the gru has it in `recurrent`, since r multiplies its candidate.
struct CellForward {
  std::size_t width = 0;
  std::span<float> gates;                ///< rows × G·width
  std::span<const float> recurrent;      ///< gru: rows × 3·width, h_before·U + c
  std::span<const float> hidden_before;  ///< gru: rows × width
  std::span<const float> state_before;   ///< lstm: rows × width
  std::span<float> hidden;               ///< rows × width
  std::span<float> state;                ///< lstm: rows × width
};
void rnn_forward(const CellForward& io);
void gru_forward(const CellForward& io);
void lstm_forward(const CellForward& io);

struct CellBackward {
  std::size_t width = 0;
  std::span<const float> gates;  ///< activations, as the forward pass left them
  std::span<const float> recurrent;
  std::span<const float> hidden_before;
  std::span<const float> state_before;
  std::span<const float> state;
  std::span<const float> dhidden;    ///< rows × width: the whole gradient of h
  std::span<float> dgates;           ///< rows × G·width: of the pre-activations
  std::span<float> drecurrent;       ///< gru: of `recurrent`; the other cells: dgates is that too
  std::span<float> dstate;           ///< lstm: rows × width, on entry what later steps want of c, on return of c_before
  std::span<float> dhidden_before;   ///< rows × width: the part that does not go through U (0 but for the gru)
};
void rnn_backward(const CellBackward& io);
void gru_backward(const CellBackward& io);
void lstm_backward(const CellBackward& io);

}  // namespace beckon::tensor
