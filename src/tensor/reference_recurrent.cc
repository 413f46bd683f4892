#include <cmath>

#include "beckon/tensor/reference.h"

namespace beckon::tensor::reference {
namespace {

double real(float x) {
  return static_cast<double>(x);
}
float to_float(double x) {
  return static_cast<float>(x);
}
double sigmoid(double x) {
  return 1.0 / (1.0 + std::exp(-x));
}
// Entry i of a rows × width matrix belongs to this entry of block `block` of a rows × blocks·width matrix.
std::size_t in_block(std::size_t i, std::size_t width, std::size_t block, std::size_t blocks) {
  return (i / width * blocks + block) * width + i % width;
}

}  // namespace

void rnn_forward(const CellForward& io) {
  for (std::size_t i = 0; i < io.hidden.size(); ++i) {
    io.gates[i] = io.hidden[i] = to_float(std::tanh(real(io.gates[i])));
  }
}

void rnn_backward(const CellBackward& io) {
  for (std::size_t i = 0; i < io.dhidden.size(); ++i) {
    io.dgates[i] = to_float(real(io.dhidden[i]) * (1 - real(io.gates[i]) * real(io.gates[i])));
    io.dhidden_before[i] = 0;
  }
}

void gru_forward(const CellForward& io) {
  for (std::size_t i = 0; i < io.hidden.size(); ++i) {
    const auto at = [&](std::size_t block) { return in_block(i, io.width, block, 3); };
    const double r = sigmoid(real(io.gates[at(0)]) + real(io.recurrent[at(0)]));
    const double z = sigmoid(real(io.gates[at(1)]) + real(io.recurrent[at(1)]));
    const double n = std::tanh(real(io.gates[at(2)]) + r * real(io.recurrent[at(2)]));
    io.gates[at(0)] = to_float(r);
    io.gates[at(1)] = to_float(z);
    io.gates[at(2)] = to_float(n);
    io.hidden[i] = to_float((1 - z) * n + z * real(io.hidden_before[i]));
  }
}

void gru_backward(const CellBackward& io) {
  for (std::size_t i = 0; i < io.dhidden.size(); ++i) {
    const auto at = [&](std::size_t block) { return in_block(i, io.width, block, 3); };
    const double r = real(io.gates[at(0)]);
    const double z = real(io.gates[at(1)]);
    const double n = real(io.gates[at(2)]);
    const double dh = real(io.dhidden[i]);
    const double dn = dh * (1 - z) * (1 - n * n);
    const double dz = dh * (real(io.hidden_before[i]) - n) * z * (1 - z);
    const double dr = dn * real(io.recurrent[at(2)]) * r * (1 - r);
    io.dgates[at(0)] = io.drecurrent[at(0)] = to_float(dr);
    io.dgates[at(1)] = io.drecurrent[at(1)] = to_float(dz);
    io.dgates[at(2)] = to_float(dn);
    io.drecurrent[at(2)] = to_float(dn * r);
    io.dhidden_before[i] = to_float(dh * z);
  }
}

void lstm_forward(const CellForward& io) {
  for (std::size_t i = 0; i < io.hidden.size(); ++i) {
    const auto at = [&](std::size_t block) { return in_block(i, io.width, block, 4); };
    const double in = sigmoid(real(io.gates[at(0)]));
    const double forget = sigmoid(real(io.gates[at(1)]));
    const double cell = std::tanh(real(io.gates[at(2)]));
    const double out = sigmoid(real(io.gates[at(3)]));
    const double state = forget * real(io.state_before[i]) + in * cell;
    io.gates[at(0)] = to_float(in);
    io.gates[at(1)] = to_float(forget);
    io.gates[at(2)] = to_float(cell);
    io.gates[at(3)] = to_float(out);
    io.state[i] = to_float(state);
    io.hidden[i] = to_float(out * std::tanh(state));
  }
}

void lstm_backward(const CellBackward& io) {
  for (std::size_t i = 0; i < io.dhidden.size(); ++i) {
    const auto at = [&](std::size_t block) { return in_block(i, io.width, block, 4); };
    const double in = real(io.gates[at(0)]);
    const double forget = real(io.gates[at(1)]);
    const double cell = real(io.gates[at(2)]);
    const double out = real(io.gates[at(3)]);
    const double dh = real(io.dhidden[i]);
    const double t = std::tanh(real(io.state[i]));
    const double dc = real(io.dstate[i]) + dh * out * (1 - t * t);
    io.dgates[at(0)] = to_float(dc * cell * in * (1 - in));
    io.dgates[at(1)] = to_float(dc * real(io.state_before[i]) * forget * (1 - forget));
    io.dgates[at(2)] = to_float(dc * in * (1 - cell * cell));
    io.dgates[at(3)] = to_float(dh * t * out * (1 - out));
    io.dstate[i] = to_float(dc * forget);
    io.dhidden_before[i] = 0;
  }
}

}  // namespace beckon::tensor::reference
