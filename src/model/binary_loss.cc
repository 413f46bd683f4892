#include "binary_loss.h"

#include <algorithm>
#include <cmath>

namespace beckon::model::inner {
namespace {

// log(1 + e^z) without overflow.
float softplus(float z) {
  return std::max(z, 0.0F) + std::log1p(std::exp(-std::abs(z)));
}

// One row of the batch against one token at a time.
struct Row {
  std::span<const float> table;
  std::span<const float> bias;
  std::span<float> dtable;
  std::span<float> dbias;
  std::span<const float> vector;
  std::span<float> dvector;

  float logit(std::int32_t token) const { return tensor::dot(vector, row_of(table, token)) + bias[at(token)]; }
  void add_gradient(std::int32_t token, float g) const {
    tensor::add_scaled(row_of(table, token), g, dvector);
    tensor::add_scaled(vector, g, row_of(dtable, token));
    dbias[at(token)] += g;
  }
  static std::size_t at(std::int32_t token) { return static_cast<std::size_t>(token); }
  template <class T>
  std::span<T> row_of(std::span<T> all, std::int32_t token) const {
    return all.subspan(at(token) * vector.size(), vector.size());
  }
};

}  // namespace

double binary_loss(const BinaryLossInput& input, std::span<float> dvectors, std::span<float> gradients) {
  const Network& net = input.network;
  const Layout& layout = *net.layout;
  const std::size_t width = net.width();
  const RowNegatives& negatives = *input.negatives;
  const float scale = input.scale / static_cast<float>(1 + negatives.per_row);
  std::ranges::fill(dvectors, 0.0F);
  double loss = 0;
  for (std::size_t r = 0; r < input.target.size(); ++r) {
    const Row row{net.at(layout.token), net.at(layout.token_bias), part_of(gradients, layout.token),
                  part_of(gradients, layout.token_bias), input.vectors.subspan(r * width, width),
                  dvectors.subspan(r * width, width)};
    const std::int32_t target = input.target[r];
    const float z = row.logit(target);
    loss += static_cast<double>(negatives.positive_power * softplus(-z));
    row.add_gradient(target, -scale * negatives.positive_power / (1 + std::exp(z)));
    const std::size_t first = (input.first_row + static_cast<std::size_t>(input.target_row[r])) * negatives.per_row;
    for (const std::int32_t token : std::span(negatives.token).subspan(first, negatives.per_row)) {
      if (token != target) {
        const float s = row.logit(token);
        loss += static_cast<double>(softplus(s));
        row.add_gradient(token, scale / (1 + std::exp(-s)));
      }
    }
  }
  return loss * static_cast<double>(scale);
}

}  // namespace beckon::model::inner
