#include "beckon/tensor/recurrent.h"

#include "beckon/base/check.h"
#include "fast_math.h"

namespace beckon::tensor {
namespace {

// Written out of the pointers of one row, so that the compiler knows that nothing overlaps.
BECKON_CLONES void rnn_loop(float* __restrict gates, float* __restrict hidden, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const float h = inner::tanh_inline(gates[i]);
    gates[i] = h;
    hidden[i] = h;
  }
}

BECKON_CLONES void rnn_backward_loop(const float* __restrict gates, const float* __restrict dhidden, float* __restrict dgates,
                                     std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    dgates[i] = dhidden[i] * (1.0F - gates[i] * gates[i]);
  }
}

BECKON_CLONES void gru_loop(const CellForward& io, std::size_t rows) {
  const std::size_t width = io.width;
  for (std::size_t row = 0; row < rows; ++row) {
    float* __restrict r = io.gates.data() + row * 3 * width;
    float* __restrict z = r + width;
    float* __restrict n = z + width;
    const float* __restrict u = io.recurrent.data() + row * 3 * width;
    const float* __restrict before = io.hidden_before.data() + row * width;
    float* __restrict hidden = io.hidden.data() + row * width;
    for (std::size_t i = 0; i < width; ++i) {
      r[i] = inner::sigmoid_inline(r[i] + u[i]);
      z[i] = inner::sigmoid_inline(z[i] + u[width + i]);
      n[i] = inner::tanh_inline(n[i] + r[i] * u[2 * width + i]);
      hidden[i] = n[i] + z[i] * (before[i] - n[i]);
    }
  }
}

BECKON_CLONES void gru_backward_loop(const CellBackward& io, std::size_t rows) {
  const std::size_t width = io.width;
  for (std::size_t row = 0; row < rows; ++row) {
    const float* __restrict r = io.gates.data() + row * 3 * width;
    const float* __restrict z = r + width;
    const float* __restrict n = z + width;
    const float* __restrict u = io.recurrent.data() + row * 3 * width + 2 * width;
    const float* __restrict before = io.hidden_before.data() + row * width;
    const float* __restrict dh = io.dhidden.data() + row * width;
    float* __restrict dgates = io.dgates.data() + row * 3 * width;
    float* __restrict drecurrent = io.drecurrent.data() + row * 3 * width;
    float* __restrict dbefore = io.dhidden_before.data() + row * width;
    for (std::size_t i = 0; i < width; ++i) {
      const float dn = dh[i] * (1.0F - z[i]) * (1.0F - n[i] * n[i]);
      const float dz = dh[i] * (before[i] - n[i]) * z[i] * (1.0F - z[i]);
      const float dr = dn * u[i] * r[i] * (1.0F - r[i]);
      dgates[i] = dr;
      dgates[width + i] = dz;
      dgates[2 * width + i] = dn;
      drecurrent[i] = dr;
      drecurrent[width + i] = dz;
      drecurrent[2 * width + i] = dn * r[i];
      dbefore[i] = dh[i] * z[i];
    }
  }
}

BECKON_CLONES void lstm_loop(const CellForward& io, std::size_t rows) {
  const std::size_t width = io.width;
  for (std::size_t row = 0; row < rows; ++row) {
    float* __restrict in = io.gates.data() + row * 4 * width;
    float* __restrict forget = in + width;
    float* __restrict cell = forget + width;
    float* __restrict out = cell + width;
    const float* __restrict before = io.state_before.data() + row * width;
    float* __restrict state = io.state.data() + row * width;
    float* __restrict hidden = io.hidden.data() + row * width;
    for (std::size_t i = 0; i < width; ++i) {
      in[i] = inner::sigmoid_inline(in[i]);
      forget[i] = inner::sigmoid_inline(forget[i]);
      cell[i] = inner::tanh_inline(cell[i]);
      out[i] = inner::sigmoid_inline(out[i]);
      state[i] = forget[i] * before[i] + in[i] * cell[i];
      hidden[i] = out[i] * inner::tanh_inline(state[i]);
    }
  }
}

