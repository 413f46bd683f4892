#include "beckon/features/item_vectors.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "beckon/stats/symmetric.h"
#include "beckon/tensor/tensor.h"
#include "moments.h"

namespace beckon::features {
namespace {

constexpr std::size_t kWarmMin = 50;
constexpr float kStartDeviation = .02F;  // of random vectors too
constexpr double kLeftMin = .01;
constexpr double kBelievedAfter = 20;    // times met, when an item's vector counts half in the fit

// Weighted means of the columns, taken away.
std::vector<float> centre(std::span<const float> weights, std::size_t width, std::vector<float>& rows) {
  std::vector<double> sum(width, 0);
  double total = 0;
  for (std::size_t r = 0; r < weights.size(); ++r) {
    total += static_cast<double>(weights[r]);
    for (std::size_t c = 0; c < width; ++c) {
      sum[c] += static_cast<double>(weights[r]) * static_cast<double>(rows[r * width + c]);
    }
  }
  std::vector<float> mean(width);
  for (std::size_t c = 0; c < width; ++c) {
    mean[c] = static_cast<float>(sum[c] / std::max(total, 1e-12));
  }
  for (std::size_t r = 0; r < weights.size(); ++r) {
    for (std::size_t c = 0; c < width; ++c) {
      rows[r * width + c] -= mean[c];
    }
  }
  return mean;
}

// The tokens that training met: their texts, their vectors, and how much each is believed.
struct Warm {
  std::vector<float> x;  // (items, kTextWidth), centred
  std::vector<float> y;  // (items, width), centred
  std::vector<float> weight;
  std::vector<float> x_mean, y_mean;
};

Warm gather(const TextTable& table, std::span<const std::int64_t> counts, const model::Model& weights) {
  Warm warm;
  for (std::size_t t = 1; t < counts.size(); ++t) {
    if (counts[t] > 0 && table.known[t]) {
      const auto text = std::span(table.rows).subspan(t * kTextWidth, kTextWidth);
      const auto vector = weights.token_embeddings().subspan(t * weights.width(), weights.width());
      warm.x.insert(warm.x.end(), text.begin(), text.end());
      warm.y.insert(warm.y.end(), vector.begin(), vector.end());
      const auto n = static_cast<double>(counts[t]);
      warm.weight.push_back(static_cast<float>(n / (n + kBelievedAfter)));
    }
  }
  warm.x_mean = centre(warm.weight, kTextWidth, warm.x);
  warm.y_mean = centre(warm.weight, weights.width(), warm.y);
  return warm;
}

// In the axes of Σ w x xᵀ every λ costs one product.
struct Axes {
  stats::SymmetricAxes of;
  std::vector<float> rotation;   // (kTextWidth, kTextWidth)
  std::vector<float> rotated;    // (items, kTextWidth): x · rotation
  std::vector<float> against_y;  // (kTextWidth, width): rotationᵀ · Σ w x yᵀ
};

base::Result<Axes> axes_of(const Warm& warm, std::size_t width) {
  Axes out;
  const Rows x{warm.x, kTextWidth};
  BECKON_TRY(out.of, stats::symmetric_axes(weighted_products(x, x, warm.weight), kTextWidth));
  out.rotation.assign(out.of.vectors.begin(), out.of.vectors.end());
  const auto rotation = tensor::view(out.rotation, kTextWidth, kTextWidth);
  const std::size_t items = warm.weight.size();
  out.rotated.resize(warm.x.size());
  tensor::gemm(tensor::view(warm.x, items, kTextWidth), rotation, tensor::mutable_view(out.rotated, items, kTextWidth));
  const auto products = weighted_products(x, {warm.y, width}, warm.weight);
  const std::vector<float> xy(products.begin(), products.end());
  out.against_y.resize(kTextWidth * width);
  tensor::gemm(rotation.t(), tensor::view(xy, kTextWidth, width), tensor::mutable_view(out.against_y, kTextWidth, width));
  return out;
}

// against_y / (eigenvalue + λ): the map in the axes.
std::vector<float> map_at(const Axes& axes, double lambda, std::size_t width) {
  std::vector<float> out(axes.against_y);
  for (std::size_t j = 0; j < kTextWidth; ++j) {
    const auto scale = static_cast<float>(1 / (std::max(axes.of.values[j], 0.0) + lambda));
    for (std::size_t c = 0; c < width; ++c) {
      out[j * width + c] *= scale;
    }
  }
  return out;
}

// Share of the vectors' variance that the map finds for items which it was fitted without: residual / (1 - leverage). Where an item
// decides nearly alone what is said of it the quotient is rounding: such a λ is out of the question.
double explained_at(const Warm& warm, const Axes& axes, double lambda, std::size_t width) {
  const std::size_t items = warm.weight.size();
  std::vector<float> predicted(warm.y.size());
  tensor::gemm(tensor::view(axes.rotated, items, kTextWidth), tensor::view(map_at(axes, lambda, width), kTextWidth, width),
               tensor::mutable_view(predicted, items, width));
  const double all = std::accumulate(warm.weight.begin(), warm.weight.end(), 0.0);
  double error = 0;
  double total = 0;
  for (std::size_t r = 0; r < items; ++r) {
    double leverage = 1 / all;  // the mean was fitted too: without it the others would give the item away, for all of them sum to 0
    for (std::size_t j = 0; j < kTextWidth; ++j) {
      const auto p = static_cast<double>(axes.rotated[r * kTextWidth + j]);
      leverage += p * p / (std::max(axes.of.values[j], 0.0) + lambda);
    }
    const auto weight = static_cast<double>(warm.weight[r]);
    const double left = 1 - weight * leverage;
    if (left < kLeftMin) {
      return -1;
    }
    for (std::size_t c = 0; c < width; ++c) {
      const auto y = static_cast<double>(warm.y[r * width + c]);
      const double residual = (y - static_cast<double>(predicted[r * width + c])) / left;
      error += weight * residual * residual;
      total += weight * y * y;
    }
  }
  return total > 0 ? 1 - error / total : 0;
}

// Mean bias of the tenth of the tokens that were met least often.
float rare_bias(std::span<const std::int64_t> counts, const model::Model& weights) {
  std::vector<std::size_t> met;
  for (std::size_t t = 1; t < counts.size(); ++t) {
    if (counts[t] > 0) {
      met.push_back(t);
    }
  }
  std::ranges::sort(met, [&](std::size_t a, std::size_t b) { return counts[a] != counts[b] ? counts[a] < counts[b] : a < b; });
  met.resize((met.size() + 9) / 10);
  double sum = 0;
  for (const std::size_t t : met) {
    sum += static_cast<double>(weights.token_bias()[t]);
  }
  return met.empty() ? 0.0F : static_cast<float>(sum / static_cast<double>(met.size()));
}

// (tokens, width): what the map says of every token with a text.
std::vector<float> predictions(const TextTable& table, const Warm& warm, std::span<const float> map, std::size_t tokens) {
  const std::size_t width = warm.y_mean.size();
  std::vector<float> x(table.rows.begin(), table.rows.begin() + static_cast<std::ptrdiff_t>(tokens * kTextWidth));
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] -= warm.x_mean[i % kTextWidth];
  }
  std::vector<float> out(tokens * width);
  tensor::gemm(tensor::view(x, tokens, kTextWidth), tensor::view(map, kTextWidth, width), tensor::mutable_view(out, tokens, width));
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] += warm.y_mean[i % width];
  }
  return out;
}

