// A recurrent model would learn from wrong gradients if one step of a cell differed from its scalar twin.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "beckon/base/rng.h"
#include "beckon/tensor/reference.h"
#include "beckon/tensor/tensor.h"

namespace beckon::tensor {
namespace {

std::vector<float> noise(std::size_t count, std::uint64_t seed, double deviation = 1) {
  base::Rng rng(seed);
  std::vector<float> out(count);
  for (float& value : out) {
    value = static_cast<float>(deviation * rng.normal());
  }
  return out;
}

struct Cell {
  const char* name;
  std::size_t gates;
  void (*forward)(const CellForward&);
  void (*backward)(const CellBackward&);
  void (*forward_twin)(const CellForward&);
  void (*backward_twin)(const CellBackward&);
};
const Cell kCells[] = {
    {"rnn", 1, rnn_forward, rnn_backward, reference::rnn_forward, reference::rnn_backward},
    {"gru", 3, gru_forward, gru_backward, reference::gru_forward, reference::gru_backward},
    {"lstm", 4, lstm_forward, lstm_backward, reference::lstm_forward, reference::lstm_backward},
};

std::vector<std::vector<float>> run(const Cell& cell, std::size_t width, bool twin) {
  constexpr std::size_t kRows = 3;
  const std::size_t narrow = kRows * width;
  auto gates = noise(narrow * cell.gates, 1, 2);
  const auto recurrent = noise(narrow * cell.gates, 2);
  const auto hidden_before = noise(narrow, 3);
  const auto state_before = noise(narrow, 4);
  std::vector<float> hidden(narrow, 9);
  std::vector<float> state(narrow, 9);
  (twin ? cell.forward_twin : cell.forward)({width, gates, recurrent, hidden_before, state_before, hidden, state});
  const auto dhidden = noise(narrow, 5);
  std::vector<float> dgates(gates.size(), 9);
  std::vector<float> drecurrent(gates.size(), 9);
  auto dstate = noise(narrow, 6);
  std::vector<float> dbefore(narrow, 9);
  (twin ? cell.backward_twin : cell.backward)({width, gates, recurrent, hidden_before, state_before, state, dhidden, dgates,
                                               drecurrent, dstate, dbefore});
  return {gates, hidden, state, dgates, drecurrent, dstate, dbefore};
}

TEST(Recurrent, EachStepAgreesWithItsTwinForwardAndBackward) {
  for (const Cell& cell : kCells) {
    for (const std::size_t width : {1U, 7U, 16U, 33U}) {
      const auto got = run(cell, width, false);
      const auto expected = run(cell, width, true);
      for (std::size_t v = 0; v < got.size(); ++v) {
        for (std::size_t i = 0; i < got[v].size(); ++i) {
          ASSERT_NEAR(got[v][i], expected[v][i], 2e-6) << cell.name << " width " << width << " result " << v << " at " << i;
        }
      }
    }
  }
}

}  // namespace
}  // namespace beckon::tensor