BECKON_CLONES void lstm_backward_loop(const CellBackward& io, std::size_t rows) {
  const std::size_t width = io.width;
  for (std::size_t row = 0; row < rows; ++row) {
    const float* __restrict in = io.gates.data() + row * 4 * width;
    const float* __restrict forget = in + width;
    const float* __restrict cell = forget + width;
    const float* __restrict out = cell + width;
    const float* __restrict before = io.state_before.data() + row * width;
    const float* __restrict state = io.state.data() + row * width;
    const float* __restrict dh = io.dhidden.data() + row * width;
    float* __restrict dgates = io.dgates.data() + row * 4 * width;
    float* __restrict dstate = io.dstate.data() + row * width;
    for (std::size_t i = 0; i < width; ++i) {
      const float t = inner::tanh_inline(state[i]);
      const float dc = dstate[i] + dh[i] * out[i] * (1.0F - t * t);
      dgates[i] = dc * cell[i] * in[i] * (1.0F - in[i]);
      dgates[width + i] = dc * before[i] * forget[i] * (1.0F - forget[i]);
      dgates[2 * width + i] = dc * in[i] * (1.0F - cell[i] * cell[i]);
      dgates[3 * width + i] = dh[i] * t * out[i] * (1.0F - out[i]);
      dstate[i] = dc * forget[i];
    }
  }
}

std::size_t checked_rows(std::size_t width, std::size_t hidden, std::size_t gates, std::size_t blocks) {
  BECKON_CHECK(width > 0 && hidden % width == 0 && gates == blocks * hidden);
  return hidden / width;
}

void zero(std::span<float> x) {
  for (float& value : x) {
    value = 0;
  }
}

}  // namespace

void rnn_forward(const CellForward& io) {
  checked_rows(io.width, io.hidden.size(), io.gates.size(), 1);
  rnn_loop(io.gates.data(), io.hidden.data(), io.hidden.size());
}

void rnn_backward(const CellBackward& io) {
  checked_rows(io.width, io.dhidden.size(), io.dgates.size(), 1);
  BECKON_CHECK(io.gates.size() == io.dgates.size() && io.dhidden_before.size() == io.dhidden.size());
  rnn_backward_loop(io.gates.data(), io.dhidden.data(), io.dgates.data(), io.dgates.size());
  zero(io.dhidden_before);
}

void gru_forward(const CellForward& io) {
  const std::size_t rows = checked_rows(io.width, io.hidden.size(), io.gates.size(), 3);
  BECKON_CHECK(io.recurrent.size() == io.gates.size() && io.hidden_before.size() == io.hidden.size());
  gru_loop(io, rows);
}

void gru_backward(const CellBackward& io) {
  const std::size_t rows = checked_rows(io.width, io.dhidden.size(), io.dgates.size(), 3);
  BECKON_CHECK(io.gates.size() == io.dgates.size() && io.drecurrent.size() == io.dgates.size());
  BECKON_CHECK(io.recurrent.size() == io.gates.size() && io.hidden_before.size() == io.dhidden.size());
  BECKON_CHECK(io.dhidden_before.size() == io.dhidden.size());
  gru_backward_loop(io, rows);
}

void lstm_forward(const CellForward& io) {
  const std::size_t rows = checked_rows(io.width, io.hidden.size(), io.gates.size(), 4);
  BECKON_CHECK(io.state.size() == io.hidden.size() && io.state_before.size() == io.hidden.size());
  lstm_loop(io, rows);
}

void lstm_backward(const CellBackward& io) {
  const std::size_t rows = checked_rows(io.width, io.dhidden.size(), io.dgates.size(), 4);
  BECKON_CHECK(io.gates.size() == io.dgates.size() && io.dhidden_before.size() == io.dhidden.size());
  BECKON_CHECK(io.state.size() == io.dhidden.size() && io.state_before.size() == io.dhidden.size());
  BECKON_CHECK(io.dstate.size() == io.dhidden.size());
  lstm_backward_loop(io, rows);
  zero(io.dhidden_before);
}

}  // namespace beckon::tensor
