#include <cmath>

#include "beckon/base/check.h"
#include "beckon/tensor/kernels.h"
#include "clones.h"

namespace beckon::tensor {
namespace {

struct Pointers {
  float* __restrict weight;
  const float* __restrict gradient;
  float* __restrict first;
  float* __restrict second;
};

BECKON_CLONES void adam_loop(const AdamStep& step, const Pointers& p, std::size_t count) {
  float* __restrict weight = p.weight;
  const float* __restrict gradient = p.gradient;
  float* __restrict first = p.first;
  float* __restrict second = p.second;
  const float beta1 = step.beta1;
  const float beta2 = step.beta2;
  const float scale = step.gradient_scale;
  const float rate = step.learning_rate / step.correction1;
  const float second_scale = 1.0F / step.correction2;
  const float epsilon = step.epsilon;
  for (std::size_t i = 0; i < count; ++i) {
    const float g = gradient[i] * scale;
    const float m = beta1 * first[i] + (1.0F - beta1) * g;
    const float v = beta2 * second[i] + (1.0F - beta2) * g * g;
    first[i] = m;
    second[i] = v;
    weight[i] -= rate * m / (std::sqrt(v * second_scale) + epsilon);
  }
}

}  // namespace

void adam(const AdamStep& step, const AdamState& state) {
  const std::size_t count = state.weight.size();
  BECKON_CHECK(state.gradient.size() == count && state.first.size() == count && state.second.size() == count);
  adam_loop(step, {state.weight.data(), state.gradient.data(), state.first.data(), state.second.data()}, count);
}

}  // namespace beckon::tensor