void blend(const TextTable& table, std::span<const float> predicted, std::span<const std::int64_t> counts, model::Model& weights, double own_weight) {
  const std::size_t width = weights.width();
  const float bias = rare_bias(counts, weights);
  for (std::size_t t = 1; t < counts.size(); ++t) {
    if (!table.known[t]) {
      continue;
    }
    const auto n = static_cast<double>(counts[t]);
    const auto own = static_cast<float>(n > 0 ? n / (n + own_weight) : 0.0);
    std::vector<float> vector(width);
    for (std::size_t c = 0; c < width; ++c) {
      vector[c] = own * weights.token_embeddings()[t * width + c] + (1 - own) * predicted[t * width + c];
    }
    weights.set_token(static_cast<std::int32_t>(t), vector, counts[t] > 0 ? weights.token_bias()[t] : bias);
  }
}

// Tokens that were never met and of which nothing is known: no direction, and behind all others.
void hide_unknown(std::span<const std::int64_t> counts, model::Model& weights) {
  float lowest = 0;
  for (std::size_t t = 1; t < counts.size(); ++t) {
    lowest = counts[t] > 0 ? std::min(lowest, weights.token_bias()[t]) : lowest;
  }
  const std::vector<float> nowhere(weights.width(), 0.0F);
  for (std::size_t t = 1; t < counts.size(); ++t) {
    if (counts[t] == 0) {
      weights.set_token(static_cast<std::int32_t>(t), nowhere, lowest);
    }
  }
}

}  // namespace

void start_from_text(const TextTable& table, model::Model& weights) {
  const std::size_t width = weights.width();
  const auto text = whitened(table, width);
  if (!text.ok()) {
    return;
  }
  const std::size_t filled = std::min(width, kTextWidth);
  for (std::size_t t = 1; t < weights.tokens(); ++t) {
    if (!table.known[t]) {
      continue;
    }
    const auto random = weights.token_embeddings().subspan(t * width, width);
    std::vector<float> vector(random.begin(), random.end());
    for (std::size_t c = 0; c < filled; ++c) {
      vector[c] = kStartDeviation * (*text)[t * width + c];
    }
    weights.set_token(static_cast<std::int32_t>(t), vector, weights.token_bias()[t]);
  }
}

base::Json to_json(const TextMap& map) {
  return {{"lambda", map.lambda}, {"explained", map.explained}, {"warm_items", map.warm_items}, {"new_items", map.new_items}};
}

base::Result<TextMap> complete_from_text(const TextTable& table, std::span<const std::int64_t> counts, const CompleteOptions& options,
                                         model::Model& weights) {
  const std::size_t width = weights.width();
  BECKON_CHECK(counts.size() == weights.tokens() && table.known.size() >= weights.tokens());
  const Warm warm = gather(table, counts, weights);
  TextMap out;
  out.warm_items = static_cast<std::int64_t>(warm.weight.size());
  out.new_items = std::count(counts.begin() + 1, counts.end(), 0);
  hide_unknown(counts, weights);
  if (warm.weight.size() < kWarmMin) {
    return out;
  }
  BECKON_TRY(const Axes axes, axes_of(warm, width));
  for (double step = -4; step <= 2; step += .5) {
    const double lambda = std::max(axes.of.values[0], 1e-12) * std::pow(10.0, step);
    const double explained = explained_at(warm, axes, lambda, width);
    if (explained > out.explained) {
      out.explained = explained;
      out.lambda = lambda;
    }
  }
  if (out.explained > 0) {
    std::vector<float> map(kTextWidth * width);
    tensor::gemm(tensor::view(axes.rotation, kTextWidth, kTextWidth), tensor::view(map_at(axes, out.lambda, width), kTextWidth, width),
                 tensor::mutable_view(map, kTextWidth, width));
    blend(table, predictions(table, warm, map, weights.tokens()), counts, weights, options.own_weight);
  }
  return out;
}

std::vector<std::int64_t> token_counts(const std::vector<model::Sequence>& sequences, std::size_t tokens) {
  std::vector<std::int64_t> out(tokens, 0);
  for (const auto& sequence : sequences) {
    for (const std::int32_t token : sequence.token) {
      ++out[static_cast<std::size_t>(token)];
    }
  }
  return out;
}

}  // namespace beckon::features
